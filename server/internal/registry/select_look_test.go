package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// crowd is pools of one label that each refuse a /26 for a reason of their own, but for those that expired things fill.
func (r planner) crowd(t *testing.T) (scope string, pools []ipam.Pool) {
	t.Helper()
	scope = r.scope(t)
	prd := labelled("tier", "prd")
	full := r.rootIn(t, scope, "a-full", "10.0.0.0/24", prd)
	r.take(t, full, "all", "/24")
	few := r.rootIn(t, scope, "b-few", "10.0.1.0/24", prd)
	for _, block := range []string{"10.0.1.0/27", "10.0.1.64/27", "10.0.1.128/26", "10.0.1.192/26"} {
		r.take(t, few, "x"+block[7:], block)
	}
	small := r.rootIn(t, scope, "c-small", "10.0.2.0/27", prd)
	strict := r.rootIn(t, scope, "d-strict", "10.0.3.0/24", prd, func(in *ipam.NewPool) { in.Sizes.Min = ptr(28) })
	stuck := r.rootIn(t, scope, "e-stuck", "10.0.4.0/26", prd)
	r.hold(t, stuck, "late", "/27")
	r.take(t, stuck, "one", "/32")
	r.rootIn(t, scope, "f-dev", "10.0.5.0/24", labelled("tier", "dev"))
	r.wait(25 * time.Hour)
	return scope, []ipam.Pool{full, few, small, strict, stuck}
}

func TestAPoolThatIsPassedOverSaysWhatItWouldSayItself(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		scope, pools := r.crowd(t)
		selector, ctx, size := selecting(scope), t.Context(), ipam.BlockSize{Length: ptr(26)}
		set := ofSizes("x /30", "y /26", "z /26")
		for what, ask := range map[string]func(pool string, selector *ipam.PoolSelector) error{
			"an allocation": func(pool string, selector *ipam.PoolSelector) error {
				_, err := r.Allocate(ctx, alice, ipam.NewAllocation{Pool: pool, Selector: selector, Name: "app", BlockSize: size})
				return err
			},
			"an allocation without a size": func(pool string, selector *ipam.PoolSelector) error {
				_, err := r.Allocate(ctx, alice, ipam.NewAllocation{Pool: pool, Selector: selector, Name: "app"})
				return err
			},
			"an allocation elsewhere": func(pool string, selector *ipam.PoolSelector) error {
				_, err := r.Allocate(ctx, alice, ipam.NewAllocation{Pool: pool, Selector: selector, Name: "app", BlockSize: ipam.BlockSize{CIDR: r.cidr("10.9.0.0/26")}})
				return err
			},
			"a hold": func(pool string, selector *ipam.PoolSelector) error {
				_, err := r.Promise(ctx, alice, ipam.NewHold{Pool: pool, Selector: selector, Name: "app", BlockSize: size})
				return err
			},
			"a set": func(pool string, selector *ipam.PoolSelector) error {
				_, err := r.AllocateSet(ctx, alice, ipam.NewAllocationSet{Pool: pool, Selector: selector, Name: "app", SetSizes: set})
				return err
			},
			"the hold of a set": func(pool string, selector *ipam.PoolSelector) error {
				_, err := r.PromiseSet(ctx, alice, ipam.NewSetHolds{Pool: pool, Selector: selector, Name: "app", SetSizes: set})
				return err
			},
		} {
			t.Run(what, func(t *testing.T) {
				var told []string
				for _, p := range pools {
					e, ok := errors.AsType[*ipam.Error](ask(p.ID, nil))
					if !ok {
						t.Fatalf("%s did not refuse", p.ID)
					}
					told = append(told, p.ID+": "+e.Detail)
				}
				e, ok := errors.AsType[*ipam.Error](ask("", selector))
				want := "no room in " + selector.String() + "; asked 5 pools: " + strings.Join(told, "; ")
				if !ok || e.Detail != want {
					t.Errorf("the selector said\n%v\nwant\n%s", e, want)
				}
			})
		}
	})
}

func TestAFullPoolOfASelectorIsNotEvenLocked(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		scope, pools := r.crowd(t)
		r.forbid(t, "UPDATE", "pools", "OLD.name = 'a-full'")
		if got := r.selectPool(t, scope, "app", "/28"); got != pools[1].ID {
			t.Errorf("the first that has room is %s, not %s", pools[1].ID, got)
		}
	})
}

func TestAFullPoolOfASelectorWithSomethingExpiredIsAsked(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		for kind := range standing {
			a, _, _ := r.three(t)
			if _, err := r.occupy(a, kind, "late", "/28", time.Hour); err != nil {
				t.Fatal(err)
			}
			r.wait(2 * time.Hour)
			if got := r.selectPool(t, a.Scope, "app", "/28"); got != a.ID {
				t.Errorf("kind %d: made in %s, though %s has something that expired", kind, got, a.ID)
			}
		}
	})
}

// A pool may know nothing of a name but what a plan was promised there once: that plan is told, not answered elsewhere.
func TestAPlanThatWasPromisedABlockInAFullPoolIsToldOfIt(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		a, b, _ := r.three(t)
		plan := func(in *ipam.NewHold) { in.Plan.ID = "plan-1" }
		h := r.selectHold(t, a.Scope, "app", "/29", plan)
		made := r.take(t, a, "app", "10.0.0.8/29") // elsewhere, so that the hold goes
		if _, err := r.UpdateAllocation(context.Background(), alice, made.ID, at(made, 1), ipam.AllocationPatch{Name: ptr("other")}); err != nil {
			t.Fatal(err)
		}
		r.take(t, a, "thief", h.CIDR.String())
		_, err := r.tryHold(alice, "", "app", "/29", plan, applying(true), func(in *ipam.NewHold) { in.Selector = selecting(a.Scope) })
		wantHolders(t, wantCode(t, err, ipam.CodeHoldLost), "thief")
		if fresh := r.selectHold(t, a.Scope, "web", "/29"); fresh.Pool != b.ID {
			t.Errorf("another name was promised in %s", fresh.Pool)
		}
	})
}
