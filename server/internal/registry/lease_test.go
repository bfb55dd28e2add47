package registry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// Of several servers on one database one does the periodic work, and another when that one is gone.
func TestALeaseHasOneHolder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := clock
		server := func() *change.Kernel { return change.New(db, time.Now).Pretend(func() time.Time { return now }) }
		one, two := server(), server()
		want := func(k *change.Kernel, work string, mine bool) {
			t.Helper()
			_, got, err := k.Lease(t.Context(), work, time.Hour)
			if err != nil || got != mine {
				t.Errorf("%s: %v, %v, want %v", work, got, err, mine)
			}
		}
		want(one, "sweep", true)
		want(two, "sweep", false)
		want(two, "other", true)
		now = now.Add(30 * time.Minute)
		want(one, "sweep", true) // its own, for another hour
		now = now.Add(59 * time.Minute)
		want(two, "sweep", false)
		now = now.Add(time.Minute)
		want(two, "sweep", true)
		want(one, "sweep", false)
	})
}

// Two servers sweep. The first is frozen for longer than its lease, and goes on when the second has the work.
func TestAServerThatWasFrozenPastItsLeaseWritesNothing(t *testing.T) {
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			at, now := url(t), clock
			db := storetest.Open(t, at)
			r := setUp(t, labOn(db, at, func() time.Time { return now }))
			server := func() (*registry.Registry, *change.Kernel) {
				k := change.New(db, time.Now).Pretend(func() time.Time { return now })
				return registry.New(k), k
			}
			pool := r.root(t, "10.0.0.0/24")
			for i := range 3 {
				until := clock.Add(time.Minute)
				if _, err := r.Reserve(t.Context(), alice, ipam.NewReservation{Pool: pool.ID, Length: ptr(28), Reason: fmt.Sprint("r", i), ExpiresAt: &until}); err != nil {
					t.Fatal(err)
				}
			}
			answered := alice
			answered.Retry = &ipam.Retry{Key: "k"}
			if _, err := r.Allocate(t.Context(), answered, ipam.NewAllocation{Pool: pool.ID, Name: "a", BlockSize: ipam.BlockSize{Length: ptr(28)}}); err != nil {
				t.Fatal(err)
			}
			a := r.take(t, pool, "forgotten", "/28")
			r.release(t, a)
			now = now.Add(200 * 24 * time.Hour)
			frozen, k := server()
			leased, mine, err := k.Lease(t.Context(), "sweep", time.Hour)
			if err != nil || !mine {
				t.Fatal(mine, err)
			}
			now = now.Add(2 * time.Hour)
			other, k2 := server()
			leased2, mine, err := k2.Lease(t.Context(), "sweep", time.Hour)
			if err != nil || !mine {
				t.Fatal(mine, err)
			}
			before := r.eventCount(t)
			for what, sweep := range map[string]func(context.Context) (int64, error){
				"end reservations": frozen.EndReservations, "forget plans": frozen.ForgetPlans, "forget answers": k.ForgetAnswers,
			} {
				if n, err := sweep(leased); n != 0 || !errors.Is(err, change.ErrLeaseLost) {
					t.Errorf("%s: it did %d, %v", what, n, err)
				}
			}
			if after := r.eventCount(t); after != before {
				t.Errorf("it wrote %d events", after-before)
			}
			if n, err := other.EndReservations(leased2); n != 3 || err != nil {
				t.Errorf("the other ends %d reservations, %v", n, err)
			}
			if n, err := k2.ForgetAnswers(leased2); n != 1 || err != nil {
				t.Errorf("the other forgets %d answers, %v", n, err)
			}
			if _, err := other.ForgetPlans(leased2); err != nil {
				t.Error(err)
			}
			r.wantSound(t)
		})
	}
}

// While a write of a sweep is under way nobody takes its lease: the next holder begins when it has ended.
func TestALeaseIsNotTakenInTheMiddleOfAWrite(t *testing.T) {
	at := storetest.Postgres(t) + "&idle_in_transaction_session_timeout=0"
	now := clock
	kernel := func() *change.Kernel {
		return change.New(storetest.Open(t, at), time.Now).Pretend(func() time.Time { return now })
	}
	k, other := kernel(), kernel()
	leased, mine, err := k.Lease(t.Context(), "sweep", time.Hour)
	if err != nil || !mine {
		t.Fatal(mine, err)
	}
	now = now.Add(2 * time.Hour)
	inside, taken := make(chan struct{}), make(chan error, 1)
	go func() {
		<-inside
		_, _, err := other.Lease(context.Background(), "sweep", time.Hour)
		taken <- err
	}()
	err = k.Work(leased, "memory", func(*store.Tx) error {
		close(inside)
		for storetest.Value(t, at, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == "0" {
			select {
			case err := <-taken:
				t.Errorf("it is taken in the middle of a write: %v", err)
				return nil
			default:
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := <-taken; err != nil && ipam.CodeOf(err) != ipam.CodeOverloaded {
		t.Error(err)
	}
}
