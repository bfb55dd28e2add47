package registry_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestWhatExpiredIsInNobodysWayHoweverMuchItIs(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		root := r.root(t, "10.0.0.0/8")
		pool := r.child(t, root, "busy", "10.1.0.0/16")
		for i := range 120 {
			r.hold(t, pool, fmt.Sprint("n", i), "/28")
		}
		r.wait(25 * time.Hour)
		t.Run("a block that contains it is free", func(t *testing.T) {
			wantCIDR(t, "it", r.take(t, pool, "big", "10.1.0.0/17").CIDR, "10.1.0.0/17")
		})
		t.Run("what stands among it is what is in the way", func(t *testing.T) {
			pool := r.child(t, root, "other", "10.2.0.0/16")
			for i := range 120 {
				r.hold(t, pool, fmt.Sprint("n", i), "/28")
			}
			r.wait(25 * time.Hour)
			r.take(t, pool, "stands", "10.2.64.0/28")
			_, err := r.try(pool, "big", "10.2.0.0/17")
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "stands")
		})
		t.Run("at the root of a scope", func(t *testing.T) {
			scope := r.scope(t)
			for i := range 120 {
				in := ipam.NewPool{Scope: scope, Name: fmt.Sprint("d", i), CIDR: r.cidr(fmt.Sprintf("10.0.%d.0/24", i))}
				if _, err := r.DraftPool(t.Context(), alice, in, ipam.Plan{}); err != nil {
					t.Fatal(err)
				}
			}
			r.wait(25 * time.Hour)
			r.rootIn(t, scope, "all", "10.0.0.0/8")
		})
	})
}

func TestTheWholeOfAFamilyIsAPool(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		for _, cidr := range []string{"::/0", "0.0.0.0/0"} {
			pool := r.root(t, cidr)
			first := "::/64"
			if cidr == "0.0.0.0/0" {
				first = "0.0.0.0/24"
			}
			r.hold(t, pool, "h", first)
			free := r.free(t, pool)
			if _, _, err := r.Utilization(t.Context(), pool.ID); err != nil || len(free) < 20 {
				t.Errorf("free = %v, %v", free, err)
			}
			r.wantSound(t)
			if _, err := r.FreeSizes(t.Context(), pool.ID); err != nil {
				t.Error(err)
			}
			if err := r.DeletePool(t.Context(), alice, pool.ID, at(pool, 1)); err != nil {
				t.Error(err)
			}
		}
	})
}
