package registry_test

import (
	"math"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestScopesIsolateOverlap(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		one, two := r.scope(t), r.scope(t)
		for _, scope := range []string{one, two} {
			for _, cidr := range []string{"10.0.0.0/16", "2001:db8::/56"} {
				pool := r.rootIn(t, scope, map[bool]string{true: "four", false: "six"}[cidr[0] == '1'], cidr)
				r.take(t, pool, "a", cidr)
			}
		}
		_, err := r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: one, Name: "again", CIDR: r.cidr("10.0.0.0/24")})
		wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "four")
		_, err = r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: two, Parent: ipam.PoolID(one, "four"), Name: "x", Length: ptr(24)})
		wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/parent")
	})
}

func TestDeleteScope(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scope := r.scope(t)
		pool := r.rootIn(t, scope, "corp", "10.0.0.0/16")
		wantHolders(t, wantCode(t, r.DeleteScope(t.Context(), alice, scope, r.atScope(t, scope, 1)), ipam.CodeScopeNotEmpty), "corp")
		wantCode(t, r.DeleteScope(t.Context(), alice, scope, ipam.Match{}), ipam.CodePreconditionRequired)
		wantCode(t, r.DeleteScope(t.Context(), alice, scope, r.atScope(t, scope, 7)), ipam.CodePreconditionFailed)
		wantCode(t, r.DeleteScope(t.Context(), alice, "nowhere", r.atScope(t, "nowhere", 1)), ipam.CodeNotFound)
		wantCode(t, r.DeleteScope(t.Context(), alice, ipam.DefaultScope, r.atScope(t, ipam.DefaultScope, 1)), ipam.CodeInvalid)
		r.drop(t, pool)
		if err := r.DeleteScope(t.Context(), alice, scope, r.atScope(t, scope, 1)); err != nil {
			t.Fatal(err)
		}
		_, err := r.Scope(t.Context(), scope)
		wantCode(t, err, ipam.CodeNotFound)
	})
}

func TestTree(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		t.Run("parents stand before their children, siblings in address order", func(t *testing.T) {
			scope := r.scope(t)
			six, high, low := r.rootIn(t, scope, "a-six", "::/0"), r.rootIn(t, scope, "b-high", "10.0.0.0/8"), r.rootIn(t, scope, "c-low", "9.0.0.0/8")
			r.child(t, high, "second", "10.1.0.0/16")
			first := r.child(t, high, "first", "10.0.0.0/16")
			r.child(t, first, "deep", "10.0.0.0/24")
			nodes, truncated, err := r.Tree(t.Context(), scope)
			if err != nil || truncated {
				t.Fatal(err, truncated)
			}
			want := []struct {
				name  string
				depth int
			}{{low.Name, 0}, {high.Name, 0}, {"first", 1}, {"deep", 2}, {"second", 1}, {six.Name, 0}}
			if len(nodes) != len(want) {
				t.Fatalf("%d nodes, want %d", len(nodes), len(want))
			}
			for i, w := range want {
				if nodes[i].Pool.Name != w.name || nodes[i].Depth != w.depth {
					t.Errorf("node %d is %s at depth %d, want %s at %d", i, nodes[i].Pool.Name, nodes[i].Depth, w.name, w.depth)
				}
			}
		})
		for _, c := range []struct {
			pool string
			take []string
			want []ipam.Segment
		}{
			{"10.0.0.0/24", nil, nil},
			{"10.0.0.0/24", []string{"10.0.0.0/24"}, []ipam.Segment{{Start: 0, End: 1}}},
			{"10.0.0.0/24", []string{"10.0.0.128/25"}, []ipam.Segment{{Start: .5, End: 1}}},
			{"10.0.0.0/24", []string{"10.0.0.0/26", "10.0.0.64/26"}, []ipam.Segment{{Start: 0, End: .5}}},
			{"10.0.0.0/24", []string{"10.0.0.0/26", "10.0.0.128/26"}, []ipam.Segment{{Start: 0, End: .25}, {Start: .5, End: .75}}},
			{"10.0.0.0/31", []string{"10.0.0.0/32"}, []ipam.Segment{{Start: 0, End: .5}}},
			{"255.255.255.255/32", []string{"255.255.255.255/32"}, []ipam.Segment{{Start: 0, End: 1}}},
			{"255.255.255.128/25", []string{"255.255.255.254/32", "255.255.255.255/32"}, []ipam.Segment{{Start: 126. / 128, End: 1}}},
			{"::/0", []string{"8000::/1"}, []ipam.Segment{{Start: .5, End: 1}}},
			{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", []string{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"}, []ipam.Segment{{Start: .5, End: 1}}},
		} {
			t.Run("the space bar of "+c.pool, func(t *testing.T) {
				pool := r.root(t, c.pool)
				for _, block := range c.take {
					r.take(t, pool, "a"+block[len(block)-5:], block)
				}
				nodes, _, err := r.Tree(t.Context(), pool.Scope)
				if err != nil || len(nodes) != 1 || len(nodes[0].Bar) != len(c.want) {
					t.Fatalf("nodes = %+v, %v", nodes, err)
				}
				for i, w := range c.want {
					if got := nodes[0].Bar[i]; got.Start != w.Start || got.End != w.End || got.Kind != ipam.KindAllocation {
						t.Errorf("segment %d = %+v, want %+v", i, got, w)
					}
				}
			})
		}
	})
}

func TestUtilization(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		for _, c := range []struct {
			pool, take, used, free, total string
			largest                       int
			fragmentation                 float64
		}{
			{"10.0.0.0/24", "10.0.0.0/26", "64", "192", "256", 25, 1 - 128./192},
			{"0.0.0.0/0", "0.0.0.0/1", "2147483648", "2147483648", "4294967296", 1, 0},
			{"::/0", "::/1", "170141183460469231731687303715884105728", "170141183460469231731687303715884105728", "340282366920938463463374607431768211456", 1, 0},
		} {
			pool := r.root(t, c.pool)
			r.take(t, pool, "a", c.take)
			_, u, err := r.Utilization(t.Context(), pool.ID)
			if err != nil {
				t.Fatal(err)
			}
			if u.Used.String() != c.used || u.Free.String() != c.free || u.Total.String() != c.total || *u.LargestFree != c.largest ||
				math.Abs(u.Fragmentation(ipam.Family(pool.CIDR))-c.fragmentation) > 1e-9 || u.Allocations != 1 || u.Children != 0 {
				t.Errorf("%s: %+v", c.pool, u)
			}
		}
		t.Run("fits counts past 2^64", func(t *testing.T) {
			pool := r.root(t, "::/0")
			r.take(t, pool, "a", "::/128")
			sizes, err := r.FreeSizes(t.Context(), pool.ID)
			if err != nil || len(sizes) != 128 {
				t.Fatalf("%d sizes, %v", len(sizes), err)
			}
			if last := sizes[127]; last.Length != 128 || last.Blocks != 1 || last.First.String() != "::1/128" || last.Fits.String() != "340282366920938463463374607431768211455" {
				t.Errorf("last = %+v", last)
			}
		})
	})
}
