package cloudpam

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const allocationJSON = `{"id":"alloc_1","scope":"default","pool":"corp","name":"app","cidr":"10.0.0.0/24","prefix_length":24,"family":"ipv4",
"description":"","owner":"","purpose":"","account":"","region":"","environment":"","labels":{},"version":1,
"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}`

// script answers each request with the next step; every request is kept.
type script struct {
	t     *testing.T
	steps []http.HandlerFunc
	next  atomic.Int32
	seen  []*http.Request
	body  []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(s.next.Add(1)) - 1
	body, _ := io.ReadAll(r.Body)
	s.seen, s.body = append(s.seen, r), append(s.body, string(body))
	if n >= len(s.steps) {
		s.t.Errorf("request %d (%s %s) was not expected", n+1, r.Method, r.URL)
		n = len(s.steps) - 1
	}
	s.steps[n](w, r)
}

func answerWith(status int, kind, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func problem(status int, code, detail string, header ...string) http.HandlerFunc {
	body := `{"type":"/problems/x","title":"T","status":` + strconv.Itoa(status) + `,"code":"` + code + `","detail":"` + detail + `","request_id":"req_1"}`
	return answerWith(status, "application/problem+json", body, header...)
}

// hangUp ends the connection in the middle of an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, "{")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// newClient returns a client of a server that follows the script, and the pauses it takes instead of waiting.
func newClient(t *testing.T, steps ...http.HandlerFunc) (*Client, *script, *[]time.Duration) {
	t.Helper()
	s := &script{t: t, steps: steps}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := New(server.URL, "cpam_test_secret")
	if err != nil {
		t.Fatal(err)
	}
	return c, s, recordPauses(c)
}

func recordPauses(c *Client) *[]time.Duration {
	var pauses []time.Duration
	r := c.raw.Client.(*retrier)
	r.jitter = func(bound time.Duration) time.Duration { return bound }
	r.wait = func(_ context.Context, d time.Duration) error { pauses = append(pauses, d); return nil }
	return &pauses
}

func TestAWriteIsRetriedWithTheSameKeyAndBody(t *testing.T) {
	c, s, pauses := newClient(t,
		problem(503, "unavailable", "starting"),
		hangUp,
		problem(429, "overloaded", "slow down"),
		answerWith(502, "text/html", "<h1>Bad Gateway</h1>"),
		answerWith(201, "application/json", allocationJSON))

	got, err := c.CreateAllocation(t.Context(), NewAllocation{Pool: "corp", Name: "app", PrefixLength: new(24)})
	if err != nil || got.CIDR != "10.0.0.0/24" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if len(s.seen) != 5 || len(*pauses) != 4 {
		t.Fatalf("%d requests with %d pauses, want 5 with 4", len(s.seen), len(*pauses))
	}
	for i, r := range s.seen {
		if key := r.Header.Get("Idempotency-Key"); key != s.seen[0].Header.Get("Idempotency-Key") || len(key) < 8 {
			t.Errorf("attempt %d has the idempotency key %q", i+1, key)
		}
		if s.body[i] != s.body[0] || s.body[i] == "" {
			t.Errorf("attempt %d has the body %q", i+1, s.body[i])
		}
	}
	if want := []time.Duration{200e6, 400e6, 800e6, 1600e6}; !equal(*pauses, want) {
		t.Errorf("pauses %v, want %v", *pauses, want)
	}
}

func TestAPreviewIsRepeated(t *testing.T) {
	c, s, _ := newClient(t, hangUp, problem(503, "unavailable", "starting"), answerWith(200, "application/json", allocationJSON))
	got, err := c.PreviewAllocation(t.Context(), "alloc_1", AllocationPatch{PrefixLength: new(23)}, PreviewAllocationParams{})
	if err != nil || got.CIDR != "10.0.0.0/24" || len(s.seen) != 3 || s.body[2] != s.body[0] {
		t.Errorf("%+v, %v after %d requests", got, err, len(s.seen))
	}
}

func TestTwoWritesHaveTwoKeys(t *testing.T) {
	created := answerWith(201, "application/json", allocationJSON)
	c, s, _ := newClient(t, created, created)
	for range 2 {
		if _, err := c.CreateAllocation(t.Context(), NewAllocation{Pool: "corp", Name: "app"}); err != nil {
			t.Fatal(err)
		}
	}
	if s.seen[0].Header.Get("Idempotency-Key") == s.seen[1].Header.Get("Idempotency-Key") {
		t.Error("both writes carry the same idempotency key")
	}
}

func TestAKeyOfTheCallerIsKept(t *testing.T) {
	c, s, _ := newClient(t, answerWith(201, "application/json", allocationJSON))
	if _, err := c.CreateAllocation(t.Context(), NewAllocation{Pool: "corp", Name: "app"}, WithIdempotencyKey("pipeline-7")); err != nil {
		t.Fatal(err)
	}
	if got := s.seen[0].Header.Get("Idempotency-Key"); got != "pipeline-7" {
		t.Errorf("key %q", got)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	c, _, pauses := newClient(t,
		problem(429, "overloaded", "slow down", "Retry-After", "3"),
		problem(503, "unavailable", "later", "Retry-After", "86400"),
		answerWith(200, "application/json", allocationJSON))
	if _, err := c.GetAllocation(t.Context(), "alloc_1"); err != nil {
		t.Fatal(err)
	}
	// A pause on top spreads callers that were told the same second; a day is cut to a minute.
	if want := []time.Duration{3200e6, 60200e6}; !equal(*pauses, want) {
		t.Errorf("pauses %v, want %v", *pauses, want)
	}
}

func TestRetryAfterReadsADate(t *testing.T) {
	if got := retryAfter(time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)); got < 59*time.Minute || got > time.Hour {
		t.Errorf("an hour from now is %v", got)
	}
	if got := retryAfter("soon"); got != 0 {
		t.Errorf("nonsense is %v", got)
	}
}

func TestARefusalIsNotRetried(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 412, 422, 428, 500} {
		c, s, _ := newClient(t, problem(status, "some_code", "no"))
		_, err := c.GetPool(t.Context(), "corp")
		if !errors.Is(err, Code("some_code")) || len(s.seen) != 1 {
			t.Errorf("status %d: %v after %d requests", status, err, len(s.seen))
		}
	}
}

func TestAfterTheLastRetryTheRefusalIsReturned(t *testing.T) {
	steps := make([]http.HandlerFunc, DefaultRetries+1)
	for i := range steps {
		steps[i] = problem(503, "unavailable", "the database does not answer")
	}
	c, s, _ := newClient(t, steps...)
	_, err := c.GetPool(t.Context(), "corp")
	if !errors.Is(err, ErrUnavailable) || len(s.seen) != len(steps) {
		t.Errorf("%v after %d requests", err, len(s.seen))
	}
}

func TestAServerThatIsDownIsUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + listener.Addr().String()
	_ = listener.Close()
	c, err := New(endpoint, "", WithRetries(2))
	if err != nil {
		t.Fatal(err)
	}
	recordPauses(c)

	_, err = c.GetPool(t.Context(), "corp")
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Attempts != 3 {
		t.Fatalf("got %#v", err)
	}
	want := "cannot reach CloudPAM at " + endpoint + " (tried 3 times): dial tcp " + listener.Addr().String() + ": connect: connection refused"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestAnUntrustedCertificateFailsAtOnce(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake is the point
	server.StartTLS()
	defer server.Close()
	c, err := New(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	pauses := recordPauses(c)
	_, err = c.GetVersion(t.Context())
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Attempts != 1 || len(*pauses) != 0 {
		t.Errorf("got %v after %d pauses", err, len(*pauses))
	}
	if !strings.Contains(err.Error(), "certificate") {
		t.Errorf("the message does not name the certificate: %v", err)
	}
}

func TestACancelledCallEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _, pauses := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		problem(503, "unavailable", "later")(w, r)
	})
	_, err := c.GetPool(ctx, "corp")
	if err == nil || len(*pauses) != 0 {
		t.Errorf("got %v after %d pauses", err, len(*pauses))
	}
}

func TestTheDefaultClientKeepsEnoughConnections(t *testing.T) {
	c, err := New("http://127.0.0.1:1", "")
	if err != nil {
		t.Fatal(err)
	}
	transport := c.raw.Client.(*retrier).next.Transport.(*http.Transport)
	if transport.MaxIdleConnsPerHost < 64 {
		t.Errorf("only %d idle connections per host", transport.MaxIdleConnsPerHost)
	}
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
