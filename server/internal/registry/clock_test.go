package registry_test

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/account"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/govern"
	"github.com/cloudpam/cloudpam/server/internal/insight"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/quarantine"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/scope"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// timed are servers on one database whose clocks a test sets: the servers' own, and that of the database.
type timed struct {
	t      *testing.T
	url    string
	engine string
}

// eachTimed runs a test on both engines. On PostgreSQL a function of ours stands before the clock's.
func eachTimed(t *testing.T, body func(t *testing.T, world timed)) {
	t.Helper()
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			at := url(t)
			w := timed{t: t, url: at, engine: engine}
			if engine == "postgres" {
				lab{url: at}.raw(t, "CREATE TABLE clock_ahead (by_seconds BIGINT)", "INSERT INTO clock_ahead VALUES (0)",
					`CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
					'SELECT pg_catalog.clock_timestamp() + (SELECT by_seconds FROM public.clock_ahead) * interval ''1 second'''`)
				w.url += "&search_path=public,pg_catalog"
			}
			body(t, w)
		})
	}
}

// clockOf is the clock of a server.
type clockOf struct{ ahead atomic.Int64 }

func (c *clockOf) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clockOf) jump(by time.Duration) { c.ahead.Add(int64(by)) }

// server is one more on the database.
func (w timed) server(own *clockOf) (lab, *change.Kernel) {
	w.t.Helper()
	db := storetest.Open(w.t, w.url)
	k := change.New(db, own.now)
	if err := k.ReadClock(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	r := registry.New(k)
	return lab{r, access.New(k), account.New(k), scope.New(k, r.DropRootDrafts), audit.New(k), insight.New(k), quarantine.New(k), govern.New(k), db, w.url}, k
}

// jump sets the clock that counts: the database's, or that of its one server.
func (w timed) jump(own *clockOf, by time.Duration) {
	w.t.Helper()
	if w.engine == "postgres" {
		lab{url: w.url}.raw(w.t, fmt.Sprintf("UPDATE clock_ahead SET by_seconds = by_seconds + %d", int(by.Seconds())))
	} else {
		own.jump(by)
	}
}

// fill takes a pool of two blocks: one by a promise for a day, and one by a reservation for an hour.
func fill(t *testing.T, r lab) (ipam.Pool, ipam.Hold) {
	t.Helper()
	pool := r.root(t, "10.0.0.0/27")
	hold, err := r.Promise(t.Context(), alice, ipam.NewHold{Pool: pool.ID, Name: "promised", BlockSize: ipam.BlockSize{Length: ptr(28)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Reserve(t.Context(), alice, ipam.NewReservation{Pool: pool.ID, Length: ptr(28), Reason: "for an hour", ExpiresAt: ptr(time.Now().Add(time.Hour))})
	if err != nil {
		t.Fatal(err)
	}
	return pool, hold
}

// wantNothingGiven demands that neither is given away.
func wantNothingGiven(t *testing.T, what string, r lab, pool ipam.Pool) {
	t.Helper()
	_, err := r.Allocate(t.Context(), bob, ipam.NewAllocation{Pool: pool.ID, Name: "late", BlockSize: ipam.BlockSize{Length: ptr(28)}})
	if ipam.CodeOf(err) != ipam.CodePoolExhausted {
		t.Errorf("%s, somebody who asks for a block gets %v", what, err)
	}
	_, err = r.Promise(t.Context(), bob, ipam.NewHold{Pool: pool.ID, Name: "promised", BlockSize: ipam.BlockSize{Length: ptr(28)}})
	if ipam.CodeOf(err) != ipam.CodeHoldConflict {
		t.Errorf("%s, somebody who asks for the promised name gets %v", what, err)
	}
	if n, err := r.EndReservations(t.Context()); n != 0 || err != nil {
		t.Errorf("%s, a sweep ends %d reservations, %v", what, n, err)
	}
	if n, err := r.ForgetPlans(t.Context()); n != 0 || err != nil {
		t.Errorf("%s, a sweep forgets %d plans, %v", what, n, err)
	}
}

func TestAClockThatIsWrongGivesNoPromiseAway(t *testing.T) {
	eachTimed(t, func(t *testing.T, w timed) {
		var own clockOf
		r, k := w.server(&own)
		setUp(t, r)
		pool, hold := fill(t, r)
		own.jump(25 * time.Hour)
		wantNothingGiven(t, "on a server whose clock is 25 h ahead", r, pool)
		if w.engine == "postgres" {
			w.jump(&own, 25*time.Hour)
			wantNothingGiven(t, "on a database whose clock has jumped 25 h ahead", r, pool)
			if err := k.ReadClock(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if doubted := k.Clock().Doubted; doubted < 24*time.Hour {
			t.Errorf("the clock is doubted by %s", doubted)
		}
		w.jump(&own, -25*time.Hour)
		a, err := r.Allocate(t.Context(), alice, ipam.NewAllocation{Pool: pool.ID, Name: "promised", BlockSize: ipam.BlockSize{Length: ptr(28)}})
		if err != nil || a.CIDR != hold.CIDR {
			t.Errorf("%s was promised, and given %s, %v", hold.CIDR, a.CIDR, err)
		}
		r.wantSound(t)
	})
}

func TestAReplicaWhoseClockIsAheadIsNotBelieved(t *testing.T) {
	eachTimed(t, func(t *testing.T, w timed) {
		if w.engine == "sqlite" {
			return // has one server
		}
		r, _ := w.server(&clockOf{})
		setUp(t, r)
		pool, _ := fill(t, r)
		var wrong clockOf
		wrong.jump(25 * time.Hour)
		replica, k := w.server(&wrong)
		wantNothingGiven(t, "on a replica whose clock is 25 h ahead", replica, pool)
		a := r.take(t, r.rootIn(t, ipam.DefaultScope, "other", "10.1.0.0/24"), "a", "/28")
		renamed, err := replica.UpdateAllocation(t.Context(), bob, a.ID, ipam.AnyVersion, ipam.AllocationPatch{Name: ptr("b")})
		if err != nil || renamed.UpdatedAt.Sub(a.UpdatedAt).Abs() > time.Hour {
			t.Errorf("it writes %s after %s, %v", renamed.UpdatedAt, a.UpdatedAt, err)
		}
		if c := k.Clock(); c.Differs < 24*time.Hour || c.Doubted != 0 {
			t.Errorf("it says %+v", c)
		}
	})
}

func TestATokenThatHasExpiredNeverWorksAgain(t *testing.T) {
	eachTimed(t, func(t *testing.T, w timed) {
		var own clockOf
		r, k := w.server(&own)
		setUp(t, r)
		_, secret, err := r.CreateToken(t.Context(), alice, ipam.NewToken{Name: "short", ExpiresAt: ptr(time.Now().Add(time.Hour)), Bindings: []ipam.NewBinding{{Role: ipam.Admin}}})
		if err != nil {
			t.Fatal(err)
		}
		want := func(what string, r lab, refused bool) {
			t.Helper()
			if _, err := r.Authenticate(t.Context(), netip.Addr{}, secret); (ipam.CodeOf(err) == ipam.CodeUnauthenticated) != refused {
				t.Errorf("%s: %v", what, err)
			}
		}
		want("before its end", r, false)
		w.jump(&own, 2*time.Hour)
		if err := k.ReadClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		want("after its end", r, true)
		r.scope(t) // an event of this time
		w.jump(&own, -2*time.Hour)
		if err := k.ReadClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		want("when the clock has gone back", r, true)
		if w.engine == "sqlite" {
			if err := r.db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		again, _ := w.server(&own)
		want("after a restart", again, true)
	})
}

func TestEventsOfAChainNeverRunBackInTime(t *testing.T) {
	eachTimed(t, func(t *testing.T, w timed) {
		var own clockOf
		r, k := w.server(&own)
		setUp(t, r)
		pool := r.root(t, "10.0.0.0/24")
		other := r // of two servers, as a rule
		if w.engine == "postgres" {
			other, _ = w.server(&own)
		}
		for i, by := range []time.Duration{10 * time.Minute, -20 * time.Minute, 5 * time.Minute, -time.Minute} {
			r.take(t, pool, fmt.Sprint("a", i), "/28")
			w.jump(&own, by)
			other.take(t, pool, fmt.Sprint("b", i), "/28")
		}
		events, err := r.Feed(t.Context(), ipam.ChainOf(pool.UID), 0, 100)
		if err != nil || len(events) < 8 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		for i, e := range events[1:] {
			if e.At.Before(events[i].At) {
				t.Errorf("event %d is of %s, and the one before it of %s", e.Seq, e.At, events[i].At)
			}
		}
		if err := k.KeepClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		if k.Clock().Behind < 3*time.Minute {
			t.Errorf("it says %+v", k.Clock())
		}
		r.wantSound(t)
	})
}
