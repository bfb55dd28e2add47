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
			clients[0].createPool(t, servers[0].URL, poolName(0), "10.0.0.0/16", "")
			for round := range share(50) {
				r := clients[0].asks(poolName(0), 28)
				r.key = fmt.Sprintf("allocate-%04d", round)
				answers := twice(t, clients, servers, r)
				first, err := decode(answers[0])
				if err != nil {
					t.Fatal(err)
				}
				if string(answers[0].body) != string(answers[1].body) {
					t.Fatalf("one request, two answers: %s and %s", answers[0].body, answers[1].body)
				}
				r = *remove("/allocations/"+first.ID, 0)
				r.key = fmt.Sprintf("release-%04d", round)
				twice(t, clients, servers, r)
			}
			for round := range share(15) {
				changeAll(t, clients, servers, round)
			}
			verify(t, database)
		})
	}
}

// changeAll sends each kind of write that is no allocation to both servers.
func changeAll(t *testing.T, clients []*client, servers []*server, round int) {
	t.Helper()
	n := 0
	send := func(r *request) noun {
		t.Helper()
		n++
		r.key = fmt.Sprintf("change-%04d-%d", round, n)
		answers := twice(t, clients, servers, *r)
		if string(answers[0].body) != string(answers[1].body) {
			t.Fatalf("%s %s: one request, two answers: %s and %s", r.method, r.path, answers[0].body, answers[1].body)
		}
		got, err := decode(answers[0])
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	name := clients[0].next()
	s := send(post("/allocation-sets", object{"pool": poolName(0), "name": name, "members": object{"a": sized(28), "b": sized(27)}}))
	s = send(patch("/allocation-sets/"+s.ID, s.Version, object{"members": object{"a": sized(26), "c": sized(28)}}))
	child := send(post("/pools", object{"parent": poolName(0), "name": name, "prefix_length": 26}))
	inside := send(post("/allocations", object{"pool": child.ID, "name": name, "prefix_length": 28}))
	inside = send(patch("/allocations/"+inside.ID, inside.Version, object{"prefix_length": 27}))
	child = send(patch("/pools/"+child.UID, child.Version, object{"prefix_length": 27}))
	v := send(post("/reservations", object{"pool": poolName(0), "reason": name, "prefix_length": 28}))
	hold := post("/holds", object{"pool": poolName(0), "name": name, "prefix_length": 28})
	hold.status = http.StatusOK
	h := send(hold)
	a := send(post("/allocations", object{"pool": poolName(0), "name": name, "cidr": h.CIDR}))
	for _, r := range []*request{
		remove("/allocation-sets/"+s.ID, s.Version), remove("/allocations/"+inside.ID, 0), remove("/pools/"+child.UID, child.Version),
		remove("/reservations/"+v.ID, v.Version), remove("/allocations/"+a.ID, 0),
	} {
		send(r)
	}
}

// twice sends one request to both servers at the same time; one of the answers must be a replay.
func twice(t *testing.T, clients []*client, servers []*server, r request) [2]answer {
	t.Helper()
	var answers [2]answer
	var errs [2]error
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i], errs[i] = clients[i].send(servers[i].URL, r) })
	}
	wg.Wait()
	for i := range answers {
		if errs[i] != nil || answers[i].status != r.status {
			t.Fatalf("%s %s answers %d %s, %v", r.method, r.path, answers[i].status, answers[i].body, errs[i])
		}
	}
	if r.method == http.MethodPost && answers[0].replayed == answers[1].replayed {
		t.Fatalf("%s %s: replayed %t and %t", r.method, r.path, answers[0].replayed, answers[1].replayed)
	}
	return answers
}
