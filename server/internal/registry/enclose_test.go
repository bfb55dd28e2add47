package registry_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func encloses(in *ipam.NewPool) { in.Encloses = true }

func (r lab) above(scope, name, cidr string) (ipam.Pool, error) {
	return r.CreatePool(context.Background(), alice, ipam.NewPool{Scope: scope, Name: name, CIDR: r.cidr(cidr), Encloses: true})
}

func (r lab) pool(t tb, id string) ipam.Pool {
	t.Helper()
	p, err := r.Pool(context.Background(), id)
	if err != nil {
		t.Fatalf("read %s: %v", id, err)
	}
	return p
}

// wantEnclosed asserts that a pool is as it was, but for the pool around it.
func (r lab) wantEnclosed(t tb, before ipam.Pool, parent string) {
	t.Helper()
	after := r.pool(t, before.ID)
	want := before
	want.Parent, want.ParentUID, want.Version, want.UpdatedAt = after.Parent, after.ParentUID, before.Version+1, after.UpdatedAt
	if after.Parent != parent || fmt.Sprint(after) != fmt.Sprint(want) {
		t.Errorf("%s is %+v, want what it was in %q: %+v", before.ID, after, parent, before)
	}
}

func TestASupernetAboveRootPools(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scope := r.scope(t)
		a, b, other := r.rootIn(t, scope, "a", "10.0.0.0/16"), r.rootIn(t, scope, "b", "10.1.0.0/16"), r.rootIn(t, scope, "other", "11.0.0.0/16")
		app := r.take(t, a, "app", "/24")
		held, err := r.Promise(t.Context(), bob, ipam.NewHold{Pool: b.ID, Name: "planned", BlockSize: ipam.BlockSize{Length: ptr(24)}})
		if err != nil {
			t.Fatal(err)
		}
		refusal := wantCode(t, func() error {
			_, err := r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: scope, Name: "super", CIDR: r.cidr("10.0.0.0/8")})
			return err
		}(), ipam.CodeCIDRTaken)
		if !strings.Contains(refusal.Detail, "with encloses = true this pool is put above") {
			t.Errorf("the refusal names no way: %s", refusal.Detail)
		}
		super, err := r.above(scope, "super", "10.0.0.0/8")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(super.Enclosed, " "); got != a.ID+" "+b.ID {
			t.Errorf("it encloses %q", got)
		}
		r.wantEnclosed(t, a, super.ID)
		r.wantEnclosed(t, b, super.ID)
		if now := r.pool(t, other.ID); fmt.Sprint(now) != fmt.Sprint(other) {
			t.Errorf("another pool changed: %+v", now)
		}
		if now := r.only(t, a); now.ID != app.ID || now.CIDR != app.CIDR {
			t.Errorf("the allocation is %+v", now)
		}
		if now, err := r.Hold(t.Context(), held.ID); err != nil || now.CIDR != held.CIDR {
			t.Errorf("the hold is %+v, %v", now, err)
		}
		if got := fmt.Sprint(r.free(t, super)[:2]); got != "[10.2.0.0/15 10.4.0.0/14]" {
			t.Errorf("free = %s", got)
		}
		wantCIDR(t, "a new child", r.child(t, super, "c", "/16").CIDR, "10.2.0.0/16")
		if e := r.events(t, string(a.UID)); len(e) != 2 || e[0].Action != "pool.enclosed" && e[1].Action != "pool.enclosed" {
			t.Errorf("its events are %+v", e)
		}
		_, err = r.resize(r.pool(t, a.ID), "10.0.0.0/15") // it is in the pool around it now, next to b
		wantCode(t, err, ipam.CodeCIDRTaken)
	})
}

func TestALayerBetweenTwoLevels(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		corp := r.root(t, "10.0.0.0/8")
		vpc, far := r.child(t, corp, "vpc", "10.1.0.0/16"), r.child(t, corp, "far", "10.64.0.0/16")
		r.take(t, vpc, "app", "/24")
		layer, err := r.tryChild(corp, "layer", "10.0.0.0/12", encloses)
		if err != nil {
			t.Fatal(err)
		}
		r.wantEnclosed(t, vpc, layer.ID)
		if now := r.pool(t, far.ID); now.Parent != corp.ID || now.Version != far.Version {
			t.Errorf("another child changed: %+v", now)
		}
		wantCIDR(t, "what is free", r.free(t, layer)[0], "10.0.0.0/16")
		if _, err := r.tryChild(corp, "empty", "10.128.0.0/12", encloses); err != nil { // nothing is there
			t.Error(err)
		}

		err = r.DissolvePool(t.Context(), alice, layer.ID, ipam.Exactly(r.pool(t, layer.ID).ETag()))
		if err != nil {
			t.Fatal(err)
		}
		back := r.pool(t, vpc.ID)
		if back.Parent != corp.ID || back.CIDR != vpc.CIDR || back.Version != vpc.Version+2 {
			t.Errorf("left alone, vpc is %+v", back)
		}
	})
}

func TestASupernetIsDissolved(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scope := r.scope(t)
		a := r.rootIn(t, scope, "a", "10.0.0.0/16")
		super, err := r.above(scope, "super", "10.0.0.0/8")
		if err != nil {
			t.Fatal(err)
		}
		wantHolders(t, wantCode(t, r.DeletePool(t.Context(), alice, super.ID, ipam.AnyVersion), ipam.CodePoolNotEmpty), "a")
		direct := r.take(t, super, "direct", "/24")
		wantHolders(t, wantCode(t, r.DissolvePool(t.Context(), alice, super.ID, ipam.AnyVersion), ipam.CodePoolNotEmpty), "direct")
		if now := r.pool(t, a.ID); now.Parent != super.ID {
			t.Errorf("refused, it left %+v", now)
		}
		r.release(t, direct)
		if err := r.DissolvePool(t.Context(), alice, super.ID, ipam.AnyVersion); err != nil {
			t.Fatal(err)
		}
		if now := r.pool(t, a.ID); now.Parent != "" || now.ParentUID != "" {
			t.Errorf("it is %+v", now)
		}
		r.rootIn(t, scope, "next", "10.1.0.0/16") // the rest is free again
	})
}

func TestOnlyPoolsAreEnclosed(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		corp := r.root(t, "10.0.0.0/8")
		vpc := r.child(t, corp, "vpc", "10.1.0.0/16")
		refuse := func(cidr string, holder string) {
			t.Helper()
			before := r.eventCount(t)
			_, err := r.tryChild(corp, "layer", cidr, encloses)
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), holder)
			if r.pool(t, vpc.ID).Parent != corp.ID || r.eventCount(t) != before {
				t.Error("refused, it changed something")
			}
		}
		a := r.take(t, corp, "app", "10.2.0.0/24")
		refuse("10.0.0.0/12", "app")
		r.release(t, a)
		h, err := r.Promise(t.Context(), bob, ipam.NewHold{Pool: corp.ID, Name: "planned", BlockSize: ipam.BlockSize{Length: ptr(24)}})
		if err != nil {
			t.Fatal(err)
		}
		refuse("10.0.0.0/8", "planned")
		if err := r.ReleaseHold(t.Context(), bob, h.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := r.tryReserve(corp, "legacy", "10.3.0.0/24"); err != nil {
			t.Fatal(err)
		}
		refuse("10.0.0.0/12", "legacy")
		e := func() *ipam.Error {
			_, err := r.tryChild(corp, "layer", "10.1.0.0/20", encloses)
			return wantCode(t, err, ipam.CodeCIDRTaken)
		}()
		if !strings.Contains(e.Detail, "which is around it") {
			t.Error(e.Detail)
		}
		_, err = r.tryChild(corp, "layer", "/12", encloses)
		wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/encloses")
		r.drop(t, vpc)
	})
}
