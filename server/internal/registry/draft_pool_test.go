package registry_test

import (
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestDraftPool(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		draft := func(t *testing.T, parent ipam.Pool, name, want string) ipam.Pool {
			t.Helper()
			in := ipam.NewPool{Scope: parent.Scope, Name: name, Parent: parent.ID}
			in.CIDR, in.Length = wanted(want)
			p, err := r.DraftPool(t.Context(), alice, in, ipam.Plan{})
			if err != nil {
				t.Fatalf("draft %s: %v", name, err)
			}
			return p
		}
		t.Run("three levels and a hold in one plan, and then the same for real", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			env := draft(t, root, "env", "/16")
			vpc := draft(t, env, "vpc", "/20")
			h := r.hold(t, vpc, "subnet", "/24")
			if again := draft(t, root, "env", "/16"); again.CIDR != env.CIDR {
				t.Errorf("a second plan moved %s to %s", env.CIDR, again.CIDR)
			}
			realEnv := r.child(t, root, "env", env.CIDR.String())
			realVPC := r.child(t, realEnv, "vpc", vpc.CIDR.String())
			wantCIDR(t, "env", realEnv.CIDR, env.CIDR.String())
			wantCIDR(t, "vpc", realVPC.CIDR, vpc.CIDR.String())
			wantCIDR(t, "subnet", r.take(t, realVPC, "subnet", "/24").CIDR, h.CIDR.String())
		})
		t.Run("nobody else sees it", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			d := draft(t, root, "secret", "/16")
			_, err := r.Pool(t.Context(), d.ID)
			wantCode(t, err, ipam.CodeNotFound)
			_, err = r.try(d, "a", "/24")
			wantCode(t, err, ipam.CodeNotFound)
			_, err = r.tryChild(d, "b", "/24")
			wantCode(t, err, ipam.CodeNotFound)
			pools, err := r.Pools(t.Context(), ipam.PoolFilter{Scope: root.Scope}, ipam.Page{Limit: 10})
			if err != nil || len(pools) != 1 {
				t.Errorf("listed %v, %v", pools, err)
			}
		})
		t.Run("two plans get different space", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			a, b := draft(t, root, "a", "/16"), draft(t, root, "b", "/16")
			if a.CIDR.Overlaps(b.CIDR) {
				t.Errorf("both got %s", a.CIDR)
			}
		})
		t.Run("a plan of another size moves the draft and what was held in it", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			d := draft(t, root, "a", "/16")
			r.hold(t, d, "s", "/24")
			if d = draft(t, root, "a", "/12"); d.CIDR.Bits() != 12 {
				t.Errorf("still %s", d.CIDR)
			}
			r.hold(t, d, "s", "/24")
		})
		t.Run("expired, its space is used when nothing else is left, and an apply is told", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/15")
			d := draft(t, root, "a", "/16")
			r.hold(t, d, "s", "/24")
			r.wait(25 * time.Hour)
			r.take(t, root, "x", "/16")
			wantCIDR(t, "y", r.take(t, root, "y", "/16").CIDR, d.CIDR.String())
			yes, length := true, 16
			_, err := r.DraftPool(t.Context(), alice, ipam.NewPool{Scope: root.Scope, Name: "a", Parent: root.ID, Length: &length}, ipam.Plan{Applying: &yes})
			wantCode(t, err, ipam.CodeHoldLost)
		})
		t.Run("an abandoned one heals by itself", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			d := draft(t, root, "a", "/9")
			r.hold(t, draft(t, d, "b", "/10"), "s", "/24")
			r.wait(49 * time.Hour)
			if _, err := r.ForgetPlans(t.Context()); err != nil {
				t.Fatal(err)
			}
			if free := r.free(t, root); len(free) != 1 || free[0] != root.CIDR {
				t.Errorf("free = %v", free)
			}
		})
		t.Run("anyone may release it, and a root that expired gives way", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			d := draft(t, root, "a", "/9")
			r.hold(t, d, "s", "/24")
			if err := r.ReleaseDraft(t.Context(), bob, d.ID); err != nil {
				t.Fatal(err)
			}
			wantCode(t, r.ReleaseDraft(t.Context(), bob, root.ID), ipam.CodeNotFound)
			r.take(t, root, "x", d.CIDR.String())
			scope := r.scope(t)
			if _, err := r.DraftPool(t.Context(), alice, ipam.NewPool{Scope: scope, Name: "a", CIDR: root.CIDR}, ipam.Plan{}); err != nil {
				t.Fatal(err)
			}
			_, err := r.CreatePool(t.Context(), bob, ipam.NewPool{Scope: scope, Name: "b", CIDR: root.CIDR})
			wantCode(t, err, ipam.CodeCIDRTaken)
			r.wait(25 * time.Hour)
			r.rootIn(t, scope, "b", "10.0.0.0/8")
		})
		t.Run("it does not keep its parent or its scope from being deleted", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			draft(t, draft(t, root, "a", "/9"), "b", "/10")
			r.drop(t, root)
		})
	})
}
