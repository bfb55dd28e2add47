package registry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// A pool without room says how much of it plans hold, whose that is and until when: released or applied, it is no riddle.
func TestAPoolWithoutRoomCountsWhatPlansHold(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		refused := func(t *testing.T, pool ipam.Pool, tweaks ...func(*ipam.NewHold)) *ipam.Error {
			t.Helper()
			r.wait(time.Second) // what a write has placed itself goes with its refusal
			return wantCode(t, second(r.tryHold(bob, pool.ID, "new", "/24", tweaks...)), ipam.CodePoolExhausted)
		}
		t.Run("one hold", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/23")
			r.take(t, pool, "stands", "10.0.0.0/24")
			h := r.hold(t, pool, "app", "/25", inRun("1"))
			e := refused(t, pool)
			if want := `; plans hold 1 block, 10.0.1.0/25 for "app" until ` + h.ExpiresAt.Format(time.RFC3339) + `, by a plan of token:alice (workspace)`; !strings.Contains(e.Detail, want) {
				t.Errorf("%s\nwant %s", e.Detail, want)
			}
			if len(e.Holders) != 1 || e.Holders[0].ID != h.ID {
				t.Errorf("holders: %+v", e.Holders)
			}
		})
		t.Run("several, with a draft, the largest first", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.hold(t, pool, "small", "/28")
			r.draft(t, pool, "vpc", "/25")
			e := refused(t, pool)
			if want := `; plans hold 2 blocks, the largest 10.0.0.128/25 for the draft of pool "` + ipam.PoolID(pool.Scope, "vpc") + `" until `; !strings.Contains(e.Detail, want) {
				t.Errorf("%s\nwant %s", e.Detail, want)
			}
			if len(e.Holders) != 2 || e.Holders[0].Kind != ipam.KindPool || e.Holders[1].Name != "small" {
				t.Errorf("holders: %+v", e.Holders)
			}
		})
		t.Run("not what has run out, which gives way, nor what is only to be inherited", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "app", "10.0.0.0/25")
			r.hold(t, pool, "app", "/25", func(in *ipam.NewHold) { in.Replaces = a.ID })
			r.hold(t, pool, "old", "/26")
			r.wait(25 * time.Hour)
			if e := refused(t, pool); strings.Contains(e.Detail, "plans hold") || len(e.Holders) > 0 {
				t.Errorf("%s, %+v", e.Detail, e.Holders)
			}
		})
	})
}

// What a pool is to gain counts in the plan. What needs both that and what it has is placed once it has grown.
func TestAPoolThatIsToGrowSaysWhatItWillNotHave(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		parent := r.root(t, "10.0.0.0/16")
		pool, err := r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: parent.Scope, Name: "vpc", Parent: parent.ID, Length: new(25)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.PlanPool(t.Context(), alice, pool.ID, ipam.PoolPatch{Length: new(24)}, ipam.Plan{Holder: "workspace", Run: "1"}); err != nil {
			t.Fatal(err)
		}
		e := wantCode(t, second(r.tryHold(alice, pool.ID, "both", "/24", inRun("1"))), ipam.CodePoolExhausted)
		if want := "pool " + pool.ID + " has no free /24 before it has grown, as it is planned to: apply that first, and then this"; e.Detail != want {
			t.Errorf("%s\nwant %s", e.Detail, want)
		}
		wantCIDR(t, "in it", r.hold(t, pool, "in-it", "/25", inRun("1")).CIDR, pool.CIDR.String())
		r.hold(t, pool, "gained", "/25", inRun("1"))
		e = wantCode(t, second(r.tryHold(alice, pool.ID, "third", "/25", inRun("1"))), ipam.CodePoolExhausted)
		if !strings.HasPrefix(e.Detail, "pool "+pool.ID+" has no free /25; ") || !strings.HasSuffix(e.Detail, "; what it is planned to gain has none either") {
			t.Error(e.Detail)
		}
		for size, code := range map[string]ipam.Code{"/23": ipam.CodeInvalid, "/40": ipam.CodeInvalid, "10.9.0.0/25": ipam.CodeOutsidePool} {
			if _, err := r.tryHold(alice, pool.ID, "never", size, inRun("1")); ipam.CodeOf(err) != code {
				t.Errorf("%s: %v, want %s", size, err, code)
			}
		}
	})
}
