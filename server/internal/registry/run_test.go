package registry_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// inRun asks as one run of alice's workspace.
func inRun(run string) func(*ipam.NewHold) {
	return func(in *ipam.NewHold) { in.Plan.Holder, in.Plan.Run = "workspace", run }
}

func (r planner) planPool(run string, in ipam.NewPool) (ipam.Pool, error) {
	return r.DraftPool(context.Background(), alice, in, ipam.Plan{Holder: "workspace", Run: run})
}

func TestWhatAnEarlierRunWasPromisedGivesWay(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("to a size that was corrected in a pool that it fills", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.hold(t, pool, "app", "/25", inRun("1"))
			wantCIDR(t, "app", r.hold(t, pool, "app", "/24", inRun("2")).CIDR, "10.0.0.0/24")
		})
		t.Run("to names that were changed in a pool that they fill", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			for i := range 4 {
				r.hold(t, pool, fmt.Sprint("old-", i), "/18", inRun("1"))
			}
			seen := map[string]bool{}
			for i := range 4 {
				seen[r.hold(t, pool, fmt.Sprint("new-", i), "/18", inRun("2")).CIDR.String()] = true
			}
			if len(seen) != 4 {
				t.Errorf("four names have %v", seen)
			}
		})
		t.Run("only where nothing else fits", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.hold(t, pool, "old", "/26", inRun("1"))
			r.hold(t, pool, "new", "/26", inRun("2"))
			if h, err := r.Hold(t.Context(), old.ID); err != nil || !h.Kept {
				t.Errorf("the hold of the earlier run: %+v, %v", h, err)
			}
		})
		t.Run("to a CIDR that it has", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			sized := r.hold(t, pool, "sized", "/24", inRun("1"))
			fixed := r.hold(t, pool, "fixed", sized.CIDR.String(), inRun("2"))
			wantCIDR(t, "fixed", fixed.CIDR, sized.CIDR.String())
			moved := r.hold(t, pool, "sized", "/24", inRun("2"))
			wantCIDR(t, "sized", moved.CIDR, "10.0.1.0/24")
		})
		t.Run("to the growth of what exists", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "app", "/26")
			r.hold(t, pool, "thrown-away", "/26", inRun("1"))
			plan := ipam.Plan{Holder: "workspace", Run: "2"}
			would, err := r.PreviewAllocation(t.Context(), alice, a.ID, ipam.AllocationPatch{Length: new(25)}, plan)
			if err != nil || would.CIDR.String() != "10.0.0.0/25" {
				t.Errorf("preview: %v, %v", would.CIDR, err)
			}
			grows := func(in *ipam.NewHold) { in.Replaces = a.ID }
			r.hold(t, pool, ipam.GrowthHold(a.ID), "10.0.0.64/26", inRun("2"), grows)
		})
		t.Run("as a pool that another name is to have", func(t *testing.T) {
			in := ipam.NewPool{Name: "corp", Scope: r.scope(t), CIDR: r.cidr("10.0.0.0/8")}
			old, err := r.planPool("1", in)
			if err != nil {
				t.Fatal(err)
			}
			r.hold(t, old, "inside", "/24", inRun("1"))
			in.Name = "company"
			if _, err := r.planPool("2", in); err != nil {
				t.Errorf("the pool under its new name: %v", err)
			}
			if _, err := r.Holds(t.Context(), ipam.HoldFilter{Pool: string(old.UID)}, ipam.Page{Limit: 5}); err != nil {
				t.Error(err)
			}
		})
		t.Run("as a child pool in a parent that it fills", func(t *testing.T) {
			parent := r.root(t, "10.0.0.0/24")
			if _, err := r.planPool("1", ipam.NewPool{Scope: parent.Scope, Name: "a", Parent: parent.ID, Length: new(25)}); err != nil {
				t.Fatal(err)
			}
			r.hold(t, parent, "b", "/25", inRun("1"))
			got, err := r.planPool("2", ipam.NewPool{Scope: parent.Scope, Name: "c", Parent: parent.ID, Length: new(24)})
			if err != nil || got.CIDR.String() != "10.0.0.0/24" {
				t.Errorf("%v, %v", got.CIDR, err)
			}
		})
	})
}

func TestWhatARunWasPromisedNeverGivesWay(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		other := func(in *ipam.NewHold) { in.Plan.Holder, in.Plan.Run = "another workspace", "2" }
		for name, asks := range map[string][]func(*ipam.NewHold){
			"to another holder":             {other},
			"to one without a run":          {inRun("")},
			"to an apply":                   {inRun("2"), applying(true)},
			"to the same run":               {inRun("1")},
			"to another principal's holder": {func(in *ipam.NewHold) { in.Plan.Run = "2" }},
		} {
			t.Run(name, func(t *testing.T) {
				pool := r.root(t, "10.0.0.0/24")
				first := r.hold(t, pool, "app", "/24", inRun("1"))
				if _, err := r.tryHold(alice, pool.ID, "new", "/25", asks...); ipam.CodeOf(err) != ipam.CodePoolExhausted {
					t.Errorf("by size: %v", err)
				}
				if name != "to the same run" { // which is told to plan again
					if _, err := r.tryHold(alice, pool.ID, "new", "10.0.0.0/25", asks...); ipam.CodeOf(err) != ipam.CodeCIDRTaken {
						t.Errorf("by CIDR: %v", err)
					}
				}
				if h, err := r.Hold(t.Context(), first.ID); name != "to the same run" && (err != nil || !h.Kept) {
					t.Errorf("the hold: %+v, %v", h, err)
				}
			})
		}
		t.Run("renewed by the run that asks", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.hold(t, pool, "a", "/25", inRun("1"))
			b := r.hold(t, pool, "b", "/25", inRun("1"))
			r.hold(t, pool, "a", "/25", inRun("2"))
			c := r.hold(t, pool, "c", "/25", inRun("2"))
			wantCIDR(t, "c", c.CIDR, b.CIDR.String())
		})
		t.Run("in a draft that has something of the run that asks", func(t *testing.T) {
			parent := r.root(t, "10.0.0.0/24")
			draft, err := r.planPool("1", ipam.NewPool{Scope: parent.Scope, Name: "draft", Parent: parent.ID, Length: new(24)})
			if err != nil {
				t.Fatal(err)
			}
			r.hold(t, draft, "inside", "/26", inRun("2"))
			if _, err := r.tryHold(alice, parent.ID, "new", "/25", inRun("2")); ipam.CodeOf(err) != ipam.CodePoolExhausted {
				t.Errorf("%v", err)
			}
		})
	})
}

// An older plan that is applied after a newer one took its block is told, and the newer one is not.
func TestADisplacedPromiseIsLostToItsOwnPlanOnly(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24")
		old := r.hold(t, pool, "app", "/25", inRun("1"))
		r.hold(t, pool, "x", "/25", inRun("1"))
		r.hold(t, pool, "fixed", old.CIDR.String(), inRun("2"))
		if _, err := r.tryHold(alice, pool.ID, "app", "/25", inRun("old plan"), applying(true)); ipam.CodeOf(err) != ipam.CodeHoldLost {
			t.Errorf("the apply of the older plan: %v", err)
		}
		wantCIDR(t, "app in the newer plan", r.hold(t, pool, "app", "/25", inRun("2")).CIDR, "10.0.0.128/25")
		in := ipam.NewAllocation{Pool: pool.ID, Name: "x"}
		in.CIDR = r.cidr("10.0.0.128/25")
		if _, err := r.Allocate(t.Context(), alice, in); ipam.CodeOf(err) != ipam.CodeHoldLost {
			t.Errorf("the older plan's x: %v", err)
		}
	})
}

func TestACIDRThatTheSameRunHasBySizeIsKeptForItsNameAndThePlanMadeAgain(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/8")
		sized := r.hold(t, pool, "new", "/16", inRun("1"))
		e := wantCode(t, second(r.tryHold(alice, pool.ID, "old", sized.CIDR.String(), inRun("1"))), ipam.CodePlanAgain)
		if want := `10.0.0.0/16 was shown for allocation "new"`; !strings.HasPrefix(e.Detail, want) {
			t.Errorf("%s", e.Detail)
		}
		for _, run := range []string{"2", "3"} {
			wantCIDR(t, "new", r.hold(t, pool, "new", "/16", inRun(run)).CIDR, "10.1.0.0/16")
			wantCIDR(t, "old", r.hold(t, pool, "old", sized.CIDR.String(), inRun(run)).CIDR, "10.0.0.0/16")
		}
		t.Run("what names its CIDR stays", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/8")
			r.hold(t, pool, "one", "10.0.0.0/16", inRun("1"))
			wantCode(t, second(r.tryHold(alice, pool.ID, "two", "10.0.0.0/15", inRun("1"))), ipam.CodeCIDRTaken)
		})
		t.Run("a child pool moves too", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/8")
			child, err := r.planPool("1", ipam.NewPool{Scope: pool.Scope, Name: "child", Parent: pool.ID, Length: new(16)})
			if err != nil {
				t.Fatal(err)
			}
			wantCode(t, second(r.tryHold(alice, pool.ID, "fixed", child.CIDR.String(), inRun("1"))), ipam.CodePlanAgain)
			again, err := r.planPool("2", ipam.NewPool{Scope: pool.Scope, Name: "child", Parent: pool.ID, Length: new(16)})
			if err != nil || again.CIDR.String() != "10.1.0.0/16" {
				t.Errorf("%v, %v", again.CIDR, err)
			}
		})
		t.Run("a repeated request is told the same and moves nothing more", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/8")
			r.hold(t, pool, "new", "/16", inRun("1"))
			by := keyed("again", "10.0.0.0/16")
			wantCode(t, second(r.tryHold(by, pool.ID, "old", "10.0.0.0/16", inRun("1"))), ipam.CodePlanAgain)
			r.hold(t, pool, "new", "/16", inRun("1"))
			wantCode(t, second(r.tryHold(by, pool.ID, "old", "10.0.0.0/16", inRun("1"))), ipam.CodePlanAgain)
			wantCIDR(t, "new", r.hold(t, pool, "new", "/16", inRun("1")).CIDR, "10.1.0.0/16")
		})
	})
}

func second[T any](_ T, err error) error { return err }

func TestWhatIsOutdatedAndHasExpiredGivesWayOnce(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24")
		of := func(run string) func(*ipam.NewHold) {
			return func(in *ipam.NewHold) { in.Plan = ipam.Plan{Holder: "h", Run: run, TTL: time.Hour} }
		}
		r.take(t, pool, "stands", "10.0.0.0/25")
		r.hold(t, pool, "a", "10.0.0.128/26", of("1"))
		r.wait(2 * time.Hour)
		_, err := r.tryHold(alice, pool.ID, "b", "/24", of("2")) // more than both reasons together give
		wantCode(t, err, ipam.CodePoolExhausted)
		_, err = r.tryHold(alice, pool.ID, "b", "/24", of("2"), func(in *ipam.NewHold) { in.Exclude = []netip.Prefix{r.cidr("10.1.0.0/16")} })
		wantCode(t, err, ipam.CodePoolExhausted)
	})
}
