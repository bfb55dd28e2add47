package acctest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Proxy stands in front of a server: it counts the requests that pass, and lets a test answer or lose some of them itself.
// It is safe for concurrent use.
type Proxy struct {
	Endpoint string

	mu     sync.Mutex
	counts map[string]int
}

// Intercept answers a request itself and returns true, or leaves it to the server.
type Intercept func(w http.ResponseWriter, r *http.Request, server http.Handler) bool

// Proxy starts a proxy in front of the server, until the test ends. A nil intercept passes everything on.
func (s *Server) Proxy(t testing.TB, intercept Intercept) *Proxy {
	t.Helper()
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{counts: map[string]int{}}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.Transport = &http.Transport{MaxIdleConnsPerHost: 128}
	network := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.count(r)
		if intercept == nil || !intercept(w, r, forward) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(network.Close)
	p.Endpoint = network.URL
	return p
}

func (p *Proxy) count(r *http.Request) {
	route := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	if collection, _, one := strings.Cut(route, "/"); one {
		route = collection + "/{id}"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[r.Method+" "+route]++
}

// Counts returns how often each route was asked since the last call: GET allocations, GET allocations/{id}, POST holds.
func (p *Proxy) Counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := maps.Clone(p.counts)
	clear(p.counts)
	return counts
}

// ProviderConfig is a provider block that goes through the proxy, with more arguments in it.
func (p *Proxy) ProviderConfig(more string) string {
	return "provider \"cloudpam\" {\n  endpoint = \"" + p.Endpoint + "\"\n  token    = \"" + Token + "\"\n" + more + "\n}\n"
}
