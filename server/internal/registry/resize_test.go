package registry_test

import (
	"fmt"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestResize(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		for _, c := range []struct{ from, to, want, free string }{
			{"10.0.0.0/24", "/23", "10.0.0.0/23", "[10.0.0.16/28 10.0.0.32/27 10.0.0.64/26 10.0.0.128/25 10.0.1.0/24]"},
			{"10.0.1.0/24", "/23", "10.0.0.0/23", "[10.0.0.0/24 10.0.1.16/28 10.0.1.32/27 10.0.1.64/26 10.0.1.128/25]"},
			{"10.0.0.0/24", "10.0.0.0/25", "10.0.0.0/25", "[10.0.0.16/28 10.0.0.32/27 10.0.0.64/26]"},
			{"10.0.0.0/24", "/28", "10.0.0.0/28", "[]"},
			{"10.0.0.0/24", "10.0.0.0/24", "10.0.0.0/24", "[10.0.0.16/28 10.0.0.32/27 10.0.0.64/26 10.0.0.128/25]"},
			{"2001:db8::/64", "/62", "2001:db8::/62", "[2001:db8:0:0:1000::/68 2001:db8:0:0:2000::/67 2001:db8:0:0:4000::/66 2001:db8:0:0:8000::/65 2001:db8:0:1::/64 2001:db8:0:2::/63]"},
		} {
			t.Run(c.from+" to "+c.to, func(t *testing.T) {
				inner := map[bool]string{true: "/68", false: "/28"}[c.from[0] == '2']
				world := map[bool]string{true: "::/0", false: "0.0.0.0/0"}[c.from[0] == '2']
				root := r.root(t, c.from)
				for what, pool := range map[string]ipam.Pool{"root": root, "child": r.child(t, r.root(t, world), "kid", c.from)} {
					a := r.take(t, pool, "a", inner)
					resized, err := r.resize(pool, c.to)
					if err != nil {
						t.Fatal(what, err)
					}
					wantCIDR(t, what, resized.CIDR, c.want)
					if got := fmt.Sprint(r.free(t, resized)); got != c.free {
						t.Errorf("%s: free = %v, want %v", what, got, c.free)
					}
					if kept, err := r.Allocation(t.Context(), a.ID); err != nil || kept.CIDR != a.CIDR {
						t.Errorf("%s: the allocation moved to %s, %v", what, kept.CIDR, err)
					}
				}
			})
		}
		t.Run("there and back leaves the parent as it was", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/16")
			kid := r.child(t, root, "kid", "10.0.4.0/24")
			before := fmt.Sprint(r.free(t, root))
			for _, to := range []string{"/20", "10.0.4.0/26", "/24"} {
				var err error
				if kid, err = r.resize(kid, to); err != nil {
					t.Fatal(to, err)
				}
			}
			if after := fmt.Sprint(r.free(t, root)); after != before {
				t.Errorf("free before: %s\nfree after:  %s", before, after)
			}
		})
	})
}

func TestResizeRefused(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		unchanged := func(t *testing.T, pool ipam.Pool, free string) {
			t.Helper()
			now, err := r.Pool(t.Context(), pool.ID)
			if err != nil || now.CIDR != pool.CIDR || now.Version != pool.Version || fmt.Sprint(r.free(t, now)) != free {
				t.Errorf("pool = %+v, %v, free = %v, want %s", now, err, r.free(t, now), free)
			}
		}
		t.Run("shrinking away from what is in the pool names it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.take(t, pool, "a", "10.0.0.192/28")
			free := fmt.Sprint(r.free(t, pool))
			_, err := r.resize(pool, "10.0.0.0/26")
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "a")
			unchanged(t, pool, free)
		})
		t.Run("growing a root over another names it", func(t *testing.T) {
			scope := r.scope(t)
			pool := r.rootIn(t, scope, "one", "10.0.0.0/24")
			r.rootIn(t, scope, "two", "10.0.7.0/24")
			_, err := r.resize(pool, "10.0.0.0/20")
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "two")
			unchanged(t, pool, "[10.0.0.0/24]")
		})
		t.Run("growing a child over its neighbour names it", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/16")
			kid := r.child(t, root, "kid", "10.0.0.0/24")
			r.take(t, root, "neighbour", "10.0.1.0/25")
			free := fmt.Sprint(r.free(t, root))
			_, err := r.resize(kid, "/22")
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "neighbour")
			unchanged(t, kid, "[10.0.0.0/24]")
			unchanged(t, root, free)
		})
		t.Run("a child does not outgrow its parent or the parent's policy", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/16", sizes(20, 26, 24))
			kid := r.child(t, root, "kid", "10.0.0.0/24")
			for to, code := range map[string]ipam.Code{"/19": ipam.CodePolicyViolation, "/27": ipam.CodePolicyViolation, "/15": ipam.CodeInvalid} {
				_, err := r.resize(kid, to)
				wantCode(t, err, code)
			}
			unchanged(t, kid, "[10.0.0.0/24]")
		})
		t.Run("a pool does not move or change its family", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			for _, to := range []string{"10.0.1.0/24", "10.0.2.0/23", "2001:db8::/64", "::/0"} {
				_, err := r.resize(pool, to)
				wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/cidr")
			}
			_, err := r.resize(pool, "/33")
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/prefix_length")
		})
		t.Run("a pool does not shrink below its own rules", func(t *testing.T) {
			_, err := r.resize(r.root(t, "10.0.0.0/16", sizes(20, 26, 24)), "/21")
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/min_prefix_length")
		})
	})
}
