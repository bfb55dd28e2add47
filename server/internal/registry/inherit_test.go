package registry_test

import (
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func replacing(id string) func(*ipam.NewHold) {
	return func(in *ipam.NewHold) { in.Replaces = id }
}

// A replacement keeps the CIDR of what it replaces, in a full pool too, whichever of the two Terraform makes first.
func TestASuccessorInheritsTheBlock(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("destroyed first", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.take(t, pool, "app", "/24")
			h := r.hold(t, pool, "app", "/24", replacing(old.ID))
			wantCIDR(t, "planned", h.CIDR, "10.0.0.0/24")
			r.hold(t, pool, "app", "/24") // the planning call of the apply does not say what it replaces
			r.release(t, old)
			wantCode(t, second(r.try(pool, "thief", "/26")), ipam.CodePoolExhausted)
			a, err := r.try(pool, "app", "10.0.0.0/24")
			if err != nil || a.ID == old.ID {
				t.Errorf("%+v, %v", a, err)
			}
		})
		t.Run("created first", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.take(t, pool, "app", "/24")
			r.hold(t, pool, "app", "/24", replacing(old.ID))
			a, err := r.try(pool, "app", "10.0.0.0/24")
			if err != nil {
				t.Fatal(err)
			}
			left, err := r.Allocation(t.Context(), old.ID)
			if err != nil || !left.Superseded || left.CIDR != a.CIDR {
				t.Errorf("what is left: %+v, %v", left, err)
			}
			wantCode(t, second(r.regrow(left, "10.0.0.0/25")), ipam.CodePreconditionFailed)
			r.release(t, left)
			if now := r.only(t, pool); now.ID != a.ID {
				t.Errorf("%+v", now)
			}
			r.release(t, a)
			r.take(t, pool, "next", "/24")
		})
		t.Run("with its set", func(t *testing.T) {
			for _, first := range []string{"destroyed", "created"} {
				pool := r.root(t, "10.0.0.0/24")
				old := r.set(t, pool, "s", "a /25", "b /25")
				ask := ipam.NewSetHolds{Pool: pool.ID, Name: "s", Replaces: old.ID, SetSizes: ofSizes("a /25", "b /25")}
				plan, err := r.PromiseSet(t.Context(), alice, ask)
				if err != nil || plan.Members[0].CIDR.String() != "10.0.0.0/25" || plan.Members[1].CIDR.String() != "10.0.0.128/25" {
					t.Fatalf("%+v, %v", plan, err)
				}
				if first == "destroyed" {
					r.releaseSet(t, old)
				}
				next := r.set(t, pool, "s", "a 10.0.0.0/25", "b 10.0.0.128/25")
				if first == "created" {
					now, err := r.AllocationSet(t.Context(), old.ID)
					if err != nil {
						t.Fatal(err)
					}
					r.releaseSet(t, now)
				}
				wantCIDR(t, "a", r.member(t, next, "a").CIDR, "10.0.0.0/25")
				r.releaseSet(t, next)
			}
		})
		t.Run("unless it is of another size", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.take(t, pool, "app", "/26")
			if h := r.hold(t, pool, "app", "/25", replacing(old.ID)); h.Inherits || h.CIDR.String() != "10.0.0.128/25" {
				t.Errorf("%+v", h)
			}
		})
		t.Run("and a plan that is thrown away leaves nothing", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.take(t, pool, "app", "/24")
			h := r.hold(t, pool, "app", "/24", replacing(old.ID))
			if err := r.ReleaseHold(t.Context(), alice, h.ID); err != nil {
				t.Fatal(err)
			}
			r.release(t, old)
			r.take(t, pool, "next", "/24")
		})
		t.Run("and goes when the allocation changes its size", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.take(t, pool, "app", "/25")
			h := r.hold(t, pool, "app", "/25", replacing(old.ID))
			if _, err := r.regrow(old, "10.0.0.0/26"); err != nil {
				t.Fatal(err)
			}
			wantCode(t, second(r.Hold(t.Context(), h.ID)), ipam.CodeNotFound)
		})
	})
}

// Renamed between plan and apply, what is replaced keeps its block: the apply is refused, and the next plan is right.
func TestAnAllocationThatWasRenamedSinceThePlanKeepsItsBlock(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24")
		old := r.take(t, pool, "app", "/25")
		r.hold(t, pool, "app", "/25", replacing(old.ID))
		name := "renamed"
		if _, err := r.UpdateAllocation(t.Context(), alice, old.ID, ipam.AnyVersion, ipam.AllocationPatch{Name: &name}); err != nil {
			t.Fatal(err)
		}
		wantCode(t, second(r.try(pool, "app", "10.0.0.0/25")), ipam.CodeCIDRTaken)
		wantCIDR(t, "in the next plan", r.hold(t, pool, "app", "/25").CIDR, "10.0.0.128/25")
	})
}
