package torture

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

const (
	killClients     = 8
	killsOfSQLite   = 100
	killsOfPostgres = 6
	checkEvery      = 20 // kills between two full comparisons
)

// writer is one client that survives the servers it talks to.
type writer struct {
	*client
	draw *rand.Rand
	mine []allocation
	// open is the request that no answer came to. Nothing else is sent before it is cleared up.
	open *request
}

// tally counts what happened to the requests whose answer was lost.
type tally struct{ done, undone int }

// write sends requests until an answer is lost. An answer that does not fit is an error.
func (w *writer) write(url string, held *ledger) error {
	for {
		if err := w.one(url, held); err != nil || w.open != nil {
			return err
		}
	}
}

// one sends the next request.
func (w *writer) one(url string, held *ledger) error {
	r := w.asks(poolName(w.draw.IntN(2)), 24+w.draw.IntN(7))
	if len(w.mine) > 4 && (len(w.mine) > 40 || w.draw.IntN(5) < 2) {
		i := w.draw.IntN(len(w.mine))
		r = releases(w.mine[i])
		w.mine = slices.Delete(w.mine, i, i+1)
		held.let(r.of)
	}
	r.key = fmt.Sprintf("%s-%016x", w.label, w.draw.Uint64())
	return w.try(url, r, held, nil)
}

// try sends one request, and keeps it open when no answer comes.
func (w *writer) try(url string, r request, held *ledger, replays *tally) error {
	a, err := w.send(url, r)
	if err != nil {
		w.http.CloseIdleConnections()
		w.open = &r
		return nil
	}
	if a.status != r.expected() {
		return fmt.Errorf("%s %s of %q answers %d (sent again: %t): %s", r.method, r.path, r.of.Name, a.status, replays != nil, a.body)
	}
	w.open = nil
	if replays != nil {
		if a.replayed {
			replays.done++
		} else {
			replays.undone++
		}
	}
	if r.method == http.MethodDelete {
		return nil
	}
	got, err := decode(a)
	if err != nil {
		return err
	}
	w.mine = append(w.mine, got)
	return held.hold(got)
}

// clearUp sends the open request again with its key, which must succeed whatever became of the first one, and must have
// had one effect.
func (w *writer) clearUp(t *testing.T, server string, held *ledger, replays *tally) {
	t.Helper()
	if w.open == nil {
		return
	}
	r := *w.open
	if err := w.try(server, r, held, replays); err != nil {
		t.Fatal(err)
	}
	if w.open != nil {
		t.Fatalf("no answer to %s %s, sent again to a running server", r.method, r.path)
	}
	path := "/allocations?pool=" + url.QueryEscape(r.of.Pool) + "&name=" + url.QueryEscape(r.of.Name)
	a, err := w.send(server, request{method: http.MethodGet, path: path})
	if err != nil {
		t.Fatal(err)
	}
	var page struct{ Items []allocation }
	if err := json.Unmarshal(a.body, &page); err != nil {
		t.Fatal(err)
	}
	want := 0
	if r.method == http.MethodPost {
		want = 1
	}
	if len(page.Items) != want {
		t.Fatalf("%s of %q, sent twice, left %d allocations", r.method, r.of.Name, len(page.Items))
	}
}

func writers() []*writer {
	out := make([]*writer, killClients)
	for i := range out {
		out[i] = &writer{client: newClient(fmt.Sprintf("writer-%d", i)), draw: rand.New(rand.NewPCG(7, uint64(i)))}
	}
	return out
}

// underFire lets writers write to a server, kills it in the middle, and returns when all have lost an answer.
func underFire(t *testing.T, all []*writer, s *server, held *ledger) {
	t.Helper()
	var wg sync.WaitGroup
	for _, w := range all {
		wg.Go(func() {
			if err := w.write(s.url, held); err != nil {
				t.Error(err)
			}
		})
	}
	shot := time.AfterFunc(20*time.Millisecond+rand.N(180*time.Millisecond), s.kill)
	defer shot.Stop()
	wg.Wait() // each ends with its lost answer, or with an error
	<-s.ended
	if t.Failed() {
		t.FailNow()
	}
}

func TestNothingAcknowledgedIsLostToKill9(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		database := storetest.SQLite(t)
		var held ledger
		var replays tally
		var starts []time.Duration
		all, admin := writers(), newClient("admin")
		s := start(t, database)
		for i := range 2 {
			admin.createPool(t, s.url, poolName(i), fmt.Sprintf("10.%d.0.0/16", i))
		}
		for kill := 1; kill <= killsOfSQLite; kill++ {
			underFire(t, all, s, &held)
			s = start(t, database)
			starts = append(starts, s.started)
			for _, w := range all {
				w.clearUp(t, s.url, &held, &replays)
			}
			if kill%checkEvery == 0 {
				admin.http.CloseIdleConnections()
				held.compare(t, admin.list(t, s.url))
				verify(t, database)
			}
		}
		slices.Sort(starts)
		t.Logf("%d kills; %d answers lost: %d requests were carried out, %d were not; ready again after %s (median) to %s (slowest)", killsOfSQLite,
			replays.done+replays.undone, replays.done, replays.undone, starts[len(starts)/2].Round(time.Millisecond), starts[len(starts)-1].Round(time.Millisecond))
	})
	t.Run("one of three servers on PostgreSQL", func(t *testing.T) {
		database := storetest.Postgres(t)
		var held ledger
		var replays tally
		all, admin := writers(), newClient("admin")
		servers := []*server{start(t, database), start(t, database), start(t, database)}
		for i := range 2 {
			admin.createPool(t, servers[0].url, poolName(i), fmt.Sprintf("10.%d.0.0/16", i))
		}
		for kill := range killsOfPostgres {
			victim := kill % len(servers)
			failover(t, all, servers, victim, &held, &replays)
			servers[victim] = start(t, database)
		}
		for _, s := range servers {
			admin.http.CloseIdleConnections()
			held.compare(t, admin.list(t, s.url))
		}
		verify(t, database)
		t.Logf("%d kills; %d answers lost: %d requests were carried out, %d were not", killsOfPostgres, replays.done+replays.undone, replays.done, replays.undone)
	})
}

// failover kills one server while all write. Those who talked to it turn to the next one at once, with the same key: their
// first request may still be running in the database.
func failover(t *testing.T, all []*writer, servers []*server, victim int, held *ledger, replays *tally) {
	t.Helper()
	var hit []*writer
	for i, w := range all {
		if i%len(servers) == victim {
			hit = append(hit, w)
		}
	}
	stop := make(chan struct{})
	var others sync.WaitGroup
	for i, w := range all {
		if i%len(servers) == victim {
			continue
		}
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := w.one(servers[i%len(servers)].url, held); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	underFire(t, hit, servers[victim], held)
	next := servers[(victim+1)%len(servers)]
	for _, w := range hit {
		w.clearUp(t, next.url, held, replays)
	}
	close(stop)
	others.Wait()
	for _, w := range all {
		if w.open != nil {
			t.Fatalf("a running server left %s %s without an answer", w.open.method, w.open.path)
		}
	}
}
