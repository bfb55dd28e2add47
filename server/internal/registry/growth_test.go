package registry_test

import (
	"context"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func (r planner) planResize(run string, p ipam.Pool, to string) (ipam.Pool, error) {
	_, length := wanted(to)
	return r.PlanPool(context.Background(), alice, p.ID, ipam.PoolPatch{Length: length}, ipam.Plan{Holder: "workspace", Run: run})
}

func TestWhatAPoolIsPlannedToGainIsKeptForIt(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		for _, kind := range []string{"child", "root"} {
			t.Run(kind, func(t *testing.T) {
				around := r.root(t, "10.0.0.0/16")
				scope := around.Scope
				pool := r.child(t, around, "grows", "10.0.0.0/24")
				if kind == "root" {
					scope = r.scope(t)
					pool = r.rootIn(t, scope, "grows", "10.0.0.0/24")
				}
				would, err := r.planResize("1", pool, "/22")
				if err != nil || would.CIDR.String() != "10.0.0.0/22" {
					t.Fatalf("%v, %v", would.CIDR, err)
				}
				for range 2 { // asking again renews it
					if _, err := r.planResize("2", pool, "/22"); err != nil {
						t.Fatal(err)
					}
				}
				other := ipam.NewPool{Scope: scope, Name: "thief", CIDR: r.cidr("10.0.2.0/24")}
				if kind == "child" {
					other.Parent = around.ID
				}
				plan := ipam.Plan{Holder: "another", Run: "1"}
				wantCode(t, second(r.DraftPool(t.Context(), bob, other, plan)), ipam.CodeCIDRTaken)
				wantCode(t, second(r.CreatePool(t.Context(), bob, other)), ipam.CodeCIDRTaken)
				grown, err := r.resize(pool, "10.0.0.0/22")
				if err != nil || grown.CIDR.String() != "10.0.0.0/22" {
					t.Fatalf("%v, %v", grown.CIDR, err)
				}
				wantCIDR(t, "in the new space", r.take(t, grown, "a", "/23").CIDR, "10.0.0.0/23")
				if left, err := r.Drafts(t.Context(), scope, ipam.Page{Limit: 5}); err != nil || len(left) > 0 {
					t.Errorf("drafts are left: %v, %v", left, err)
				}
			})
		}
		t.Run("until it expires and somebody needs it", func(t *testing.T) {
			around := r.root(t, "10.0.0.0/16")
			pool := r.child(t, around, "grows", "10.0.0.0/24")
			if _, err := r.planResize("1", pool, "/23"); err != nil {
				t.Fatal(err)
			}
			r.wait(25 * time.Hour)
			r.take(t, around, "later", "10.0.1.0/24")
			wantCode(t, second(r.planResize("2", pool, "/23")), ipam.CodeCIDRTaken)
		})
		t.Run("and goes with the pool", func(t *testing.T) {
			around := r.root(t, "10.0.0.0/16")
			pool := r.child(t, around, "grows", "10.0.0.0/24")
			if _, err := r.planResize("1", pool, "/23"); err != nil {
				t.Fatal(err)
			}
			r.drop(t, pool)
			r.take(t, around, "a", "10.0.0.0/23")
		})
		t.Run("and a thrown-away plan of the holder is not in its way", func(t *testing.T) {
			around := r.root(t, "10.0.0.0/16")
			pool := r.child(t, around, "grows", "10.0.0.0/24")
			r.hold(t, around, "thrown-away", "10.0.1.0/24", inRun("1"))
			if _, err := r.planResize("2", pool, "/23"); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestABlockInRoomToComeIsKnownInThePlan(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		around := r.root(t, "10.0.0.0/16")
		pool := r.child(t, around, "grows", "10.0.0.0/24")
		r.take(t, pool, "all", "/24")
		wantCode(t, second(r.tryHold(alice, pool.ID, "more", "/25", inRun("1"))), ipam.CodePoolExhausted)
		if _, err := r.planResize("1", pool, "/23"); err != nil {
			t.Fatal(err)
		}
		h := r.hold(t, pool, "more", "/25", inRun("1"))
		named := r.hold(t, pool, "named", "10.0.1.128/26", inRun("1"))
		if h.CIDR.String() != "10.0.1.0/25" || h.Pool != pool.ID || named.Pool != pool.ID {
			t.Errorf("%+v", h)
		}
		wantCode(t, second(r.tryHold(bob, pool.ID, "bobs", "/27")), ipam.CodePoolExhausted) // it is the holder's only
		wantCIDR(t, "while applying", r.hold(t, pool, "more", "/25", inRun("2"), applying(true)).CIDR, "10.0.1.0/25")
		if _, err := r.planResize("3", pool, "/23"); err != nil {
			t.Fatal(err)
		}
		wantCIDR(t, "again", r.hold(t, pool, "more", "/25", inRun("3")).CIDR, "10.0.1.0/25")
		in := ipam.NewAllocation{Pool: pool.ID, Name: "more"}
		in.CIDR = h.CIDR
		wantCode(t, second(r.Allocate(t.Context(), alice, in)), ipam.CodeOutsidePool)
		if _, err := r.resize(pool, "10.0.0.0/23"); err != nil {
			t.Fatal(err)
		}
		r.take(t, pool, "others", "/26") // does not get what is held
		a, err := r.Allocate(t.Context(), alice, in)
		if err != nil || a.CIDR != h.CIDR {
			t.Errorf("%+v, %v", a, err)
		}
		wantCIDR(t, "named", r.take(t, pool, "named", "/26").CIDR, named.CIDR.String())
	})
}

func TestWhatAPoolIsPlannedToGiveUpGoesToNobody(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		around := r.root(t, "10.0.0.0/16")
		pool := r.child(t, around, "shrinks", "10.0.0.0/22")
		if _, err := r.planResize("1", pool, "/24"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, second(r.try(pool, "new", "/23")), ipam.CodePoolExhausted)
		wantCIDR(t, "what stays", r.take(t, pool, "new", "/25").CIDR, "10.0.0.0/25")
		shrunk, err := r.resize(pool, "10.0.0.0/24")
		if err != nil || shrunk.CIDR.String() != "10.0.0.0/24" {
			t.Fatalf("%v, %v", shrunk.CIDR, err)
		}
		r.take(t, around, "freed", "10.0.2.0/23")
	})
}

func TestAPoolThatMovesLeavesNothingKeptWhereItWas(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		from := r.root(t, "10.0.0.0/16")
		to := r.rootIn(t, from.Scope, "to", "10.1.0.0/16")
		pool := r.child(t, from, "grows", "10.0.0.0/24")
		if _, err := r.planResize("1", pool, "/23"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.rehome(pool, to.ID, "/24"); err != nil {
			t.Fatal(err)
		}
		r.take(t, from, "next", "10.0.0.0/23")
	})
}

// The pool may stay as it is in the plan after that.
func TestRoomThatAThrownAwayPlanWasToGainIsNone(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		around := r.root(t, "10.0.0.0/23")
		pool := r.child(t, around, "grows", "10.0.0.0/24")
		r.take(t, pool, "all", "/24")
		if _, err := r.planResize("1", pool, "/23"); err != nil {
			t.Fatal(err)
		}
		r.hold(t, pool, "more", "/25", inRun("1"))
		for _, name := range []string{"more", "other"} {
			_, err := r.tryHold(alice, pool.ID, name, "/25", inRun("2"))
			wantCode(t, err, ipam.CodePoolExhausted)
		}
		if _, err := r.planResize("2", pool, "/23"); err != nil {
			t.Fatal(err)
		}
		wantCIDR(t, "more", r.hold(t, pool, "more", "/25", inRun("2")).CIDR, "10.0.1.0/25")
	})
}
