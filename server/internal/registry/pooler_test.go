package registry_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestEverythingWorksBehindPgBouncerInTransactionMode(t *testing.T) {
	r := open(t, storetest.Pooler(t, storetest.Postgres(t)))
	scope := r.scope(t)
	var pools []ipam.Pool
	for i := range 4 {
		pools = append(pools, r.rootIn(t, scope, fmt.Sprint("p", i), fmt.Sprintf("10.%d.0.0/16", i), func(p *ipam.NewPool) { p.Labels = ipam.Labels{"env": "ci"} }))
	}
	var done sync.WaitGroup
	for w := range 8 {
		done.Go(func() {
			for i := range 8 {
				in := ipam.NewAllocation{Name: fmt.Sprintf("a%d-%d", w, i), BlockSize: ipam.BlockSize{Length: new(26)}}
				if i%2 == 0 {
					in.Pool = pools[w%4].ID
				} else {
					in.Selector = &ipam.PoolSelector{Scope: scope, Family: 4, Labels: ipam.Labels{"env": "ci"}}
				}
				a, err := r.Allocate(context.Background(), alice, in)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := r.Allocations(context.Background(), ipam.AllocationFilter{Pool: a.Pool}, ipam.Page{Limit: 10}); err != nil {
					t.Error(err)
				}
				if i%4 == 3 {
					r.release(t, a)
				}
			}
		})
	}
	done.Wait()
	r.wantSound(t)
}
