package provider_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// loses is a network in front of a server that loses the first answer to every write: the write is done, and the
// provider never hears of it.
type loses struct {
	proxy *httputil.ReverseProxy
	mu    sync.Mutex
	lost  map[string]bool
}

func (l *loses) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || !l.first(r) {
		l.proxy.ServeHTTP(w, r)
		return
	}
	l.proxy.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler) // hang up without an answer
}

func (l *loses) first(r *http.Request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := r.Method + r.URL.Path
	seen := l.lost[key]
	l.lost[key] = true
	return !seen
}

func TestALostAnswerIsAskedForAgainAndNothingIsDoneTwice(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	target, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	lossy := &loses{proxy: httputil.NewSingleHostReverseProxy(target), lost: map[string]bool{}}
	network := httptest.NewServer(lossy)
	defer network.Close()
	through := "provider \"cloudpam\" {\n  endpoint = \"" + network.URL + "\"\n  token = \"" + acctest.Token + "\"\n}\n"
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		{Config: through + allocation("name = \"a\"\nprefix_length = 24")},
		{Config: through + allocation("name = \"a\"\nprefix_length = 24\nowner = \"payments\"")},
		{Config: through + allocation("name = \"a\"\nprefix_length = 24\nowner = \"payments\""), ConfigPlanChecks: emptyPlan},
	}})
	var actions []string
	for event, err := range server.Client.Events(t.Context(), cloudpam.ListEventsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		if (event.ObjectKind == "pool" || event.ObjectKind == "allocation") && event.Action != "pool.drafted" {
			actions = append(actions, event.Action)
		}
	}
	want := map[string]int{"pool.created": 1, "allocation.created": 1, "allocation.updated": 1, "allocation.released": 1, "pool.deleted": 1}
	got := map[string]int{}
	for _, action := range actions {
		got[action]++
	}
	for action, n := range want {
		if got[action] != n {
			t.Errorf("%s happened %d times, want %d; all events: %v", action, got[action], n, actions)
		}
	}
	if len(actions) != len(want) {
		t.Errorf("events: %v", actions)
	}
	if len(lossy.lost) < 5 {
		t.Errorf("only these writes were lost: %v", lossy.lost)
	}
}
