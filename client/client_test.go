package cloudpam

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const poolJSON = `{"id":"corp","scope":"default","name":"corp","cidr":"10.0.0.0/8","prefix_length":8,"family":"ipv4","strategy":"best_fit",
"description":"","owner":"","account":"","region":"","environment":"","labels":{},"deletion_protection":false,"version":1,
"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}`

func poolAt(etag string) http.HandlerFunc {
	return answerWith(200, "application/json", poolJSON, "ETag", etag)
}

func TestNewRefusesWhatCannotBeAnEndpointOrAToken(t *testing.T) {
	for _, c := range []struct{ endpoint, token, want string }{
		{"", "t", `endpoint "" is not an http or https URL; write it like https://cloudpam.example.com`},
		{"ipam.example.com", "t", `endpoint "ipam.example.com" is not an http or https URL; write it like https://cloudpam.example.com`},
		{"ftp://ipam.example.com", "t", `endpoint "ftp://ipam.example.com" is not an http or https URL; write it like https://cloudpam.example.com`},
		{"https://u:p@ipam.example.com", "t", `endpoint "https://u:xxxxx@ipam.example.com" must be a plain URL without user, query or fragment`},
		{"https://ipam.example.com", "cpam_a b", "the token contains white space; a CloudPAM token is one word that begins with cpam_, and a JWT one with two dots"},
	} {
		if _, err := New(c.endpoint, c.token); err == nil || err.Error() != c.want {
			t.Errorf("New(%q, %q)\n got %v\nwant %s", c.endpoint, c.token, err, c.want)
		}
	}
}

func TestTheEndpointMayEndInTheAPIPath(t *testing.T) {
	for _, suffix := range []string{"", "/", "/api/v1", "/api/v1/"} {
		s := &script{t: t, steps: []http.HandlerFunc{poolAt("x")}}
		server := httptest.NewServer(s)
		c, err := New(server.URL+suffix, "cpam_test_secret", WithUserAgent("probe/1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.GetPool(t.Context(), "corp"); err != nil {
			t.Fatal(err)
		}
		server.Close()
		r := s.seen[0]
		if r.URL.Path != "/api/v1/pools/corp" || r.Header.Get("Authorization") != "Bearer cpam_test_secret" || r.Header.Get("User-Agent") != "probe/1" {
			t.Errorf("suffix %q: %s with %v", suffix, r.URL.Path, r.Header)
		}
	}
}

func TestAnUpdateCarriesTheETagThatStands(t *testing.T) {
	c, s, _ := newClient(t, poolAt(`"v1"`), poolAt(`"v2"`))
	if _, err := c.UpdatePool(t.Context(), "corp", PoolPatch{Owner: new("net")}); err != nil {
		t.Fatal(err)
	}
	if got := s.seen[1].Header.Get("If-Match"); got != `"v1"` || s.body[1] != `{"owner":"net"}` {
		t.Errorf("If-Match %s, body %s", got, s.body[1])
	}
}

func TestAnUpdateReadsAgainOnceWhenSomebodyWasFaster(t *testing.T) {
	stale := problem(412, "precondition_failed", "changed since")
	c, s, _ := newClient(t, poolAt(`"v1"`), stale, poolAt(`"v2"`), poolAt(`"v3"`))
	if _, err := c.UpdatePool(t.Context(), "corp", PoolPatch{Owner: new("net")}); err != nil {
		t.Fatal(err)
	}
	if got := s.seen[3].Header.Get("If-Match"); got != `"v2"` {
		t.Errorf("second try with If-Match %s", got)
	}
	if s.seen[1].Header.Get("Idempotency-Key") == s.seen[3].Header.Get("Idempotency-Key") {
		t.Error("the second try has the key of the refused one")
	}

	c, s, _ = newClient(t, poolAt(`"v1"`), stale, poolAt(`"v2"`), stale)
	if _, err := c.UpdatePool(t.Context(), "corp", PoolPatch{}); !errors.Is(err, ErrPreconditionFailed) || len(s.seen) != 4 {
		t.Errorf("%v after %d requests", err, len(s.seen))
	}
}

// A proxy that compresses weakens the header or drops it; the body says the same.
func TestTheETagIsBuiltFromWhatWasRead(t *testing.T) {
	body := strings.Replace(poolJSON, `"id":"corp"`, `"id":"corp","uid":"pool_05avjh1t8b000"`, 1)
	for _, header := range []string{`W/"pool_05avjh1t8b000.1"`, `"pool_05avjh1t8b000.1-gzip"`, ""} {
		c, s, _ := newClient(t, answerWith(200, "application/json", body, "ETag", header), poolAt(`"v2"`))
		if _, err := c.UpdatePool(t.Context(), "corp", PoolPatch{}); err != nil {
			t.Fatal(err)
		}
		if got := s.seen[1].Header.Get("If-Match"); got != `"pool_05avjh1t8b000.1"` {
			t.Errorf("after %q: If-Match %s", header, got)
		}
	}
}

func TestAnETagOfTheCallerIsNeverReplaced(t *testing.T) {
	c, s, _ := newClient(t, poolAt(`"v1"`), problem(412, "precondition_failed", "changed since"))
	var etag string
	if _, err := c.GetPool(t.Context(), "corp", ReadETag(&etag)); err != nil || etag != `"v1"` {
		t.Fatalf("etag %s, %v", etag, err)
	}
	if err := c.DeletePool(t.Context(), "corp", WithIfMatch(etag)); !errors.Is(err, ErrPreconditionFailed) || len(s.seen) != 2 {
		t.Errorf("%v after %d requests", err, len(s.seen))
	}
}

func TestAnUpdateStoresTheNewETagForTheCaller(t *testing.T) {
	c, _, _ := newClient(t, poolAt(`"v1"`), poolAt(`"v2"`))
	var etag string
	if _, err := c.UpdatePool(t.Context(), "corp", PoolPatch{}, ReadETag(&etag)); err != nil || etag != `"v2"` {
		t.Errorf("etag %s, %v", etag, err)
	}
}

func TestAListWalksAllPages(t *testing.T) {
	c, s, _ := newClient(t,
		answerWith(200, "application/json", `{"items":[`+poolJSON+`,`+poolJSON+`],"next_page_token":"p2"}`),
		answerWith(200, "application/json", `{"items":[],"next_page_token":"p3"}`),
		answerWith(200, "application/json", `{"items":[`+poolJSON+`]}`))
	pools, err := Collect(c.Pools(t.Context(), ListPoolsParams{Scope: new("default"), Label: []string{"team=net", "tier=prd"}}))
	if err != nil || len(pools) != 3 {
		t.Fatalf("%d pools, %v", len(pools), err)
	}
	for i, want := range []string{"label=team%3Dnet&label=tier%3Dprd&scope=default", "label=team%3Dnet&label=tier%3Dprd&page_token=p2&scope=default", "label=team%3Dnet&label=tier%3Dprd&page_token=p3&scope=default"} {
		if got := s.seen[i].URL.Query().Encode(); got != want {
			t.Errorf("page %d: %s, want %s", i+1, got, want)
		}
	}
}

func TestAListStopsWhenTheReaderDoes(t *testing.T) {
	c, s, _ := newClient(t, answerWith(200, "application/json", `{"items":[`+allocationJSON+`,`+allocationJSON+`],"next_page_token":"p2"}`))
	for _, err := range c.Allocations(t.Context(), ListAllocationsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if len(s.seen) != 1 {
		t.Errorf("%d pages were read", len(s.seen))
	}
}

func TestAListEndsWithItsError(t *testing.T) {
	c, _, _ := newClient(t,
		answerWith(200, "application/json", `{"items":[{"id":"ev_1"}],"next_page_token":"p2"}`),
		problem(400, "invalid", "that page token is not ours"))
	var ids []string
	var last error
	for event, err := range c.Events(t.Context(), ListEventsParams{}) {
		if last = err; err == nil {
			ids = append(ids, event.ID)
		}
	}
	if !equal(ids, []string{"ev_1"}) || !errors.Is(last, ErrInvalid) {
		t.Errorf("ids %v, error %v", ids, last)
	}
}

func TestAPrivateCertificateIsTrustedThroughTheCAFile(t *testing.T) {
	server := httptest.NewTLSServer(answerWith(200, "application/json", `{"version":"1","schema_version":1,"engine":"sqlite"}`))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := New(server.URL, "", WithCAFile(file))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.GetVersion(t.Context()); err != nil || v.Version != "1" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestACAFileWithoutCertificatesIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New("https://ipam.example.com", "", WithCAFile(file)); err == nil || !strings.Contains(err.Error(), "holds no PEM certificate") {
		t.Errorf("got %v", err)
	}
	if _, err := New("https://ipam.example.com", "", WithCAFile(file+"x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
