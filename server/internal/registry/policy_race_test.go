package registry_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// What is allocated once a policy has been set keeps to it, whatever was on its way meanwhile in pools far below.
func TestNoRequestPassesAPolicyThatIsBeingSet(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/8")
		deep := r.child(t, r.child(t, root, "mid", "/10"), "deep", "/12")
		for round := range 5 {
			var done atomic.Bool
			var workers sync.WaitGroup
			for w := range 4 {
				workers.Go(func() {
					for i := 0; !done.Load(); i++ {
						_, err := r.try(deep, fmt.Sprintf("r%d-%d-%d", round, w, i), "/28")
						if err != nil && ipam.CodeOf(err) != ipam.CodePolicyViolation {
							t.Errorf("allocate: %v", err)
							return
						}
					}
				})
			}
			r.govern(t, root, ipam.Rules{Max: ptr(26)})
			before := r.countIn(t, deep)
			for i := range 20 { // while the others go on
				r.take(t, deep, fmt.Sprintf("late%d-%d", round, i), "/26")
			}
			after := r.countIn(t, deep)
			done.Store(true)
			workers.Wait()
			if after != before+20 {
				t.Errorf("round %d: %d blocks that the policy forbids were handed out after it was set", round, after-before-20)
			}
			if err := r.DeletePolicy(context.Background(), alice, root.ID, ipam.AnyVersion); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func (r lab) countIn(t tb, pool ipam.Pool) (n int) {
	t.Helper()
	_, use, err := r.Utilization(context.Background(), pool.ID)
	if err != nil {
		t.Fatalf("count in %s: %v", pool.ID, err)
	}
	return int(use.Allocations)
}

// Pools side by side have locks of their own, and one owner has its share of all of them.
func TestAShareHoldsForRequestsInPoolsSideBySide(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/16")
		var pools []ipam.Pool
		for i := range 4 {
			pools = append(pools, r.child(t, root, fmt.Sprint("p", i), "/18"))
		}
		r.govern(t, root, ipam.Rules{MaxOwnerShare: 10}) // 6553 addresses: 25 blocks of 256
		var got atomic.Int64
		var workers sync.WaitGroup
		for _, p := range pools {
			workers.Go(func() {
				for i := range 12 {
					_, err := r.tryWith(p, fmt.Sprint("a", i), "/24", func(in *ipam.NewAllocation) { in.Owner = "net" })
					switch ipam.CodeOf(err) {
					case "":
						got.Add(1)
					case ipam.CodePolicyViolation:
					default:
						t.Errorf("allocate: %v", err)
					}
				}
			})
		}
		workers.Wait()
		if got.Load() != 25 {
			t.Errorf("the owner has %d blocks, and its share is 25", got.Load())
		}
	})
}
