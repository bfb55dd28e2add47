package registry_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func without(cidrs ...string) ipam.Placing {
	var p ipam.Placing
	for _, cidr := range cidrs {
		p.Exclude = append(p.Exclude, netip.MustParsePrefix(cidr))
	}
	return p
}

func placed(p ipam.Placing) func(*ipam.NewHold) {
	return func(in *ipam.NewHold) { in.Placing = p }
}

func (r planner) takeWith(t tb, pool ipam.Pool, name, want string, p ipam.Placing) (ipam.Allocation, error) {
	t.Helper()
	in := ipam.NewAllocation{Pool: pool.ID, Name: name}
	in.CIDR, in.Length = wanted(want)
	in.Placing = p
	return r.Allocate(context.Background(), alice, in)
}

func TestWhatARequestExcludesIsNotHandedOut(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("an allocation", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/22")
			a, err := r.takeWith(t, pool, "a", "/24", without("10.0.0.0/24", "10.0.1.128/25", "2001:db8::/32", "192.168.0.0/16"))
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "a", a.CIDR, "10.0.2.0/24")
			r.release(t, a)
			again, err := r.takeWith(t, pool, "a", "/24", without("10.0.2.0/23")) // not even what the name had last
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "a again", again.CIDR, "10.0.0.0/24")
		})
		t.Run("nor where only that is free", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/23")
			r.take(t, pool, "b", "10.0.1.0/24")
			_, err := r.takeWith(t, pool, "a", "/25", without("10.0.0.0/24"))
			if e := wantCode(t, err, ipam.CodePoolExhausted); !strings.Contains(e.Detail, "outside 10.0.0.0/24, which the request excludes; nothing else is free") || e.LargestFree != nil {
				t.Errorf("%s, largest %v", e.Detail, e.LargestFree)
			}
			_, err = r.takeWith(t, pool, "a", "/25", without("10.0.0.0/25", "10.0.0.192/26"))
			if e := wantCode(t, err, ipam.CodePoolExhausted); e.LargestFree == nil || *e.LargestFree != 26 {
				t.Errorf("%s, largest %v", e.Detail, e.LargestFree)
			}
		})
		t.Run("a CIDR that is named and excluded is a contradiction", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/22")
			_, err := r.takeWith(t, pool, "a", "10.0.0.0/24", without("10.0.0.128/25"))
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/exclude")
		})
		t.Run("a hold, and the next plan of the name that excludes it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/22")
			h := r.hold(t, pool, "a", "/24", placed(without("10.0.0.0/24")))
			wantCIDR(t, "a", h.CIDR, "10.0.1.0/24")
			wantCIDR(t, "a renewed", r.hold(t, pool, "a", "/24", placed(without("10.0.0.0/24"))).CIDR, "10.0.1.0/24")
			moved := r.hold(t, pool, "a", "/24", placed(without("10.0.0.0/23")))
			wantCIDR(t, "a of another plan", moved.CIDR, "10.0.2.0/24")
			a, err := r.takeWith(t, pool, "a", "/24", without("10.0.0.0/23"))
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "what it becomes", a.CIDR, "10.0.2.0/24")
		})
		t.Run("nor a promise of the name", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/22")
			r.hold(t, pool, "a", "/24")
			a, err := r.takeWith(t, pool, "a", "/24", without("10.0.0.0/24"))
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "a", a.CIDR, "10.0.1.0/24")
			wantCIDR(t, "another", r.take(t, pool, "b", "/24").CIDR, "10.0.0.0/24") // the promise is given up
		})
		t.Run("a lost hold is no loss to a plan that excludes it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/22")
			h := r.hold(t, pool, "a", "/24")
			if err := r.ReleaseHold(context.Background(), alice, h.ID); err != nil {
				t.Fatal(err)
			}
			r.take(t, pool, "thief", "10.0.0.0/24")
			wantCIDR(t, "a", r.hold(t, pool, "a", "/24", placed(without("10.0.0.0/24"))).CIDR, "10.0.1.0/24")
		})
		t.Run("what expired is taken last, and only outside", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.hold(t, pool, "old", "/26")
			r.hold(t, pool, "older", "/26")
			r.take(t, pool, "b", "10.0.0.128/25")
			r.wait(25 * time.Hour)
			a, err := r.takeWith(t, pool, "a", "/26", without("10.0.0.0/27"))
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "a", a.CIDR, "10.0.0.64/26")
		})
		t.Run("a child pool and its draft", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/14")
			in := ipam.NewPool{Scope: pool.Scope, Name: "env", Parent: pool.ID, Length: ptr(16), Placing: without("10.0.0.0/15")}
			draft, err := r.DraftPool(context.Background(), alice, in, ipam.Plan{})
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "the draft", draft.CIDR, "10.2.0.0/16")
			in.Placing = without("10.0.0.0/15", "10.2.0.0/24")
			if draft, err = r.DraftPool(context.Background(), alice, in, ipam.Plan{}); err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "the draft of another plan", draft.CIDR, "10.3.0.0/16")
			p, err := r.CreatePool(context.Background(), alice, in)
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "the pool", p.CIDR, "10.3.0.0/16")
		})
		t.Run("a set, and what comes to it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/22")
			sizes := ipam.SetSizes{Members: map[string]ipam.BlockSize{"a": {Length: ptr(25)}, "b": {Length: ptr(25)}}, Placing: without("10.0.0.0/24")}
			set, err := r.AllocateSet(context.Background(), alice, ipam.NewAllocationSet{Pool: pool.ID, Name: "s", SetSizes: sizes})
			if err != nil {
				t.Fatal(err)
			}
			sizes.Members["c"], sizes.Placing = ipam.BlockSize{Length: ptr(25)}, without("10.0.0.0/23")
			set, err = r.UpdateAllocationSet(context.Background(), alice, set.ID, ipam.AnyVersion, ipam.AllocationSetPatch{SetSizes: sizes})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []string{"10.0.1.0/25", "10.0.1.128/25", "10.0.2.0/25"} { // who is there stays
				wantCIDR(t, set.Members[i].Key, set.Members[i].CIDR, want)
			}
		})
		t.Run("a selector passes over a pool that has nothing else", func(t *testing.T) {
			scope := r.scope(t)
			r.rootIn(t, scope, "a", "10.0.0.0/24", labelled("tier", "prd"))
			r.rootIn(t, scope, "b", "10.0.1.0/24", labelled("tier", "prd"))
			in := ipam.NewAllocation{Selector: selecting(scope), Name: "x", BlockSize: ipam.BlockSize{Length: ptr(25), Placing: without("10.0.0.0/24")}}
			a, err := r.Allocate(context.Background(), alice, in)
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "x", a.CIDR, "10.0.1.0/25")
		})
	})
}

func TestARequestMayHaveItsBlockChosenInAnotherWay(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		for strategy, want := range map[alloc.Strategy]string{
			"": "10.0.0.64/27", alloc.BestFit: "10.0.0.64/27", alloc.FirstFit: "10.0.0.64/27", alloc.LargestFit: "10.0.0.128/27", alloc.Sparse: "10.0.0.192/27",
		} {
			for what, exclude := range map[string]ipam.Placing{"": {}, " with something excluded": without("10.0.0.96/27")} {
				pool := r.root(t, "10.0.0.0/24")
				r.take(t, pool, "first", "10.0.0.0/26")
				exclude.Strategy = strategy
				a, err := r.takeWith(t, pool, "a", "/27", exclude)
				if err != nil {
					t.Fatal(err)
				}
				wantCIDR(t, string(strategy)+what, a.CIDR, want)
			}
		}
	})
}

// Whatever is free and whatever is excluded: what is handed out lies outside, and is refused only when nothing outside is free.
func TestExcludingIsExactly(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		random := rand.New(rand.NewPCG(7, 11))
		block := func(least, most int) netip.Prefix {
			bits := least + random.IntN(most-least+1)
			return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(random.IntN(4)), byte(random.IntN(256))}), bits).Masked()
		}
		for range 25 {
			pool := r.root(t, "10.0.0.0/22")
			for i := range 6 {
				_, _ = r.try(pool, string(rune('a'+i)), block(24, 28).String()) // as many as are free
			}
			p := ipam.Placing{Exclude: []netip.Prefix{block(23, 28), block(24, 30), block(22, 30)}}
			length := 24 + random.IntN(5)
			possible := false
			for _, free := range r.free(t, pool) {
				for at := free.Masked().Addr(); free.Contains(at) && free.Bits() <= length; at = ipam.LastIP(netip.PrefixFrom(at, length)).Next() {
					possible = possible || !p.Excludes(netip.PrefixFrom(at, length))
				}
			}
			in := ipam.NewAllocation{Pool: pool.ID, Name: "x", BlockSize: ipam.BlockSize{Length: &length, Placing: p}}
			a, err := r.Allocate(context.Background(), alice, in)
			switch {
			case err == nil && p.Excludes(a.CIDR):
				t.Errorf("%s of %v, which excludes it", a.CIDR, p.Exclude)
			case (err == nil) != possible:
				t.Errorf("a /%d without %v: %v, %v, possible: %t", length, p.Exclude, a.CIDR, err, possible)
			}
		}
	})
}
