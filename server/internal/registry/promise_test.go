package registry_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// of names the plan that asks.
func of(plan string) func(*ipam.NewHold) {
	return func(in *ipam.NewHold) { in.Plan.ID = plan }
}

// Whether a request says that it applies, that it plans, or nothing: a plan that names itself is never answered with
// another's block.
func eachPhase(t *testing.T, body func(t *testing.T, phase func(*ipam.NewHold))) {
	t.Helper()
	for name, phase := range map[string]func(*ipam.NewHold){"applying": applying(true), "planning": applying(false), "silent": func(*ipam.NewHold) {}} {
		t.Run(name, func(t *testing.T) { body(t, phase) })
	}
}

func TestAPlanIsNeverAnsweredWithAnothersBlock(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("an old plan is told of a newer one, each time", func(t *testing.T) {
			eachPhase(t, func(t *testing.T, phase func(*ipam.NewHold)) {
				pool := r.root(t, "10.0.0.0/24")
				first := r.hold(t, pool, "a", "/28", of("one"))
				r.wait(25 * time.Hour)
				r.take(t, pool, "thief", first.CIDR.String())
				second := r.hold(t, pool, "a", "/28", of("two"))
				if second.CIDR == first.CIDR {
					t.Fatalf("the second plan was promised the taken %s", second.CIDR)
				}
				for range 2 {
					_, err := r.tryHold(alice, pool.ID, "a", "/28", of("one"), phase)
					wantCode(t, err, ipam.CodeHoldLost)
				}
				if again := r.hold(t, pool, "a", "/28", of("two"), phase); again.CIDR != second.CIDR {
					t.Errorf("the second plan had %s and then %s", second.CIDR, again.CIDR)
				}
				r.wait(80 * 24 * time.Hour)
				if _, err := r.ForgetPlans(t.Context()); err != nil {
					t.Fatal(err)
				}
				_, err := r.tryHold(alice, pool.ID, "a", "/28", of("two"), phase)
				if err != nil {
					t.Error("within the memory:", err)
				}
			})
		})
		t.Run("a plan whose block was taken is told, each time", func(t *testing.T) {
			eachPhase(t, func(t *testing.T, phase func(*ipam.NewHold)) {
				pool := r.root(t, "10.0.0.0/24")
				h := r.hold(t, pool, "a", "/28", of("one"))
				r.wait(25 * time.Hour)
				thief := r.take(t, pool, "thief", h.CIDR.String())
				for range 2 {
					_, err := r.tryHold(alice, pool.ID, "a", "/28", of("one"), phase)
					wantHolders(t, wantCode(t, err, ipam.CodeHoldLost), "thief")
				}
				r.release(t, thief)
				if again := r.hold(t, pool, "a", "/28", of("one"), phase); again.CIDR != h.CIDR {
					t.Errorf("moved from %s to %s", h.CIDR, again.CIDR)
				}
			})
		})
		t.Run("a new plan gets a fresh block at once and is told nothing", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28", of("one"))
			r.wait(25 * time.Hour)
			r.take(t, pool, "thief", h.CIDR.String())
			if again := r.hold(t, pool, "a", "/28", of("two")); again.CIDR == h.CIDR {
				t.Errorf("got the taken %s", again.CIDR)
			}
		})
		t.Run("an apply of an unknown plan is told as one without a name", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28")
			r.wait(25 * time.Hour)
			r.take(t, pool, "thief", h.CIDR.String())
			_, err := r.tryHold(alice, pool.ID, "a", "/28", of("unknown"), applying(true))
			wantCode(t, err, ipam.CodeHoldLost)
		})
		t.Run("an applied and released plan does not come back elsewhere", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28", of("one"))
			r.release(t, r.take(t, pool, "a", "/28"))
			r.take(t, pool, "thief", h.CIDR.String())
			_, err := r.tryHold(alice, pool.ID, "a", "/28", of("one"))
			wantHolders(t, wantCode(t, err, ipam.CodeHoldLost), "thief")
			r.hold(t, pool, "a", "/28", of("two"))
		})
		t.Run("a size of its own is a promise of its own", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.hold(t, pool, "a", "/28", of("one"))
			r.hold(t, pool, "a", "/27", of("one"))
			r.hold(t, pool, "a", "10.0.0.128/28", of("one"))
		})
		t.Run("of many plans the newest are remembered", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28", of("plan 0"))
			for i := 1; i <= 70; i++ {
				r.wait(time.Second)
				r.hold(t, pool, "a", "/28", of(fmt.Sprint("plan ", i)))
			}
			r.wait(25 * time.Hour)
			r.take(t, pool, "thief", h.CIDR.String())
			_, err := r.tryHold(alice, pool.ID, "a", "/28", of("plan 7"))
			wantCode(t, err, ipam.CodeHoldLost)
			r.hold(t, pool, "a", "/28", of("plan 6")) // taken for a new one
		})
		t.Run("the memory ends after ninety days", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h := r.hold(t, pool, "a", "/28", of("one"))
			r.wait(25 * time.Hour)
			r.take(t, pool, "thief", h.CIDR.String())
			r.wait(91 * 24 * time.Hour)
			if _, err := r.ForgetPlans(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.hold(t, pool, "a", "/28", of("one"))
		})
	})
}

func TestADraftIsPromisedToItsPlan(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		yes := true
		t.Run("an old plan is told of a newer one, each time", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			draft := func(plan string) (ipam.Pool, error) {
				return r.tryDraft(alice, root, "env", "/16", ipam.Plan{ID: plan})
			}
			first, err := draft("one")
			if err != nil {
				t.Fatal(err)
			}
			if err := r.ReleaseDraft(t.Context(), alice, first.ID); err != nil {
				t.Fatal(err)
			}
			r.take(t, root, "thief", first.CIDR.String())
			_, err = draft("one")
			wantHolders(t, wantCode(t, err, ipam.CodeHoldLost), "thief")
			second, err := draft("two")
			if err != nil || second.CIDR == first.CIDR {
				t.Fatalf("the second plan was promised %s, %v", second.CIDR, err)
			}
			for range 2 {
				_, err = draft("one")
				wantCode(t, err, ipam.CodeHoldLost)
			}
			if again, err := draft("two"); err != nil || again.CIDR != second.CIDR {
				t.Errorf("the second plan had %s and then %s, %v", second.CIDR, again.CIDR, err)
			}
		})
		t.Run("dropped, it comes back where it was while that is free", func(t *testing.T) {
			for _, plan := range []ipam.Plan{{ID: "one"}, {Applying: &yes}} {
				root := r.root(t, "10.0.0.0/8")
				r.draft(t, root, "before", "/16")
				first, err := r.tryDraft(alice, root, "env", "/16", ipam.Plan{ID: plan.ID})
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range []string{"before", "env"} {
					if err := r.ReleaseDraft(t.Context(), alice, ipam.PoolID(root.Scope, name)); err != nil {
						t.Fatal(err)
					}
				}
				again, err := r.tryDraft(alice, root, "env", "/16", plan)
				if err != nil || again.CIDR != first.CIDR {
					t.Errorf("it was %s and is %s, %v", first.CIDR, again.CIDR, err)
				}
			}
		})
		t.Run("what was held in a dropped draft is told to an apply when it is taken", func(t *testing.T) {
			for _, plan := range []string{"", "one"} {
				root := r.root(t, "10.0.0.0/8")
				env := r.draft(t, root, "env", "/24")
				h := r.hold(t, env, "s", "/26", of(plan))
				if err := r.ReleaseDraft(t.Context(), alice, env.ID); err != nil {
					t.Fatal(err)
				}
				env = r.draft(t, root, "env", "/24")
				r.hold(t, env, "thief", h.CIDR.String())
				_, err := r.tryHold(alice, env.ID, "s", "/26", of(plan), applying(true))
				wantHolders(t, wantCode(t, err, ipam.CodeHoldLost), "thief")
				r.hold(t, env, "s", "/26", of("two"), applying(false))
				if _, err := r.tryHold(alice, env.ID, "s", "/26", of("three"), applying(true)); err != nil {
					t.Error("after a newer plan:", err)
				}
			}
		})
	})
}
