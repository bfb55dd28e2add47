package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/account"
	"github.com/cloudpam/cloudpam/server/internal/adopt"
	"github.com/cloudpam/cloudpam/server/internal/approval"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/bulk"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fake"
	"github.com/cloudpam/cloudpam/server/internal/govern"
	"github.com/cloudpam/cloudpam/server/internal/httpapi"
	"github.com/cloudpam/cloudpam/server/internal/insight"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
	"github.com/cloudpam/cloudpam/server/internal/observe"
	"github.com/cloudpam/cloudpam/server/internal/quarantine"
	"github.com/cloudpam/cloudpam/server/internal/reconcile"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/scope"
	"github.com/cloudpam/cloudpam/server/internal/seal"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
	"github.com/cloudpam/cloudpam/server/internal/terraform"
	"github.com/cloudpam/cloudpam/server/internal/webhook"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const secret = "cpam_test_0123456789abcdefghijklmnopqrstuv"

// lab is a server over real HTTP on a real database. Every answer under /api/v1 is checked against the contract.
type lab struct {
	http *httptest.Server
	httpapi.Services
	log     *lockedBuffer
	dump    func(testing.TB) string // all rows of what is stored
	dumpAll func(testing.TB) string // of all tables
	unready *error
	cloud   *fake.Cloud
	passed  *atomic.Int64 // of the time, in nanoseconds
}

// wait moves the clock of the server.
func (s lab) wait() { s.passed.Add(int64(time.Second)) }

func each(t *testing.T, body func(t *testing.T, s lab)) {
	t.Helper()
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) { body(t, serve(t, url(t))) })
	}
}

func serve(t *testing.T, url string) lab {
	t.Helper()
	return serveAt(t, url, func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) })
}

// serveAt is serve where now tells the time.
func serveAt(t *testing.T, url string, now func() time.Time, issuers ...issuer.Settings) lab {
	t.Helper()
	stopped := make(chan struct{})
	close(stopped) // so that a stream ends with its first message, and can be asked as all else is
	return serveUntil(t, url, stopped, now, issuers...)
}

// serveUntil is serveAt with streams that go on until it stops.
func serveUntil(t *testing.T, url string, stopping <-chan struct{}, now func() time.Time, issuers ...issuer.Settings) lab {
	t.Helper()
	db := storetest.Open(t, url)
	passed := &atomic.Int64{}
	k := change.New(db, time.Now).Pretend(func() time.Time { return now().Add(time.Duration(passed.Load())) })
	r := registry.New(k)
	clouds, observer := fake.New(ipam.AWS, 5, "east", "west"), observe.New(k)
	services := httpapi.Services{Observer: observer, Adopter: adopt.New(k, r), Modules: terraform.New(k), Clouds: reconcile.New(k, observer, slog.New(slog.DiscardHandler), clouds), Registry: r, Scopes: scope.New(k, r.DropRootDrafts), Accounts: account.New(k), Access: access.New(k, issuers...), Audit: audit.New(k), Insight: insight.New(k), Ward: quarantine.New(k), Policies: govern.New(k), Approvals: approval.New(k, r, slog.New(slog.DiscardHandler)), Webhooks: webhook.New(k, webhook.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, "test")}
	services.Imports = bulk.New(k, r, services.Accounts)
	var err error
	if services.Sealer, err = seal.New(k, slog.New(slog.DiscardHandler), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := services.Access.SetUp(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	log, unready := &lockedBuffer{}, new(error)
	server := httptest.NewUnstartedServer(nil)
	handler, err := httpapi.New(services, httpapi.Options{
		URL:     "http://" + server.Listener.Addr().String(),
		Log:     slog.New(slog.NewJSONHandler(log, nil)),
		Version: api.Version{Version: "test", SchemaVersion: 1, Engine: api.VersionEngine(db.Engine())},
		Metrics: httpapi.NewMetrics(func() (uint64, uint64, int) { return 7, 3, 1 }, func() (differs, behind, doubted time.Duration) { return time.Minute, time.Second, time.Hour }),
		Ready:   func(*http.Request) error { return *unready },

		Stopping: stopping,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = checked(t, handler, stopping)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 30*time.Second, time.Minute
	server.Start()
	t.Cleanup(server.Close)
	return lab{http: server, Services: services, log: log, unready: unready, cloud: clouds, passed: passed, dump: func(t testing.TB) string {
		return dump(t, db, "tokens", "principals", "bindings", "events", "idempotency_keys")
	}, dumpAll: func(t testing.TB) string { return storetest.Dump(t, url) }}
}

// dump is all that is stored in some tables, as text: bytes as they are.
func dump(t testing.TB, db *store.DB, tables ...string) string {
	t.Helper()
	var all strings.Builder
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		for _, table := range tables {
			rows, err := tx.RowsAfter(table, 0, 100_000)
			if err != nil {
				return err
			}
			for _, r := range rows {
				for column, v := range r {
					if b, ok := v.([]byte); ok {
						v = string(b)
					}
					fmt.Fprintln(&all, table, column, v)
				}
			}
		}
		return nil
	})
	if err != nil || all.Len() == 0 {
		t.Fatalf("dump: %v", err)
	}
	return all.String()
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func contract(t testing.TB) *openapi3.T {
	t.Helper()
	spec, err := strictContract()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

var strictContract = sync.OnceValues(func() (*openapi3.T, error) {
	spec, err := api.GetSpec()
	if err != nil {
		return nil, err
	}
	spec.OpenAPI = "3.0.3" // as the server's own validator reads it
	// Answers are held to more than clients are told: nothing that the contract does not name.
	for name, s := range spec.Components.Schemas {
		if s.Value.Type.Is("object") && s.Value.AdditionalProperties.Schema == nil && name != "Labels" {
			s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: new(bool)}
		}
	}
	return spec, nil
})

var strictRouter = sync.OnceValues(func() (routers.Router, error) {
	spec, err := strictContract()
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(spec)
})

// checked validates every answer of the API against the contract.
func checked(t *testing.T, next http.Handler, stopping <-chan struct{}) http.Handler {
	t.Helper()
	router, err := strictRouter()
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-stopping:
		default:
			if strings.HasSuffix(r.URL.Path, "/events/stream") { // which is looked at while it is written
				next.ServeHTTP(w, r)
				return
			}
		}
		seen := httptest.NewRecorder()
		next.ServeHTTP(seen, r)
		if strings.HasPrefix(r.URL.Path, "/api/v1/") {
			checkAnswer(t, router, r, seen)
		}
		for name, values := range seen.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(seen.Code)
		_, _ = w.Write(seen.Body.Bytes())
	})
}

func checkAnswer(t *testing.T, router routers.Router, r *http.Request, seen *httptest.ResponseRecorder) {
	if got := seen.Header().Get("X-Request-Id"); len(got) < 8 {
		t.Errorf("%s %s: X-Request-Id = %q", r.Method, r.URL, got)
	}
	if seen.Code >= 400 {
		wantProblem(t, r, seen)
	}
	route, parameters, err := router.FindRoute(r)
	if err != nil {
		return // wrong paths and methods have no entry in the contract; wantProblem has looked at them
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: parameters},
		Status:                 seen.Code, Header: seen.Header(), Body: io.NopCloser(bytes.NewReader(seen.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		t.Errorf("%s %s answers %d against the contract: %v\n%s", r.Method, r.URL, seen.Code, err, seen.Body)
	}
}

func wantProblem(t *testing.T, r *http.Request, seen *httptest.ResponseRecorder) {
	if got := seen.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s %s: %d is %s: %s", r.Method, r.URL, seen.Code, got, seen.Body)
	}
	var p api.Problem
	if err := json.Unmarshal(seen.Body.Bytes(), &p); err != nil {
		t.Errorf("%s %s: %v: %s", r.Method, r.URL, err, seen.Body)
	}
	if p.Status != seen.Code || p.Code == "" || p.Detail == "" || p.Title == "" || p.RequestID != seen.Header().Get("X-Request-Id") ||
		p.Type != "/problems/"+strings.ReplaceAll(p.Code, "_", "-") {
		t.Errorf("%s %s: problem = %s", r.Method, r.URL, seen.Body)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes a request; headers are "Name: value", and one with an empty value takes a default away.
// send sends a request. The header If-Match: "v3" is short for the ETag of version 3 of what the path names.
func (s lab) send(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	for i, h := range headers {
		if version, short := strings.CutPrefix(h, `If-Match: "v`); short {
			now := s.send(t, "GET", path, "").header.Get("ETag")
			headers[i] = "If-Match: " + now[:strings.LastIndexByte(now, '.')+1] + version
		}
	}
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.http.URL+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		r.Header.Set(name, strings.TrimSpace(value))
		if strings.TrimSpace(value) == "" {
			r.Header.Del(name)
		}
	}
	res, err := s.http.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func decode[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

// get reads what must be there.
func get[T any](t testing.TB, s lab, path string) T {
	t.Helper()
	a := s.send(t, "GET", "/api/v1"+path, "")
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	return decode[T](t, a)
}

// post creates what must be created.
func post[T any](t testing.TB, s lab, path, body string) T {
	t.Helper()
	a := s.send(t, "POST", "/api/v1"+path, body)
	if a.status != http.StatusCreated && a.status != http.StatusOK {
		t.Fatalf("POST %s %s: %d %s", path, body, a.status, a.body)
	}
	return decode[T](t, a)
}

func (s lab) events(t testing.TB) int {
	t.Helper()
	report, err := s.Audit.Verify(t.Context())
	if err != nil || len(report.Findings) > 0 {
		t.Fatalf("verify: %v, %v", report.Findings, err)
	}
	return report.Events
}

func wantProblemCode(t testing.TB, a answer, status int, code string) api.Problem {
	t.Helper()
	p := decode[api.Problem](t, a)
	if a.status != status || p.Code != code {
		t.Errorf("got %d %s, want %d %s: %s", a.status, p.Code, status, code, a.body)
	}
	return p
}
