package registry_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// While requests for one name are under way, room comes up in a pool that some of them have passed over already.
func TestANameAskedForBySelectorGetsOneHome(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		servers := r.replicas(t)
		const rounds, asking = 25, 9
		for range rounds {
			a, _, _ := r.three(t)
			first, second := r.take(t, a, "first", "/29"), r.take(t, a, "second", "/29")

			made := together(asking+1, func(i int) error {
				if i == 0 {
					return r.Release(t.Context(), alice, first.ID, ipam.Match{})
				}
				in := ipam.NewAllocation{Selector: selecting(a.Scope), Name: "app", BlockSize: ipam.BlockSize{Length: ptr(29)}}
				_, err := servers[i%len(servers)].Allocate(t.Context(), alice, in)
				return err
			})
			wantOutcomes(t, made, map[ipam.Code]int{"": 2, ipam.CodeNameTaken: asking - 1})

			var mu sync.Mutex
			promised := map[string]int{}
			held := together(asking+1, func(i int) error {
				if i == 0 {
					return r.Release(t.Context(), alice, second.ID, ipam.Match{})
				}
				in := ipam.NewHold{Selector: selecting(a.Scope), Name: "web", BlockSize: ipam.BlockSize{Length: ptr(29)}}
				h, err := servers[i%len(servers)].Promise(t.Context(), alice, in)
				mu.Lock()
				defer mu.Unlock()
				promised[fmt.Sprint(h.Pool, " ", h.CIDR)]++
				return err
			})
			wantOutcomes(t, held, map[ipam.Code]int{"": asking + 1})
			if len(promised) != 1 {
				t.Errorf("plans of one name were promised %v", promised)
			}
		}
	})
}

// Sets that share keys but not names, in pools that each has to try, on servers that know nothing of each other: nobody
// waits for anybody in a circle, and no name has two homes.
func TestManyNamesAskedForBySelectorGetOneHomeEach(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		servers := r.replicas(t)
		for range 5 {
			a, _, c := r.three(t)
			const names, times = 8, 4
			outcomes := together(names*times, func(i int) error {
				in := ipam.NewAllocationSet{Selector: selecting(a.Scope), Name: fmt.Sprint("net", i%names), SetSizes: ofSizes("x /32", "y /31")}
				_, err := servers[i%len(servers)].AllocateSet(t.Context(), alice, in)
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": names, ipam.CodeNameTaken: names * (times - 1)})
			if sets, err := r.AllocationSets(t.Context(), ipam.AllocationSetFilter{Pool: c.ID}, ipam.Page{Limit: 9}); err != nil || len(sets) != 0 {
				t.Errorf("sets in the last pool: %v, %v", sets, err)
			}
		}
	})
}
