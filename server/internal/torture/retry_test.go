package torture

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// A client that gives up waiting sends its request again while the first one may still run, and a load balancer hands it
// to another server.
func TestARetryBesideItsFirstRequestHasOneEffect(t *testing.T) {
	for _, engine := range []struct {
		name     string
		database func(testing.TB) string
		servers  int
	}{{"SQLite", storetest.SQLite, 1}, {"PostgreSQL with two servers", storetest.Postgres, 2}} {
		t.Run(engine.name, func(t *testing.T) {
			database := engine.database(t)
			servers := []*server{start(t, database)}
			servers = append(servers, servers[0])
			if engine.servers == 2 {
				servers[1] = start(t, database)
			}
			clients := []*client{newClient("first"), newClient("second")}
			clients[0].createPool(t, servers[0].url, poolName(0), "10.0.0.0/16")
			for round := range 50 {
				r := clients[0].allocate(poolName(0), 28)
				r.key = fmt.Sprintf("allocate-%04d", round)
				answers := twice(t, clients, servers, r)
				first, err := decode(answers[0])
				if err != nil {
					t.Fatal(err)
				}
				if second, err := decode(answers[1]); err != nil || first.block() != second.block() {
					t.Fatalf("one request, two answers: %+v and %+v (%v)", first, second, err)
				}
				r = first.asset(allocations).giveBack()
				r.key = fmt.Sprintf("release-%04d", round)
				twice(t, clients, servers, r)
			}
			verify(t, database)
		})
	}
}

// twice sends one request to both servers at the same time; one of the answers must be a replay.
func twice(t *testing.T, clients []*client, servers []*server, r request) [2]answer {
	t.Helper()
	var answers [2]answer
	var errs [2]error
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i], errs[i] = clients[i].send(servers[i].url, r) })
	}
	wg.Wait()
	for i := range answers {
		if errs[i] != nil || answers[i].status != r.expected() {
			t.Fatalf("%s %s answers %d %s, %v", r.method, r.path, answers[i].status, answers[i].body, errs[i])
		}
	}
	if r.method == http.MethodPost && answers[0].replayed == answers[1].replayed {
		t.Fatalf("%s %s: replayed %t and %t", r.method, r.path, answers[0].replayed, answers[1].replayed)
	}
	return answers
}
