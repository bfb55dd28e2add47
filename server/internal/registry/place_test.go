package registry_test

import (
	"fmt"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func strategy(s alloc.Strategy) tweak { return func(in *ipam.NewPool) { in.Strategy = s } }

func TestPlaceByStrategy(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		for _, c := range []struct {
			pool  string
			taken [2]string
			ask   string
			want  map[alloc.Strategy]string
		}{
			{
				"10.0.0.0/24",
				[2]string{"10.0.0.0/27", "10.0.0.64/28"},
				"/28",
				map[alloc.Strategy]string{alloc.BestFit: "10.0.0.80/28", alloc.FirstFit: "10.0.0.32/28", alloc.LargestFit: "10.0.0.128/28", alloc.Sparse: "10.0.0.192/28"},
			},
			{
				"2001:db8::/56",
				[2]string{"2001:db8::/59", "2001:db8:0:40::/60"},
				"/60",
				map[alloc.Strategy]string{alloc.BestFit: "2001:db8:0:50::/60", alloc.FirstFit: "2001:db8:0:20::/60", alloc.LargestFit: "2001:db8:0:80::/60", alloc.Sparse: "2001:db8:0:c0::/60"},
			},
		} {
			for s, want := range c.want {
				t.Run(string(s)+" in "+c.pool, func(t *testing.T) {
					pool := r.root(t, c.pool, strategy(s))
					r.take(t, pool, "a", c.taken[0])
					r.take(t, pool, "b", c.taken[1])
					wantCIDR(t, string(s), r.take(t, pool, "c", c.ask).CIDR, want)
				})
			}
		}
		t.Run("best fit where none is named", func(t *testing.T) {
			if got := r.root(t, "10.0.0.0/24").Strategy; got != alloc.BestFit {
				t.Errorf("strategy = %s", got)
			}
		})
	})
}

func TestPlaceOrder(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		t.Run("a named CIDR goes before the last block and the strategy", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.release(t, r.take(t, pool, "a", "10.0.0.64/28"))
			wantCIDR(t, "a", r.take(t, pool, "a", "10.0.0.128/28").CIDR, "10.0.0.128/28")
		})
		t.Run("the last block goes before the strategy", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.release(t, r.take(t, pool, "a", "10.0.0.64/28"))
			wantCIDR(t, "another name", r.take(t, pool, "b", "/28").CIDR, "10.0.0.0/28")
			wantCIDR(t, "the same name", r.take(t, pool, "a", "/28").CIDR, "10.0.0.64/28")
		})
		t.Run("the last block of one length does not bind another", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.release(t, r.take(t, pool, "a", "10.0.0.64/28"))
			wantCIDR(t, "a longer one", r.take(t, pool, "a", "/29").CIDR, "10.0.0.0/29")
		})
		t.Run("the strategy decides once the last block is taken", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.release(t, r.take(t, pool, "a", "10.0.0.64/28"))
			r.take(t, pool, "b", "10.0.0.64/29")
			wantCIDR(t, "a", r.take(t, pool, "a", "/28").CIDR, "10.0.0.80/28")
		})
		t.Run("the last block is forgotten where the pool has moved away from it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.release(t, r.take(t, pool, "a", "10.0.0.192/28"))
			small, err := r.resize(pool, "10.0.0.0/25")
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "a", r.take(t, small, "a", "/28").CIDR, "10.0.0.0/28")
		})
		t.Run("names are sticky in their own pool only", func(t *testing.T) {
			scope := r.scope(t)
			one, two := r.rootIn(t, scope, "one", "10.0.0.0/24"), r.rootIn(t, scope, "two", "10.0.1.0/24")
			r.release(t, r.take(t, one, "a", "10.0.0.64/28"))
			wantCIDR(t, "a in the other pool", r.take(t, two, "a", "/28").CIDR, "10.0.1.0/28")
		})
		t.Run("an allocation and a child pool of one name do not share their last block", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.release(t, r.take(t, pool, "a", "10.0.0.64/28"))
			wantCIDR(t, "the child pool", r.child(t, pool, "a", "/28").CIDR, "10.0.0.0/28")
		})
	})
}

func TestPlaceAtTheEdges(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		for _, c := range []struct{ pool, ask, want string }{
			{"0.0.0.0/0", "/0", "0.0.0.0/0"},
			{"0.0.0.0/0", "/1", "0.0.0.0/1"},
			{"0.0.0.0/0", "/32", "0.0.0.0/32"},
			{"0.0.0.0/0", "255.255.255.255/32", "255.255.255.255/32"},
			{"10.0.0.0/31", "/31", "10.0.0.0/31"},
			{"10.0.0.0/31", "/32", "10.0.0.0/32"},
			{"255.255.255.255/32", "/32", "255.255.255.255/32"},
			{"::/0", "/0", "::/0"},
			{"::/0", "/64", "::/64"},
			{"::/0", "/128", "::/128"},
			{"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
			{"2001:db8::/127", "/128", "2001:db8::/128"},
			{"2001:db8::/64", "/65", "2001:db8::/65"},
		} {
			t.Run(c.ask+" of "+c.pool, func(t *testing.T) {
				pool := r.root(t, c.pool)
				a := r.take(t, pool, "a", c.ask)
				wantCIDR(t, "a", a.CIDR, c.want)
				r.release(t, a)
				wantCIDR(t, "a again", r.take(t, pool, "a", c.ask).CIDR, c.want)
			})
		}
		t.Run("both halves of the whole internet are two roots", func(t *testing.T) {
			scope := r.scope(t)
			r.rootIn(t, scope, "low", "0.0.0.0/1")
			r.rootIn(t, scope, "high", "128.0.0.0/1")
			r.rootIn(t, scope, "six", "::/0")
		})
	})
}

func TestDestroyAndApplyGiveTheSameCIDRs(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scope := r.scope(t)
		names := []string{"app", "db", "cache", "web", "queue"}
		sizes := map[string]string{"app": "/26", "db": "/28", "cache": "/27", "web": "/25", "queue": "/28"}
		build := func(pools, allocations []string) map[string]string {
			got := map[string]string{}
			root := r.rootIn(t, scope, "corp", "10.0.0.0/16")
			for _, p := range pools {
				child := r.child(t, root, p, "/22")
				got[p] = child.CIDR.String()
				for _, a := range allocations {
					got[p+"/"+a] = r.take(t, child, a, sizes[a]).CIDR.String()
				}
			}
			return got
		}
		destroy := func() {
			pools, err := r.Pools(t.Context(), ipam.PoolFilter{Scope: scope, Parent: ipam.PoolID(scope, "corp")}, ipam.Page{Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pools {
				allocations, err := r.Allocations(t.Context(), ipam.AllocationFilter{Pool: p.ID}, ipam.Page{Limit: 100})
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range allocations {
					r.release(t, a)
				}
				r.drop(t, p)
			}
			root, err := r.Pool(t.Context(), ipam.PoolID(scope, "corp"))
			if err != nil {
				t.Fatal(err)
			}
			r.drop(t, root)
		}
		first := build([]string{"eu", "us", "ap"}, names)
		destroy()
		again := build([]string{"ap", "eu", "us"}, []string{"queue", "web", "app", "cache", "db"})
		if fmt.Sprint(again) != fmt.Sprint(first) {
			t.Errorf("before: %v\nafter:  %v", first, again)
		}
	})
}
