package torture

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/servertest"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

const (
	killsOfDeliveries = 8
	eventsOfARound    = 8
)

// A server is killed while it tells a receiver what happened, again and again. In the end the receiver has heard of everything, and
// each time under the id of the event.
func TestEveryEventIsToldHoweverOftenTheServerIsKilled(t *testing.T) {
	database := storetest.SQLite(t)
	var mu sync.Mutex
	seen := map[string]int{} // how often
	var left int             // messages until the kill
	var kill func()          // of the server that runs
	arrived := make(chan struct{}, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		id := r.Header.Get("Webhook-Id")
		seen[id]++
		if left--; left == 0 {
			go kill()
		}
		select {
		case arrived <- struct{}{}:
		default:
		}
	}))
	defer receiver.Close()
	run := func() *server {
		s, err := servertest.Launch(program(t), t.TempDir(), "CLOUDPAM_DATABASE_URL="+database, "CLOUDPAM_BOOTSTRAP_TOKEN="+secret, "CLOUDPAM_WEBHOOK_ALLOW=127.0.0.1/32", "GORACE=halt_on_error=1")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Kill)
		if err := s.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		return &server{s}
	}
	ask := func(s *server, method, path, body string, into any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/api/v1"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode > 299 {
			t.Fatalf("%s %s: %d %s, %v", method, path, a.StatusCode, text, err)
		}
		if into != nil {
			if err := json.Unmarshal(text, into); err != nil {
				t.Fatal(err)
			}
		}
	}

	s := run()
	ask(s, "POST", "/pools", `{"name": "corp", "cidr": "10.0.0.0/8"}`, nil)
	ask(s, "POST", "/webhooks", `{"name": "inventory", "url": "`+receiver.URL+`", "actions": ["allocation.*"]}`, nil)
	kills := share(killsOfDeliveries) * *times
	for n := range kills {
		mu.Lock()
		left, kill = 1+rand.IntN(eventsOfARound), s.Kill
		mu.Unlock()
		for i := range eventsOfARound {
			var a struct{ ID string }
			name := fmt.Sprintf("n%d-%d", n, i)
			// The kill may come while this is asked; then the rest is left out.
			if !attempt(t.Context(), s, name, &a.ID) {
				break
			}
		}
		<-s.Ended
		s = run()
	}
	var events struct {
		Items []struct{ ID, ObjectID string }
	}
	mu.Lock()
	left = -1
	mu.Unlock()
	ask(s, "GET", "/events?action=allocation.created&limit=1000", "", &events)
	if len(events.Items) == 0 {
		t.Fatal("nothing happened")
	}
	for missing := true; missing; {
		missing = false
		mu.Lock()
		for _, e := range events.Items {
			missing = missing || seen[e.ID] == 0
		}
		mu.Unlock()
		if missing {
			select {
			case <-arrived:
			case <-t.Context().Done():
				t.Fatal("an event was not told")
			}
		}
	}
	mu.Lock()
	told, again := len(seen), 0
	for _, n := range seen {
		if n > 1 {
			again++
		}
	}
	mu.Unlock()
	t.Logf("%d kills, %d events told, %d of them more than once", kills, told, again)
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	verify(t, database)
}

// attempt makes an allocation, and reports whether it was answered.
func attempt(ctx context.Context, s *server, name string, id *string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v1/allocations", strings.NewReader(`{"pool": "corp", "name": "`+name+`", "prefix_length": 28}`))
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer a.Body.Close()
	var answer struct{ ID string }
	if json.NewDecoder(a.Body).Decode(&answer) != nil {
		return false
	}
	*id = answer.ID
	return a.StatusCode == http.StatusCreated
}
