package registry_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// above is what a plan asks for that puts a pool above others, in a pool or at the root.
func (r lab) aboveIn(around ipam.Pool, scope, cidr string) ipam.NewPool {
	return ipam.NewPool{Scope: scope, Name: "above", Parent: around.ID, CIDR: r.cidr(cidr), Encloses: true}
}

func (r planner) planParent(run string, p, parent ipam.Pool) (ipam.Pool, error) {
	return r.PlanPool(context.Background(), alice, p.ID, ipam.PoolPatch{Parent: &parent.ID}, ipam.Plan{Holder: "workspace", Run: run})
}

// eachLevel runs a test with two pools at the root of a scope and in a pool.
func eachLevel(t *testing.T, body func(t *testing.T, r planner, around ipam.Pool, scope string, a, b ipam.Pool)) {
	t.Helper()
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("root", func(t *testing.T) {
			scope := r.scope(t)
			body(t, r, ipam.Pool{}, scope, r.rootIn(t, scope, "a", "10.0.0.0/16"), r.rootIn(t, scope, "b", "10.1.0.0/16"))
		})
		t.Run("between", func(t *testing.T) {
			corp := r.root(t, "10.0.0.0/8")
			body(t, r, corp, corp.Scope, r.child(t, corp, "a", "10.0.0.0/16"), r.child(t, corp, "b", "10.1.0.0/16"))
		})
	})
}

func TestAPlanKnowsWhatIsInAPoolAboveOthers(t *testing.T) {
	eachLevel(t, func(t *testing.T, r planner, around ipam.Pool, scope string, a, b ipam.Pool) {
		app := r.take(t, a, "app", "/24")
		ask := r.aboveIn(around, scope, "10.0.0.0/12")
		for _, run := range []string{"1", "1", "2", "3"} { // a plan and its apply, and plans that are thrown away
			above, err := r.planPool(run, ask)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(above.Enclosed); got != fmt.Sprint([]string{a.ID, b.ID}) {
				t.Errorf("it would enclose %s", got)
			}
			would, err := r.planParent(run, a, above)
			if err != nil || would.CIDR != a.CIDR || would.Parent != above.ID {
				t.Errorf("a would be %s in %q, %v", would.CIDR, would.Parent, err)
			}
			wantCIDR(t, "a new child", must(t)(r.planPool(run, ipam.NewPool{Scope: scope, Name: "c", Parent: above.ID, Length: ptr(16)})).CIDR, "10.2.0.0/16")
			wantCIDR(t, "a new block", r.hold(t, above, "direct", "/16", inRun(run)).CIDR, "10.3.0.0/16")
			r.wantSound(t)
		}
		if now := r.pool(t, a.ID); fmt.Sprint(now) != fmt.Sprint(a) {
			t.Errorf("planning changed %+v", now)
		}
		// Nobody gets what is between, but by giving up what was planned.
		thief := ipam.NewPool{Scope: scope, Name: "thief", Parent: around.ID, CIDR: r.cidr("10.3.0.0/16")}
		_, err := r.CreatePool(t.Context(), bob, thief)
		wantCode(t, err, ipam.CodeCIDRTaken)

		above, err := r.CreatePool(t.Context(), alice, ask)
		if err != nil {
			t.Fatal(err)
		}
		r.wantEnclosed(t, a, above.ID)
		r.wantEnclosed(t, b, above.ID)
		wantCIDR(t, "a new child", r.child(t, above, "c", "/16").CIDR, "10.2.0.0/16")
		wantCIDR(t, "a new block", r.take(t, above, "direct", "/16").CIDR, "10.3.0.0/16")
		if now := r.only(t, a); now.ID != app.ID || now.CIDR != app.CIDR {
			t.Errorf("the allocation is %+v", now)
		}
		if would, err := r.planParent("3", r.pool(t, a.ID), above); err != nil || would.CIDR != a.CIDR {
			t.Errorf("planned again while applying, a would be %s, %v", would.CIDR, err)
		}
		if drafts, err := r.Drafts(t.Context(), scope, ipam.Page{Limit: 10}); err != nil || len(drafts) > 0 {
			t.Errorf("drafts are left: %v, %v", drafts, err)
		}
	})
}

func must(t *testing.T) func(ipam.Pool, error) ipam.Pool {
	return func(p ipam.Pool, err error) ipam.Pool {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

func TestAPlannedPoolAboveOthersGivesWay(t *testing.T) {
	eachLevel(t, func(t *testing.T, r planner, around ipam.Pool, scope string, a, b ipam.Pool) {
		noDrafts := func() {
			t.Helper()
			if drafts, err := r.Drafts(t.Context(), scope, ipam.Page{Limit: 10}); err != nil || len(drafts) > 0 {
				t.Errorf("drafts are left: %v, %v", drafts, err)
			}
			r.wantSound(t)
		}
		ask := r.aboveIn(around, scope, "10.0.0.0/12")
		plan := func(run string) ipam.Pool {
			t.Helper()
			above := must(t)(r.planPool(run, ask))
			r.hold(t, above, "direct", "/16", inRun(run))
			return above
		}
		plan("1")
		small := ipam.NewPool{Scope: scope, Name: "small", Parent: around.ID, CIDR: r.cidr("10.8.0.0/16")}
		must(t)(r.planPool("2", small)) // to a later run of its holder that has become another
		if err := r.ReleaseDraft(t.Context(), alice, ipam.PoolID(scope, "small")); err != nil {
			t.Fatal(err)
		}
		noDrafts()

		above := plan("3") // to whoever releases it, or a part of it
		if err := r.ReleaseDraft(t.Context(), bob, above.ID); err != nil {
			t.Fatal(err)
		}
		noDrafts()
		above = plan("4")
		if err := r.ReleaseDraft(t.Context(), bob, above.ID+"~10-2-0-0-15"); err != nil {
			t.Fatal(err)
		}
		noDrafts()

		plan("5") // to anybody, once it has expired
		r.wait(25 * time.Hour)
		if small.Parent != "" {
			if _, err := r.try(around, "all", "/9"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.CreatePool(t.Context(), bob, small); err != nil {
			t.Fatal(err)
		}
		noDrafts()
		r.drop(t, r.pool(t, ipam.PoolID(scope, "small")))

		plan("6")
		r.wait(49 * time.Hour)
		if _, err := r.ForgetPlans(t.Context()); err != nil {
			t.Fatal(err)
		}
		noDrafts()

		plan("7") // to the pool that is created without it
		_, err := r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: scope, Name: "above", Parent: around.ID, CIDR: r.cidr("10.0.0.0/12")})
		wantCode(t, err, ipam.CodeCIDRTaken)
		r.drop(t, a) // what was to be enclosed has gone, and something else is there
		must(t)(r.planPool("7", ask))
		r.drop(t, r.pool(t, b.ID))
		created := must(t)(r.CreatePool(t.Context(), alice, ask))
		if len(created.Enclosed) > 0 {
			t.Errorf("it encloses %v", created.Enclosed)
		}
		noDrafts()
	})
}

// Two pools may be put above each other and a third in one plan.
func TestAPlanOfTwoLayers(t *testing.T) {
	eachLevel(t, func(t *testing.T, r planner, around ipam.Pool, scope string, a, b ipam.Pool) {
		outer := must(t)(r.planPool("1", ipam.NewPool{Scope: scope, Name: "outer", Parent: around.ID, CIDR: r.cidr("10.0.0.0/10"), Encloses: true}))
		inner := must(t)(r.planPool("1", ipam.NewPool{Scope: scope, Name: "inner", Parent: outer.ID, CIDR: r.cidr("10.0.0.0/12"), Encloses: true}))
		if would, err := r.planParent("1", a, inner); err != nil || would.CIDR != a.CIDR {
			t.Errorf("a would be %s, %v", would.CIDR, err)
		}
		wantCIDR(t, "a block", r.hold(t, inner, "x", "/16", inRun("1")).CIDR, "10.2.0.0/16")
		r.wantSound(t)
		must(t)(r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: scope, Name: "outer", Parent: around.ID, CIDR: r.cidr("10.0.0.0/10"), Encloses: true}))
		r.wantSound(t)
		must(t)(r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: scope, Name: "inner", Parent: outer.ID, CIDR: r.cidr("10.0.0.0/12"), Encloses: true}))
		wantCIDR(t, "a block", r.take(t, inner, "x", "/16").CIDR, "10.2.0.0/16")
		if now := r.pool(t, a.ID); now.Parent != inner.ID || now.CIDR != a.CIDR {
			t.Errorf("a is %+v", now)
		}
		_ = b
	})
}

func TestAPlannedPoolAboveOthersIsOnePromise(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		r.HoldQuota = 2
		corp := r.root(t, "10.0.0.0/8")
		for i := range 5 {
			r.child(t, corp, fmt.Sprint("kid", i), fmt.Sprintf("10.%d.0.0/16", 2*i))
		}
		above := must(t)(r.planPool("1", r.aboveIn(corp, corp.Scope, "10.0.0.0/10")))
		if len(above.Enclosed) != 5 {
			t.Errorf("it would enclose %v", above.Enclosed)
		}
		_, err := r.planPool("1", ipam.NewPool{Scope: corp.Scope, Name: "other", Parent: corp.ID, CIDR: r.cidr("10.64.0.0/10"), Encloses: true})
		wantCode(t, err, ipam.CodeQuotaExceeded) // what is between them counts, as the space that it is
	})
}
