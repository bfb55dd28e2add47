package registry_test

import (
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// An apply that does not name its plan may be of the newest one or of an older one, which was shown something else. It is answered with
// what the newest was promised, and told.
func TestAnApplyLearnsWhatAnEarlierPlanWasShown(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		moved := func(t *testing.T) (pool ipam.Pool, first, second ipam.Hold) {
			pool = r.root(t, "10.0.0.0/24")
			first = r.hold(t, pool, "app", "/26", inRun("1"))
			r.hold(t, pool, "fixed", first.CIDR.String(), inRun("2"))
			second = r.hold(t, pool, "app", "/26", inRun("2"))
			if second.CIDR == first.CIDR || second.Before.IsValid() {
				t.Fatalf("the newer plan was promised %s after %s, before %s", second.CIDR, first.CIDR, second.Before)
			}
			return pool, first, second
		}
		t.Run("of a block that moved", func(t *testing.T) {
			pool, first, second := moved(t)
			h := r.hold(t, pool, "app", "/26", inRun("3"), applying(true))
			if h.CIDR != second.CIDR || h.Before != first.CIDR {
				t.Errorf("got %s, before %s; want %s, before %s", h.CIDR, h.Before, second.CIDR, first.CIDR)
			}
		})
		t.Run("of what its own run moved out of the way, whether that was asked for first or last", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/16")
			draft := func(run string, applies bool) ipam.Pool {
				p, err := r.tryDraft(alice, root, "env", "/26", ipam.Plan{Holder: "workspace", Run: run, Applying: &applies})
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			first, env := r.hold(t, root, "app", "/26", inRun("1")), draft("1", false)
			r.hold(t, root, "app", "/26", inRun("2"))
			draft("2", false)
			for name, block := range map[string]string{"fixed": first.CIDR.String(), "kept": env.CIDR.String()} {
				_, err := r.tryHold(alice, root.ID, name, block, inRun("2"))
				wantCode(t, err, ipam.CodePlanAgain)
				r.hold(t, root, name, block, inRun("3"))
			}
			second, again := r.hold(t, root, "app", "/26", inRun("3")), draft("3", false)
			if h := r.hold(t, root, "app", "/26", inRun("4"), applying(true)); h.CIDR != second.CIDR || h.Before != first.CIDR || second.CIDR == first.CIDR {
				t.Errorf("got %s, before %s; want %s, before %s", h.CIDR, h.Before, second.CIDR, first.CIDR)
			}
			if p := draft("4", true); p.CIDR != again.CIDR || p.DraftBefore != env.CIDR || again.CIDR == env.CIDR {
				t.Errorf("got %s, before %s; want %s, before %s", p.CIDR, p.DraftBefore, again.CIDR, env.CIDR)
			}
		})
		t.Run("not where the run that planned it applies", func(t *testing.T) {
			pool, _, _ := moved(t)
			if h := r.hold(t, pool, "app", "/26", inRun("2"), applying(true)); h.Before.IsValid() {
				t.Errorf("before: %s", h.Before)
			}
		})
		t.Run("not in a plan, nor where a plan names itself", func(t *testing.T) {
			pool, first, _ := moved(t)
			if h := r.hold(t, pool, "app", "/26", inRun("3"), applying(false)); h.Before.IsValid() {
				t.Errorf("a plan, before: %s", h.Before)
			}
			if h := r.hold(t, pool, "app", "/26", inRun("4"), applying(true), of("named")); h.Before.IsValid() {
				t.Errorf("one that names itself, before: %s, first %s", h.Before, first.CIDR)
			}
		})
		t.Run("not of a promise that stayed", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.hold(t, pool, "app", "/26", inRun("1"))
			r.hold(t, pool, "app", "/26", inRun("2"))
			if h := r.hold(t, pool, "app", "/26", inRun("3"), applying(true)); h.Before.IsValid() {
				t.Errorf("before: %s", h.Before)
			}
		})
		t.Run("not once the name has had its block", func(t *testing.T) {
			pool, _, second := moved(t)
			r.release(t, r.take(t, pool, "app", second.CIDR.String()))
			r.hold(t, pool, "app", "/26", inRun("4"))
			if h := r.hold(t, pool, "app", "/26", inRun("5"), applying(true)); h.Before.IsValid() {
				t.Errorf("before: %s", h.Before)
			}
		})
		t.Run("of a pool", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			draft := func(run string, applies bool) ipam.Pool {
				p, err := r.tryDraft(alice, root, "env", "/16", ipam.Plan{Holder: "workspace", Run: run, Applying: &applies})
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			first := draft("1", false)
			r.hold(t, root, "fixed", first.CIDR.String(), inRun("2"))
			second := draft("2", false)
			if got := draft("3", true); got.CIDR != second.CIDR || got.DraftBefore != first.CIDR || first.CIDR == second.CIDR {
				t.Errorf("got %s, before %s; want %s, before %s", got.CIDR, got.DraftBefore, second.CIDR, first.CIDR)
			}
		})
		t.Run("of a member of a set", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			set := func(run string, applies bool) ipam.PlannedMember {
				p, err := r.PromiseSet(t.Context(), alice, ipam.NewSetHolds{
					Pool: pool.ID, Name: "s", SetSizes: ipam.SetSizes{Members: map[string]ipam.BlockSize{"a": {Length: new(26)}}},
					Plan: ipam.Plan{Holder: "workspace", Run: run, Applying: &applies},
				})
				if err != nil {
					t.Fatal(err)
				}
				return p.Members[0]
			}
			first := set("1", false)
			r.hold(t, pool, "fixed", first.CIDR.String(), inRun("2"))
			second := set("2", false)
			if got := set("3", true); got.CIDR != second.CIDR || got.Before != first.CIDR || first.CIDR == second.CIDR {
				t.Errorf("got %s, before %s; want %s, before %s", got.CIDR, got.Before, second.CIDR, first.CIDR)
			}
		})
	})
}
