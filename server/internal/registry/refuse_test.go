package registry_test

import (
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func sizes(min, max, standard int) tweak {
	return func(in *ipam.NewPool) { in.Sizes = ipam.Sizes{Min: &min, Max: &max, Default: &standard} }
}

func TestPolicy(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/16", sizes(20, 26, 24))
		t.Run("a request that names no size gets the default", func(t *testing.T) {
			wantCIDR(t, "default", r.take(t, pool, "default", "").CIDR, "10.0.0.0/24")
		})
		t.Run("the largest and the smallest allowed block are handed out", func(t *testing.T) {
			r.take(t, pool, "largest", "/20")
			r.take(t, pool, "smallest", "/26")
		})
		for _, ask := range []string{"/19", "/27", "10.0.128.0/19", "10.0.128.0/27"} {
			t.Run(ask+" is against the policy", func(t *testing.T) {
				_, err := r.try(pool, "x", ask)
				wantPointer(t, wantCode(t, err, ipam.CodePolicyViolation), "/prefix_length")
				_, err = r.tryChild(pool, "x", ask)
				wantCode(t, err, ipam.CodePolicyViolation)
			})
		}
		for _, ask := range []string{"/15", "/33"} {
			t.Run(ask+" can not be in the pool at all", func(t *testing.T) {
				_, err := r.try(pool, "x", ask)
				wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/prefix_length")
			})
		}
		t.Run("no size and no default is a question back", func(t *testing.T) {
			_, err := r.try(r.root(t, "10.0.0.0/16"), "x", "")
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/prefix_length")
		})
		for name, bad := range map[string]ipam.Sizes{
			"a rule larger than the pool":   {Min: ptr(15)},
			"a rule past the family":        {Max: ptr(33)},
			"a minimum past the maximum":    {Min: ptr(25), Max: ptr(24)},
			"a default below the minimum":   {Min: ptr(24), Default: ptr(23)},
			"a default past the maximum":    {Max: ptr(24), Default: ptr(25)},
			"a default larger than a block": {Default: ptr(8)},
		} {
			t.Run(name+" is refused", func(t *testing.T) {
				_, err := r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: r.scope(t), Name: "x", CIDR: pool.CIDR, Sizes: bad})
				wantCode(t, err, ipam.CodeInvalid)
			})
		}
	})
}

func TestExhausted(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scope := r.scope(t)
		full := r.rootIn(t, scope, "full", "10.0.0.0/28")
		r.take(t, full, "a", "10.0.0.0/29")
		t.Run("says the largest free block", func(t *testing.T) {
			_, err := r.try(full, "b", "/28")
			e := wantCode(t, err, ipam.CodePoolExhausted)
			if e.LargestFree == nil || *e.LargestFree != 29 || e.NearestPool != "" {
				t.Errorf("largest = %v, nearest = %q", e.LargestFree, e.NearestPool)
			}
		})
		r.rootIn(t, scope, "six", "2001:db8::/64")
		r.rootIn(t, r.scope(t), "elsewhere", "10.0.0.0/8")
		near := r.rootIn(t, scope, "near", "10.1.0.0/24")
		t.Run("names a pool of the same scope and family that has room", func(t *testing.T) {
			_, err := r.try(full, "b", "/28")
			if e := wantCode(t, err, ipam.CodePoolExhausted); e.NearestPool != near.ID {
				t.Errorf("nearest = %q, want %q", e.NearestPool, near.ID)
			}
		})
		t.Run("a full pool has no largest free block", func(t *testing.T) {
			r.take(t, full, "b", "/29")
			_, err := r.try(full, "c", "/32")
			if e := wantCode(t, err, ipam.CodePoolExhausted); e.LargestFree != nil {
				t.Errorf("largest = %v", *e.LargestFree)
			}
		})
	})
}

func TestTaken(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/24")
		r.take(t, pool, "a", "10.0.0.0/27")
		r.child(t, pool, "b", "10.0.0.64/27")
		t.Run("a taken CIDR names all that is in the way", func(t *testing.T) {
			_, err := r.try(pool, "x", "10.0.0.0/25")
			e := wantCode(t, err, ipam.CodeCIDRTaken)
			wantPointer(t, e, "/cidr")
			wantHolders(t, e, "a", "b")
			if e.Holders[0].Kind != ipam.KindAllocation || e.Holders[1].Kind != ipam.KindPool || e.Holders[1].CIDR.String() != "10.0.0.64/27" {
				t.Errorf("holders = %+v", e.Holders)
			}
		})
		t.Run("a CIDR inside a taken one names its holder", func(t *testing.T) {
			_, err := r.try(pool, "x", "10.0.0.80/28")
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "b")
		})
		t.Run("a taken root CIDR names the pool", func(t *testing.T) {
			_, err := r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: pool.Scope, Name: "x", CIDR: pool.CIDR})
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "root")
		})
		t.Run("a taken name names its holder", func(t *testing.T) {
			_, err := r.try(pool, "a", "/28")
			e := wantCode(t, err, ipam.CodeNameTaken)
			wantPointer(t, e, "/name")
			wantHolders(t, e, "a")
		})
		t.Run("a taken pool name is refused", func(t *testing.T) {
			_, err := r.tryChild(pool, "b", "/28")
			wantPointer(t, wantCode(t, err, ipam.CodeNameTaken), "/name")
		})
		t.Run("a released name is free again", func(t *testing.T) {
			r.release(t, r.take(t, pool, "again", "/28"))
			r.take(t, pool, "again", "/29")
		})
		for _, ask := range []string{"10.0.1.0/28", "10.0.0.0/23", "0.0.0.0/0", "2001:db8::/64", "::/128"} {
			t.Run(ask+" lies outside the pool", func(t *testing.T) {
				_, err := r.try(pool, "x", ask)
				wantPointer(t, wantCode(t, err, ipam.CodeOutsidePool), "/cidr")
				_, err = r.tryChild(pool, "x", ask)
				wantCode(t, err, ipam.CodeOutsidePool)
			})
		}
		t.Run("a CIDR and a length that disagree are refused", func(t *testing.T) {
			_, err := r.Allocate(t.Context(), alice, ipam.NewAllocation{Pool: pool.ID, Name: "x", BlockSize: ipam.BlockSize{CIDR: pool.CIDR, Length: ptr(28)}})
			wantCode(t, err, ipam.CodeInvalid)
		})
		t.Run("an unknown pool is named at its field", func(t *testing.T) {
			_, err := r.Allocate(t.Context(), alice, ipam.NewAllocation{Pool: "nowhere", Name: "x", BlockSize: ipam.BlockSize{Length: ptr(28)}})
			wantPointer(t, wantCode(t, err, ipam.CodeNotFound), "/pool")
			_, err = r.CreatePool(t.Context(), alice, ipam.NewPool{Parent: "nowhere", Name: "x", Length: ptr(28)})
			wantPointer(t, wantCode(t, err, ipam.CodeNotFound), "/parent")
			_, err = r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: "nowhere", Name: "x", CIDR: pool.CIDR})
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/scope")
		})
	})
}

func TestDeletePool(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		remove := func(p ipam.Pool, v int64) error {
			if v == 0 {
				return r.DeletePool(t.Context(), alice, p.ID, ipam.Match{})
			}
			return r.DeletePool(t.Context(), alice, p.ID, at(p, v))
		}
		t.Run("a pool that is not empty names the first five holders", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			for _, name := range []string{"f", "e", "d", "c", "b", "a"} {
				r.take(t, pool, name, "/28")
			}
			wantHolders(t, wantCode(t, remove(pool, pool.Version), ipam.CodePoolNotEmpty), "f", "e", "d", "c", "b")
		})
		t.Run("a pool with a child is not empty", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.child(t, pool, "kid", "/24")
			wantHolders(t, wantCode(t, remove(pool, pool.Version), ipam.CodePoolNotEmpty), "kid")
		})
		t.Run("a protected pool stays", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24", func(in *ipam.NewPool) { in.DeletionProtection = true })
			wantCode(t, remove(pool, pool.Version), ipam.CodeDeletionProtected)
			open, err := r.UpdatePool(t.Context(), alice, pool.ID, at(pool, 1), ipam.PoolPatch{DeletionProtection: ptr(false)})
			if err != nil {
				t.Fatal(err)
			}
			r.drop(t, open)
		})
		t.Run("the version is asked for and must be the last", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			wantCode(t, remove(pool, 0), ipam.CodePreconditionRequired)
			wantCode(t, remove(pool, 2), ipam.CodePreconditionFailed)
		})
		t.Run("a child's block goes back to its parent", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.drop(t, r.child(t, pool, "kid", "/24"))
			r.take(t, pool, "all", "/24")
		})
		t.Run("a deleted pool is not found", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.drop(t, pool)
			wantCode(t, remove(pool, 1), ipam.CodeNotFound)
		})
	})
}
