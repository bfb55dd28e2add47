package registry_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func labelled(key, value string) tweak {
	return func(in *ipam.NewPool) { in.Labels = ipam.Labels{key: value, "other": "x"} }
}

func selecting(scope string) *ipam.PoolSelector {
	return &ipam.PoolSelector{Scope: scope, Family: 4, Labels: ipam.Labels{"tier": "prd"}}
}

func (r planner) trySelect(scope, name, want string, by ipam.Caller) (ipam.Allocation, error) {
	in := ipam.NewAllocation{Selector: selecting(scope), Name: name}
	in.CIDR, in.Length = wanted(want)
	return r.Allocate(context.Background(), by, in)
}

func (r planner) selectPool(t tb, scope, name, want string) string {
	t.Helper()
	a, err := r.trySelect(scope, name, want, alice)
	if err != nil {
		t.Fatalf("allocate %s %s by label: %v", name, want, err)
	}
	return a.Pool
}

// three pools of one /28 each carry the label; the others must never be asked.
func (r planner) three(t tb) (a, b, c ipam.Pool) {
	t.Helper()
	scope := r.scope(t)
	c = r.rootIn(t, scope, "c", "10.0.2.0/28", labelled("tier", "prd"))
	a = r.rootIn(t, scope, "a", "10.0.0.0/28", labelled("tier", "prd"))
	b = r.rootIn(t, scope, "b", "10.0.1.0/28", labelled("tier", "prd"))
	r.rootIn(t, scope, "dev", "10.1.0.0/16", labelled("tier", "dev"))
	r.rootIn(t, scope, "six", "2001:db8::/32", labelled("tier", "prd"))
	r.root(t, "10.2.0.0/16", labelled("tier", "prd"))
	return a, b, c
}

func (r planner) selectHold(t tb, scope, name, want string, tweaks ...func(*ipam.NewHold)) ipam.Hold {
	t.Helper()
	h, err := r.tryHold(alice, "", name, want, append(tweaks, func(in *ipam.NewHold) { in.Selector = selecting(scope) })...)
	if err != nil {
		t.Fatalf("hold %s %s by label: %v", name, want, err)
	}
	return h
}

func TestASelectorAsksItsPoolsInOrderUntilOneHasRoom(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		a, _, _ := r.three(t)
		for _, name := range []string{"a", "b", "c"} {
			if got := r.selectPool(t, a.Scope, "subnet-"+name, "/28"); got != a.Scope+"."+name {
				t.Errorf("subnet-%s went to %s", name, got)
			}
		}
		_, err := r.trySelect(a.Scope, "one-more", "/30", alice)
		e := wantCode(t, err, ipam.CodePoolExhausted)
		wantPointer(t, e, "/pool_selector")
		for _, says := range []string{"asked 3 pools", "tier=prd", a.ID + ": pool " + a.ID + " has no free /30", "c: pool"} {
			if !strings.Contains(e.Detail, says) {
				t.Errorf("%q does not say %q", e.Detail, says)
			}
		}
	})
}

func TestASelectorPassesOverPoolsThatDoNotHandOutTheSize(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		scope := r.scope(t)
		prd := labelled("tier", "prd")
		r.rootIn(t, scope, "a", "10.0.0.0/16", prd, func(in *ipam.NewPool) { in.Sizes.Max = ptr(24) })
		r.rootIn(t, scope, "b", "10.1.0.0/24", prd)
		r.rootIn(t, scope, "c", "10.2.0.0/16", prd, func(in *ipam.NewPool) { in.Sizes.Default = ptr(20) })
		for _, c := range []struct{ name, want, pool string }{
			{"small", "/28", "b"},        // too small for a
			{"large", "/17", "a"},        // too large for b
			{"none", "", "c"},            // only c has a default
			{"at", "10.2.128.0/28", "c"}, // only c has the block
			{"huge", "10.1.0.0/25", ""},  // in use in b
		} {
			a, err := r.trySelect(scope, c.name, c.want, alice)
			if c.pool == "" {
				wantCode(t, err, ipam.CodeCIDRTaken)
				continue
			}
			if err != nil || a.Pool != scope+"."+c.pool {
				t.Errorf("%s %s went to %s, %v; want %s", c.name, c.want, a.Pool, err, c.pool)
			}
		}
		_, err := r.trySelect(scope, "far", "172.16.0.0/24", alice)
		wantPointer(t, wantCode(t, err, ipam.CodeOutsidePool), "/cidr")
		_, err = r.trySelect(scope, "six", "2001:db8::/64", alice)
		wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/cidr")
		_, err = r.trySelect(scope, "long", "/64", alice)
		wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/prefix_length")
	})
}

func TestASelectorOrAPoolIsNamedAndTheSelectorMeansSomething(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24")
		for what, in := range map[string]ipam.NewAllocation{
			"neither":  {Name: "x"},
			"both":     {Name: "x", Pool: pool.ID, Selector: selecting(pool.Scope)},
			"no label": {Name: "x", Selector: &ipam.PoolSelector{Scope: pool.Scope, Family: 4}},
		} {
			if _, err := r.Allocate(t.Context(), alice, in); ipam.CodeOf(err) != ipam.CodeInvalid {
				t.Errorf("%s: %v", what, err)
			}
			if _, err := r.Promise(t.Context(), alice, ipam.NewHold{Pool: in.Pool, Selector: in.Selector, Name: "x"}); ipam.CodeOf(err) != ipam.CodeInvalid {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := r.trySelect(pool.Scope, "x", "/28", alice)
		wantPointer(t, wantCode(t, err, ipam.CodeNotFound), "/pool_selector")
	})
}

func TestANameThatLivesInAPoolOfTheSelectorIsTaken(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		_, _, c := r.three(t)
		living := r.take(t, c, "app", "/30")
		_, err := r.trySelect(c.Scope, "app", "/30", alice)
		wantHolders(t, wantCode(t, err, ipam.CodeNameTaken), "app")
		_, err = r.tryHold(alice, "", "app", "/30", func(in *ipam.NewHold) { in.Selector = selecting(c.Scope) })
		wantCode(t, err, ipam.CodeNameTaken)

		h := r.selectHold(t, c.Scope, "app", "/30", func(in *ipam.NewHold) { in.Replaces = living.ID })
		if h.Pool != c.ID || h.CIDR != living.CIDR {
			t.Errorf("the successor is promised %s in %s", h.CIDR, h.Pool)
		}
		next, err := r.trySelect(c.Scope, "app", h.CIDR.String(), alice)
		if err != nil || next.Pool != c.ID || next.CIDR != h.CIDR {
			t.Errorf("the successor is %+v, %v; want %s in %s", next, err, h.CIDR, c.ID)
		}
	})
}

func (r planner) poolOf(t tb, name, scope string) ipam.Pool {
	t.Helper()
	p, err := r.Pool(context.Background(), scope+"."+name)
	if err != nil {
		t.Fatalf("pool %s: %v", name, err)
	}
	return p
}

func TestAPlanFindsItsPromiseAgainWhateverRoomThereIsElsewhere(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		a, b, _ := r.three(t)
		full := r.take(t, a, "full", "/28")
		h := r.selectHold(t, a.Scope, "app", "/29")
		if h.Pool != b.ID {
			t.Fatalf("promised in %s", h.Pool)
		}
		r.release(t, full)
		if again := r.selectHold(t, a.Scope, "app", "/29"); again.ID != h.ID || again.CIDR != h.CIDR {
			t.Errorf("planned again: %+v, first %+v", again, h)
		}
		if again := r.selectHold(t, a.Scope, "app", "/29", applying(true)); again.CIDR != h.CIDR {
			t.Errorf("applied: %s, planned %s", again.CIDR, h.CIDR)
		}
		app, err := r.trySelect(a.Scope, "app", "/29", alice)
		if err != nil || app.CIDR != h.CIDR {
			t.Fatalf("made %+v, %v; planned %s", app, err, h.CIDR)
		}
		r.release(t, app)
		if again := r.selectHold(t, a.Scope, "app", "/29"); again.CIDR != h.CIDR {
			t.Errorf("after destroy it is %s, was %s", again.CIDR, h.CIDR)
		}
	})
}

func TestALostPromiseOfASelectorIsToldAndThenMadeElsewhere(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		a, b, _ := r.three(t)
		h := r.selectHold(t, a.Scope, "app", "/28")
		r.wait(25 * time.Hour)
		r.take(t, a, "thief", "/28")
		_, err := r.tryHold(alice, "", "app", "/28", applying(true), func(in *ipam.NewHold) { in.Selector = selecting(a.Scope) })
		wantHolders(t, wantCode(t, err, ipam.CodeHoldLost), "thief")
		fresh := r.selectHold(t, a.Scope, "app", "/28", applying(false))
		if fresh.Pool != b.ID || h.Pool != a.ID {
			t.Errorf("first in %s, then in %s", h.Pool, fresh.Pool)
		}
		r.wait(time.Hour)
		if again := r.selectHold(t, a.Scope, "app", "/28", applying(true)); again.CIDR != fresh.CIDR {
			t.Errorf("the apply of the fresh plan got %s in %s, not %s", again.CIDR, again.Pool, fresh.CIDR)
		}
	})
}

func TestARetryOfASelectionMeetsItsAnswer(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		a, b, _ := r.three(t)
		full := r.take(t, a, "full", "/28")
		by := keyed("selected", "x")
		first, err := r.trySelect(a.Scope, "app", "/28", by)
		if err != nil || first.Pool != b.ID {
			t.Fatalf("first: %+v, %v", first, err)
		}
		r.release(t, full) // now another pool would be asked first
		again, err := r.trySelect(a.Scope, "app", "/28", by)
		if err != nil || again.ID != first.ID || !by.Retry.Replayed {
			t.Errorf("again: %+v, %v, replayed %v", again, err, by.Retry.Replayed)
		}
		r.release(t, first)
		r.drop(t, r.poolOf(t, "b", a.Scope))
		if again, err = r.trySelect(a.Scope, "app", "/28", by); err != nil || again.ID != first.ID {
			t.Errorf("after its pool is gone: %+v, %v", again, err)
		}
	})
}

func TestAPlanSelectsItsOwnDraftsAfterRealPools(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		root := r.root(t, "10.0.0.0/8")
		in := ipam.NewPool{Scope: root.Scope, Name: "a-draft", Parent: root.ID, Length: ptr(16), Details: ipam.Details{Labels: ipam.Labels{"tier": "prd"}}}
		draft, err := r.DraftPool(t.Context(), alice, in, ipam.Plan{})
		if err != nil {
			t.Fatal(err)
		}
		if h := r.selectHold(t, root.Scope, "one", "/24"); h.Pool != draft.ID {
			t.Errorf("promised in %s", h.Pool)
		}
		_, err = r.tryHold(bob, "", "two", "/24", func(in *ipam.NewHold) { in.Selector = selecting(root.Scope) })
		wantCode(t, err, ipam.CodeNotFound)
		_, err = r.trySelect(root.Scope, "one", "/24", alice)
		wantCode(t, err, ipam.CodeNotFound)
		other := r.child(t, root, "z-real", "/16", labelled("tier", "prd"))
		if h := r.selectHold(t, root.Scope, "three", "/24"); h.Pool != other.ID {
			t.Errorf("promised in %s, though %s exists", h.Pool, other.ID)
		}
		r.child(t, root, "a-draft", draft.CIDR.String(), labelled("tier", "prd"))
		if got := r.selectPool(t, root.Scope, "one", "/24"); got != draft.ID {
			t.Errorf("made in %s", got)
		}
	})
}
