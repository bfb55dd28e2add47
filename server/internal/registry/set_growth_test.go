package registry_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func (r planner) wantNoHolds(t *testing.T, pool ipam.Pool) {
	t.Helper()
	holds, err := r.Holds(t.Context(), ipam.HoldFilter{Pool: pool.ID}, ipam.Page{Limit: 10})
	if err != nil || len(holds) != 0 {
		t.Errorf("holds left: %+v, %v", holds, err)
	}
}

func TestWhatAMemberIsPlannedToGainIsHeldForIt(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("against everybody else", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			s := r.set(t, pool, "net", "a 10.0.0.0/28", "b 10.0.0.128/28")
			p := r.planSet(t, ipam.NewSetHolds{Updates: s.ID}, "a 10.0.0.0/26", "b 10.0.0.128/28", "c /28")
			if got := plannedBlocks(p); got != "a=10.0.0.0/26 b=10.0.0.128/28 c=10.0.0.144/28*" {
				t.Errorf("planned %s", got)
			}
			_, err := r.try(pool, "thief", "10.0.0.16/28")
			wantCode(t, err, ipam.CodeCIDRTaken)
			for _, want := range []string{"10.0.0.160/28", "10.0.0.176/28", "10.0.0.64/28"} {
				wantCIDR(t, "another", r.take(t, pool, "n"+want, "/28").CIDR, want)
			}
			s = r.reshape(t, s, "a 10.0.0.0/26", "b 10.0.0.128/28", "c 10.0.0.144/28")
			wantBlocks(t, s, "a=10.0.0.0/26 b=10.0.0.128/28 c=10.0.0.144/28")
			r.wantNoHolds(t, pool)
		})
		t.Run("from plan to apply, as one block", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			s := r.set(t, pool, "net", "a 10.0.0.64/26")
			in := ipam.NewSetHolds{Updates: s.ID}
			r.planSet(t, in, "a 10.0.0.0/24")
			r.wait(time.Hour)
			in.Plan.Applying = new(true)
			r.planSet(t, in, "a 10.0.0.0/24")
			wantBlocks(t, r.reshape(t, s, "a 10.0.0.0/24"), "a=10.0.0.0/24")
			r.wantNoHolds(t, pool)
		})
		t.Run("and what is in the way is told while it is planned", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			s := r.set(t, pool, "net", "a 10.0.0.0/28")
			r.take(t, pool, "neighbour", "10.0.0.32/28")
			_, err := r.tryPlanSet(alice, ipam.NewSetHolds{Updates: s.ID}, "a 10.0.0.0/26")
			e := wantCode(t, err, ipam.CodeCIDRTaken)
			wantHolders(t, e, "neighbour")
			wantPointers(t, e, "/members/a/cidr")
			r.wantNoHolds(t, pool)
		})
		t.Run("and a size that the pool does not hand out is refused while it is planned", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16", func(in *ipam.NewPool) { in.Sizes.Min, in.Sizes.Max = ptr(24), ptr(28) })
			s := r.set(t, pool, "net", "a 10.0.0.0/24")
			for _, to := range []string{"10.0.0.0/23", "10.0.0.0/29"} {
				_, err := r.tryPlanSet(alice, ipam.NewSetHolds{Updates: s.ID}, "a "+to)
				wantPointers(t, wantCode(t, err, ipam.CodePolicyViolation), "/members/a/prefix_length")
				_, err = r.tryChange(s, ipam.AllocationSetPatch{SetSizes: ofSizes("a " + to)})
				wantPointers(t, wantCode(t, err, ipam.CodePolicyViolation), "/members/a/prefix_length")
			}
		})
		t.Run("in blocks that the pool no longer hands out too", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			s := r.set(t, pool, "net", "a 10.0.0.0/28", "b 10.0.0.128/28")
			r.take(t, pool, "neighbour", "10.0.0.144/28")
			if _, err := r.UpdatePool(t.Context(), alice, pool.ID, at(pool, 1), ipam.PoolPatch{Max: new(new(27))}); err != nil {
				t.Fatal(err)
			}
			_, err := r.tryPlanSet(alice, ipam.NewSetHolds{Updates: s.ID}, "a 10.0.0.0/28", "b 10.0.0.128/26")
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "neighbour")
			r.planSet(t, ipam.NewSetHolds{Updates: s.ID}, "a 10.0.0.0/26", "b 10.0.0.128/28")
			_, err = r.Reserve(t.Context(), alice, ipam.NewReservation{Pool: pool.ID, CIDR: netip.MustParsePrefix("10.0.0.16/28"), Reason: "thief"})
			wantCode(t, err, ipam.CodeCIDRTaken)
		})
		t.Run("and the successor that it was planned to have is given up", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/22")
			s := r.set(t, pool, "net", "a 10.0.0.0/24")
			in := ipam.NewSetHolds{Updates: s.ID}
			if got := plannedBlocks(r.planSet(t, in, "a /23")); got != "a=10.0.2.0/23*" {
				t.Fatalf("planned %s", got)
			}
			if got := plannedBlocks(r.planSet(t, in, "a 10.0.0.0/22")); got != "a=10.0.0.0/22" {
				t.Errorf("planned %s", got)
			}
		})
	})
}

func TestRoomToGrowThatWasLostIsToldToTheApply(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24")
		s := r.set(t, pool, "net", "a 10.0.0.0/28")
		in := ipam.NewSetHolds{Updates: s.ID}
		r.planSet(t, in, "a 10.0.0.0/27")
		r.wait(25 * time.Hour)
		thief := r.take(t, pool, "thief", "10.0.0.16/28")

		in.Plan.Applying = new(true)
		_, err := r.tryPlanSet(alice, in, "a 10.0.0.0/27")
		e := wantCode(t, err, ipam.CodeHoldLost)
		wantHolders(t, e, "thief")
		wantPointers(t, e, "/members/a/cidr")
		if want := "for the growth of allocation " + r.member(t, s, "a").ID + " in pool"; !strings.Contains(e.Detail, want) {
			t.Errorf("%q does not say %q", e.Detail, want)
		}

		in.Plan.Applying = new(false)
		_, err = r.tryPlanSet(alice, in, "a 10.0.0.0/27")
		wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "thief")

		r.release(t, thief)
		r.planSet(t, in, "a 10.0.0.0/27")
		wantBlocks(t, r.reshape(t, s, "a 10.0.0.0/27"), "a=10.0.0.0/27")
	})
}

func TestRoomToGrowIsOnePlansAtATime(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		s := r.set(t, r.root(t, "10.0.0.0/24"), "net", "a 10.0.0.0/28")
		in := ipam.NewSetHolds{Updates: s.ID}
		r.planSet(t, in, "a 10.0.0.0/27")
		_, err := r.tryPlanSet(bob, in, "a 10.0.0.0/27")
		e := wantCode(t, err, ipam.CodeHoldConflict)
		for _, says := range []string{"the growth of allocation " + r.member(t, s, "a").ID, alice.String(), "wait until then, or release the hold"} {
			if !strings.Contains(e.Detail, says) {
				t.Errorf("%q does not say %q", e.Detail, says)
			}
		}
	})
}

// A caller that cannot say whether it applies is told once, and its next plan is a fresh one.
func TestRoomToGrowThatWasLostIsToldOnce(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24")
		s := r.set(t, pool, "net", "a 10.0.0.0/28")
		in := ipam.NewSetHolds{Updates: s.ID}
		r.planSet(t, in, "a 10.0.0.0/26")
		r.wait(25 * time.Hour)
		r.take(t, pool, "thief", "10.0.0.32/28")
		for _, code := range []ipam.Code{ipam.CodeHoldLost, ipam.CodeCIDRTaken, ipam.CodeCIDRTaken} {
			_, err := r.tryPlanSet(alice, in, "a 10.0.0.0/26")
			wantHolders(t, wantCode(t, err, code), "thief")
		}
	})
}
