package torture

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
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

// tally counts what happened to the requests whose answer was lost.
type tally struct{ done, undone int }

// write sends requests until an answer is lost. An answer that does not fit is an error.
func (w *worker) write(url string, answered func()) error {
	for {
		if err := w.one(url); err != nil || w.open != nil {
			return err
		}
		answered()
	}
}

// underFire lets writers write to a server, kills it in the middle, and returns when all have lost an answer. Answers say
// when that is, so that a busy machine makes it no easier; the last moment is left to the clock.
func underFire(t *testing.T, all []*worker, s *server) {
	t.Helper()
	var wg sync.WaitGroup
	var answers atomic.Int64
	enough := int64(len(all) * (5 + rand.IntN(20)))
	for _, w := range all {
		wg.Go(func() {
			err := w.write(s.URL, func() {
				if answers.Add(1) == enough {
					time.AfterFunc(rand.N(5*time.Millisecond), s.Kill)
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait() // each ends with its lost answer, or with an error
	if t.Failed() {
		t.FailNow()
	}
	<-s.Ended
}

func TestNothingAcknowledgedIsLostToKill9(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		database := storetest.SQLite(t)
		var replays tally
		var starts []time.Duration
		s := start(t, database)
		shared := newWorld(t, s.URL, database, 2, 16)
		all := shared.workers(killClients, "writer")
		kills := share(killsOfSQLite) * *times
		for kill := 1; kill <= kills; kill++ {
			underFire(t, all, s)
			s = start(t, database)
			starts = append(starts, s.StartedIn)
			for _, w := range all {
				w.clearUp(t, s.URL, &replays)
			}
			if kill%checkEvery == 0 || kill == kills {
				if err := tidy(database); err != nil {
					t.Fatal(err)
				}
				shared.compare(t, all, s.URL)
				verify(t, database)
			}
		}
		shared.comparePast(t, s.URL)
		slices.Sort(starts)
		sum := report(t, all)
		t.Logf("%d requests answered, %d of them refused; %d kills; %d answers lost: %d requests were carried out, %d were not; ready again after %s (median) to %s (slowest)", sum.done+sum.refused, sum.refused, kills,
			replays.done+replays.undone, replays.done, replays.undone, starts[len(starts)/2].Round(time.Millisecond), starts[len(starts)-1].Round(time.Millisecond))
	})
	t.Run("one of three servers on PostgreSQL", func(t *testing.T) {
		database := unhurried(storetest.Postgres(t))
		var replays tally
		servers := []*server{start(t, database), start(t, database), start(t, database)}
		shared := newWorld(t, servers[0].URL, database, 2, 16)
		all := shared.workers(killClients, "writer")
		kills := share(killsOfPostgres) * *times
		for kill := range kills {
			victim := kill % len(servers)
			failover(t, all, servers, victim, &replays)
			servers[victim] = start(t, database)
		}
		for _, s := range servers {
			shared.compare(t, all, s.URL)
		}
		shared.comparePast(t, servers[0].URL)
		verify(t, database)
		answered := 0
		for _, w := range all {
			for _, n := range w.told {
				answered += n.done + n.refused
			}
		}
		t.Logf("%d requests answered; %d kills; %d answers lost: %d requests were carried out, %d were not", answered, kills, replays.done+replays.undone, replays.done, replays.undone)
	})
}

// failover kills one server while all write. Those who talked to it turn to the next one at once, with the same key: their
// first request may still be running in the database.
func failover(t *testing.T, all []*worker, servers []*server, victim int, replays *tally) {
	t.Helper()
	var hit []*worker
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
				if err := w.one(servers[i%len(servers)].URL); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	underFire(t, hit, servers[victim])
	next := servers[(victim+1)%len(servers)]
	for _, w := range hit {
		w.clearUp(t, next.URL, replays)
	}
	close(stop)
	others.Wait()
	for _, w := range all {
		if w.open != nil {
			t.Fatalf("a running server left %s %s without an answer", w.open.method, w.open.path)
		}
	}
}
