package torture

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
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

// tight is as much as the writers together come to hold, so that a pool is full now and then.
var tight = netip.MustParsePrefix("10.0.0.0/18")

// writer is one client that survives the servers it talks to.
type writer struct {
	*client
	draw *rand.Rand
	mine []asset
	// open is the request that no answer came to. Nothing else is sent before it is cleared up.
	open *request
}

// write sends requests until an answer is lost. An answer that does not fit is an error.
func (w *writer) write(url string, held *ledger, all *tally) error {
	for {
		if err := w.one(url, held, all); err != nil || w.open != nil {
			return err
		}
	}
}

// one sends the next request.
func (w *writer) one(url string, held *ledger, all *tally) error {
	r, about := w.next(w.draw, w.mine, 2)
	if about >= 0 {
		w.mine = slices.Delete(w.mine, about, about+1)
	}
	if err := held.change(r.of.blocks, r.during); err != nil {
		return err
	}
	r.key = fmt.Sprintf("%s-%016x", w.label, w.draw.Uint64())
	return w.try(url, r, held, all)
}

// try sends one request, perhaps again, and keeps it open when no answer comes.
func (w *writer) try(url string, r request, held *ledger, all *tally) error {
	again := w.open != nil
	a, err := w.send(url, r)
	if err != nil {
		w.http.CloseIdleConnections()
		w.open = &r
		return nil
	}
	after, refused, err := r.after(a)
	if err != nil {
		return fmt.Errorf("%s (sent again: %t): %w", r.what, again, err)
	}
	w.open = nil
	all.count(r, refused)
	if again {
		all.settle(a.replayed)
	}
	if err := held.change(r.during, after.blocks); err != nil {
		return fmt.Errorf("%s (sent again: %t): %w", r.what, again, err)
	}
	if len(after.blocks) > 0 {
		w.mine = append(w.mine, after)
	}
	return nil
}

// clearUp sends the open request again with its key, which must succeed whatever became of the first one, and must have
// had one effect.
func (w *writer) clearUp(t *testing.T, server string, held *ledger, all *tally) {
	t.Helper()
	if w.open == nil {
		return
	}
	r, had := *w.open, len(w.mine)
	if err := w.try(server, r, held, all); err != nil {
		t.Fatal(err)
	}
	if w.open != nil {
		t.Fatalf("no answer to %s %s, sent again to a running server", r.method, r.path)
	}
	for _, kind := range []string{allocations, sets} {
		if r.makes != kind && r.of.kind != kind {
			continue
		}
		want := len(w.mine) - had
		if r.makes != kind { // it became something else, or nothing
			want = 0
		}
		if there := w.list(t, server, kind, url.Values{"name": {r.of.name}}); len(there) != want {
			t.Fatalf("%s of %q, sent twice, left %d of %s", r.what, r.of.name, len(there), kind[1:])
		}
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
func underFire(t *testing.T, all []*writer, s *server, held *ledger, done *tally) {
	t.Helper()
	var wg sync.WaitGroup
	for _, w := range all {
		wg.Go(func() {
			if err := w.write(s.url, held, done); err != nil {
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
		var done tally
		var starts []time.Duration
		all, admin := writers(), newClient("admin")
		s := start(t, database)
		admin.createPools(t, s.url, tight, 2)
		for kill := 1; kill <= killsOfSQLite; kill++ {
			underFire(t, all, s, &held, &done)
			s = start(t, database)
			starts = append(starts, s.started)
			for _, w := range all {
				w.clearUp(t, s.url, &held, &done)
			}
			if kill%checkEvery == 0 {
				admin.http.CloseIdleConnections()
				held.compare(t, admin.everything(t, s.url))
				verify(t, database)
			}
		}
		done.report(t)
		slices.Sort(starts)
		t.Logf("%d kills; %d answers lost: %d requests were carried out, %d were not; ready again after %s (median) to %s (slowest)", killsOfSQLite,
			done.carriedOut+done.undone, done.carriedOut, done.undone, starts[len(starts)/2].Round(time.Millisecond), starts[len(starts)-1].Round(time.Millisecond))
	})
	t.Run("one of three servers on PostgreSQL", func(t *testing.T) {
		database := storetest.Postgres(t)
		var held ledger
		var done tally
		all, admin := writers(), newClient("admin")
		servers := []*server{start(t, database), start(t, database), start(t, database)}
		admin.createPools(t, servers[0].url, tight, 2)
		for kill := range killsOfPostgres {
			victim := kill % len(servers)
			failover(t, all, servers, victim, &held, &done)
			servers[victim] = start(t, database)
		}
		for _, s := range servers {
			admin.http.CloseIdleConnections()
			held.compare(t, admin.everything(t, s.url))
		}
		verify(t, database)
		t.Logf("%d kills; %d answers lost: %d requests were carried out, %d were not", killsOfPostgres, done.carriedOut+done.undone, done.carriedOut, done.undone)
	})
}

// failover kills one server while all write. Those who talked to it turn to the next one at once, with the same key: their
// first request may still be running in the database.
func failover(t *testing.T, all []*writer, servers []*server, victim int, held *ledger, done *tally) {
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
				if err := w.one(servers[i%len(servers)].url, held, done); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	underFire(t, hit, servers[victim], held, done)
	next := servers[(victim+1)%len(servers)]
	for _, w := range hit {
		w.clearUp(t, next.url, held, done)
	}
	close(stop)
	others.Wait()
	for _, w := range all {
		if w.open != nil {
			t.Fatalf("a running server left %s %s without an answer", w.open.method, w.open.path)
		}
	}
}
