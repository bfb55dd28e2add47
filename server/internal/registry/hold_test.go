package registry_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// planner is a lab whose clock can be moved.
type planner struct {
	lab
	now *time.Time
}

func eachPlanner(t *testing.T, body func(t *testing.T, r planner)) {
	t.Helper()
	for name, url := range storetest.Engines(t) {
		t.Run(name, func(t *testing.T) {
			at, now := url(t), clock
			db := storetest.Open(t, at)
			r := planner{lab: setUp(t, labOn(db, at, func() time.Time { return now })), now: &now}
			t.Cleanup(func() { r.wantSound(t) })
			body(t, r)
		})
	}
}

func (r planner) wait(d time.Duration) { *r.now = r.now.Add(d) }

func (r planner) tryHold(by ipam.Caller, pool, name, want string, tweaks ...func(*ipam.NewHold)) (ipam.Hold, error) {
	in := ipam.NewHold{Pool: pool, Name: name}
	in.CIDR, in.Length = wanted(want)
	for _, change := range tweaks {
		change(&in)
	}
	return r.Promise(context.Background(), by, in)
}

func (r planner) hold(t tb, pool ipam.Pool, name, want string, tweaks ...func(*ipam.NewHold)) ipam.Hold {
	t.Helper()
	h, err := r.tryHold(alice, pool.ID, name, want, tweaks...)
	if err != nil {
		t.Fatalf("hold %s %s in %s: %v", name, want, pool.ID, err)
	}
	return h
}

func applying(is bool) func(*ipam.NewHold) {
	return func(in *ipam.NewHold) { in.Plan.Applying = &is }
}

func TestHold(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("asking again renews it and gives the same block", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			first := r.hold(t, pool, "a", "/28")
			r.hold(t, pool, "b", "/28")
			r.wait(time.Hour)
			again := r.hold(t, pool, "a", "/28")
			if again.CIDR != first.CIDR || again.ID != first.ID || !again.ExpiresAt.After(first.ExpiresAt) {
				t.Errorf("first %+v, again %+v", first, again)
			}
		})
		t.Run("creating what was planned gets the promised block, whatever was placed in between", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28")
			r.take(t, pool, "other", "/28")
			a := r.take(t, pool, "a", "/28")
			wantCIDR(t, "a", a.CIDR, h.CIDR.String())
			if _, err := r.Hold(t.Context(), h.ID); ipam.CodeOf(err) != ipam.CodeNotFound {
				t.Errorf("the hold is still there: %v", err)
			}
		})
		t.Run("creating it with the planned CIDR converts the hold", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28")
			wantCIDR(t, "a", r.take(t, pool, "a", h.CIDR.String()).CIDR, h.CIDR.String())
		})
		t.Run("creating it elsewhere gives the promised block back", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.hold(t, pool, "a", "/25")
			r.take(t, pool, "a", "10.0.0.128/25")
			wantCIDR(t, "b", r.take(t, pool, "b", "/25").CIDR, "10.0.0.0/25")
		})
		t.Run("it is taken space for everyone else", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.hold(t, pool, "a", "/25")
			_, err := r.try(pool, "b", "10.0.0.0/28")
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "a")
			wantCIDR(t, "b", r.take(t, pool, "b", "/28").CIDR, "10.0.0.128/28")
		})
		t.Run("a named holder may plan with one token and apply with another, a nameless one may not", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			as := func(holder string) func(*ipam.NewHold) {
				return func(in *ipam.NewHold) { in.Plan.Holder = holder }
			}
			h := r.hold(t, pool, "a", "/28", as("network/prod"))
			for _, holder := range []string{"", "network/dev"} {
				_, err := r.tryHold(bob, pool.ID, "a", "/28", as(holder), applying(true))
				wantCode(t, err, ipam.CodeHoldConflict)
			}
			again, err := r.tryHold(bob, pool.ID, "a", "/28", as("network/prod"), applying(true))
			if err != nil || again.CIDR != h.CIDR {
				t.Fatalf("the apply was promised %s, %v; the plan %s", again.CIDR, err, h.CIDR)
			}
			a, err := r.Allocate(t.Context(), bob, ipam.NewAllocation{Pool: pool.ID, Name: "a", BlockSize: ipam.BlockSize{CIDR: h.CIDR}})
			if err != nil || a.CIDR != h.CIDR {
				t.Errorf("allocated %s, %v", a.CIDR, err)
			}
		})
		t.Run("a name that lives already is refused", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "a", "/28")
			_, err := r.tryHold(alice, pool.ID, "a", "/28")
			wantCode(t, err, ipam.CodeNameTaken)
			h := r.hold(t, pool, "a", "/27", func(in *ipam.NewHold) { in.Replaces = a.ID })
			if again := r.hold(t, pool, "a", "/27", applying(true)); again.CIDR != h.CIDR {
				t.Errorf("the apply, which cannot say what it replaces, got %s instead of %s", again.CIDR, h.CIDR)
			}
			_, err = r.try(pool, "a", "/27")
			wantCode(t, err, ipam.CodeNameTaken) // whoever does not name the promised block was not promised it
			next := r.take(t, pool, "a", h.CIDR.String())
			wantCIDR(t, "the successor", next.CIDR, h.CIDR.String())
			r.release(t, a)
			if got, err := r.Allocation(t.Context(), next.ID); err != nil || got.Name != "a" {
				t.Errorf("the successor is %+v, %v", got, err)
			}
		})
		t.Run("another plan's name is refused while it is promised", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28")
			_, err := r.tryHold(bob, pool.ID, "a", "/28")
			wantCode(t, err, ipam.CodeHoldConflict)
			r.wait(25 * time.Hour)
			taken, err := r.tryHold(bob, pool.ID, "a", "/28")
			if err != nil || taken.CIDR != h.CIDR || taken.Actor != bob.String() {
				t.Errorf("after it expired: %+v, %v", taken, err)
			}
		})
		t.Run("anyone may release it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/24")
			if err := r.ReleaseHold(t.Context(), bob, h.ID); err != nil {
				t.Fatal(err)
			}
			r.take(t, pool, "b", "/24")
			_, err := r.tryHold(alice, pool.ID, "a", "/24", applying(true))
			wantCode(t, err, ipam.CodeHoldLost)
		})
		t.Run("a changed plan does not stand in its own way", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.hold(t, pool, "a", "/25")
			wantCIDR(t, "a", r.hold(t, pool, "a", "10.0.0.0/26").CIDR, "10.0.0.0/26")
		})
		t.Run("it does not keep a pool from being deleted", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.hold(t, pool, "a", "/28")
			r.drop(t, pool)
		})
		t.Run("its memory ends after ninety days", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28")
			r.wait(ipam.HoldTTL + ipam.HoldMemory - time.Minute)
			if _, err := r.ForgetPlans(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Hold(t.Context(), h.ID); err != nil {
				t.Fatal("forgotten early:", err)
			}
			r.wait(2 * time.Minute)
			if _, err := r.ForgetPlans(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Hold(t.Context(), h.ID); ipam.CodeOf(err) != ipam.CodeNotFound {
				t.Fatal("still there:", err)
			}
		})
	})
}

func TestHoldExpiresSoftly(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("its space is used last, the oldest first", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/26")
			old := r.hold(t, pool, "old", "/28")
			r.wait(time.Minute)
			young := r.hold(t, pool, "young", "/28")
			r.wait(25 * time.Hour)
			r.take(t, pool, "a", "/28")
			r.take(t, pool, "b", "/28")
			wantCIDR(t, "c", r.take(t, pool, "c", "/28").CIDR, old.CIDR.String())
			wantCIDR(t, "d", r.take(t, pool, "d", "/28").CIDR, young.CIDR.String())
			_, err := r.try(pool, "e", "/28")
			wantCode(t, err, ipam.CodePoolExhausted)
		})
		t.Run("a promise that still stands is never used", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/28")
			r.hold(t, pool, "a", "/28")
			_, err := r.try(pool, "b", "/28")
			wantCode(t, err, ipam.CodePoolExhausted)
		})
		t.Run("an apply that comes late still gets its block while it is there", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28")
			r.wait(48 * time.Hour)
			r.take(t, pool, "b", "/28")
			if again := r.hold(t, pool, "a", "/28", applying(true)); again.CIDR != h.CIDR {
				t.Errorf("moved from %s to %s", h.CIDR, again.CIDR)
			}
		})
		t.Run("a person may name the space of one that expired", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28")
			r.wait(25 * time.Hour)
			r.take(t, pool, "b", h.CIDR.String())
		})
	})
}

func TestLostHold(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		lose := func(t *testing.T) (ipam.Pool, ipam.Hold, ipam.Allocation) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "app", "/28")
			r.wait(25 * time.Hour)
			return pool, h, r.take(t, pool, "thief", h.CIDR.String())
		}
		t.Run("an apply is told, every time, and by whom", func(t *testing.T) {
			pool, h, _ := lose(t)
			for range 2 {
				_, err := r.tryHold(alice, pool.ID, "app", "/28", applying(true))
				e := wantCode(t, err, ipam.CodeHoldLost)
				wantHolders(t, e, "thief")
				if !strings.Contains(e.Detail, h.CIDR.String()) || !strings.Contains(e.Detail, "plan again") {
					t.Errorf("detail = %q", e.Detail)
				}
			}
			_, err := r.try(pool, "app", h.CIDR.String())
			wantCode(t, err, ipam.CodeHoldLost)
		})
		t.Run("it can be told from those that are kept", func(t *testing.T) {
			pool, h, _ := lose(t)
			r.hold(t, pool, "other", "/28")
			for kept, want := range map[bool]string{true: "other", false: h.Name} {
				holds, err := r.Holds(t.Context(), ipam.HoldFilter{Pool: pool.ID, Kept: &kept}, ipam.Page{Limit: 10})
				if err != nil || len(holds) != 1 || holds[0].Name != want {
					t.Errorf("kept %v: %+v, %v", kept, holds, err)
				}
			}
		})
		t.Run("a plan gets a fresh block", func(t *testing.T) {
			pool, h, _ := lose(t)
			if again := r.hold(t, pool, "app", "/28", applying(false)); again.CIDR == h.CIDR {
				t.Errorf("got the taken %s", again.CIDR)
			}
		})
		t.Run("who cannot tell is told once", func(t *testing.T) {
			pool, _, _ := lose(t)
			_, err := r.tryHold(alice, pool.ID, "app", "/28")
			wantCode(t, err, ipam.CodeHoldLost)
			r.hold(t, pool, "app", "/28")
		})
		t.Run("where an apply was told, who cannot tell plans afresh", func(t *testing.T) {
			pool, h, _ := lose(t)
			for range 2 {
				_, err := r.tryHold(alice, pool.ID, "app", "/28", applying(true))
				wantCode(t, err, ipam.CodeHoldLost)
			}
			fresh := r.hold(t, pool, "app", "/28")
			if fresh.CIDR == h.CIDR {
				t.Errorf("got the taken %s", h.CIDR)
			}
			if again := r.hold(t, pool, "app", "/28", applying(true)); again.CIDR != fresh.CIDR {
				t.Errorf("planned %s, applied %s", fresh.CIDR, again.CIDR)
			}
		})
		t.Run("what an apply was told is no answer to the next loss", func(t *testing.T) {
			pool, h, thief := lose(t)
			_, err := r.tryHold(alice, pool.ID, "app", "/28", applying(true))
			wantCode(t, err, ipam.CodeHoldLost)
			r.release(t, thief)
			if again := r.hold(t, pool, "app", "/28"); again.CIDR != h.CIDR {
				t.Errorf("moved from %s to %s", h.CIDR, again.CIDR)
			}
			r.wait(25 * time.Hour)
			r.take(t, pool, "thief", h.CIDR.String())
			_, err = r.tryHold(alice, pool.ID, "app", "/28")
			wantCode(t, err, ipam.CodeHoldLost)
		})
		t.Run("once its block is free again it is as before", func(t *testing.T) {
			pool, h, thief := lose(t)
			r.release(t, thief)
			if again := r.hold(t, pool, "app", "/28", applying(true)); again.CIDR != h.CIDR {
				t.Errorf("moved from %s to %s", h.CIDR, again.CIDR)
			}
			wantCIDR(t, "app", r.take(t, pool, "app", h.CIDR.String()).CIDR, h.CIDR.String())
		})
	})
}

func TestConcurrentPlansNeverGetTheSameBlock(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/16")
		var mu sync.Mutex
		got := map[string]string{}
		var wg sync.WaitGroup
		for plan := range 8 {
			who := r.caller(t, fmt.Sprint("w", plan))
			wg.Go(func() {
				for i := range 25 {
					name := fmt.Sprintf("w%d-%d", plan, i)
					h, err := r.tryHold(who, pool.ID, name, "/26")
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if other, taken := got[h.CIDR.String()]; taken {
						t.Errorf("%s and %s were both promised %s", name, other, h.CIDR)
					}
					got[h.CIDR.String()] = name
					mu.Unlock()
				}
			})
		}
		wg.Wait()
	})
}
