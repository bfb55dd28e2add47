package ipam_test

import (
	"math"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestAUIDIsItsKeyAndSortsLikeIt(t *testing.T) {
	last := ipam.UID("")
	for _, key := range []int64{1, 2, 31, 32, 1023, 1 << 22, 1<<22 + 1, 1 << 40, 1<<62 - 1, 1 << 62, math.MaxInt64} {
		uid := ipam.KeyUID("pool", key)
		if len(uid) != len("pool_")+13 || uid.Key() != key || ipam.KeyOf("pool", string(uid)) != key || ipam.KeyOf("hold", string(uid)) != 0 {
			t.Errorf("%d: %s is %d", key, uid, uid.Key())
		}
		if uid <= last {
			t.Errorf("%s sorts before %s", uid, last)
		}
		last = uid
	}
	if ipam.SystemPrincipalUID.Key() != 1 || ipam.KeyUID("principal", 1) != ipam.SystemPrincipalUID || ipam.KeyUID("chain", 0) != ipam.SystemChain {
		t.Error("the UIDs that every installation has are not those of their keys")
	}
	for _, none := range []ipam.UID{"", "pool", "pool_", "pool_1", "pool_000000000000w", "pool_8000000000000", "pool_00000000000011", "pool_000000000000A"} {
		if none.Key() != 0 {
			t.Errorf("%q is read as %d", none, none.Key())
		}
	}
}

func TestNewUIDsRiseAndNeverRepeat(t *testing.T) {
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := map[ipam.UID]bool{}
	for range 4 {
		all.Go(func() {
			last := ipam.UID("")
			for range 5000 {
				u := ipam.NewUID("pool")
				mu.Lock()
				if u <= last || seen[u] {
					t.Errorf("%s comes after %s", u, last)
				}
				seen[u], last = true, u
				mu.Unlock()
			}
		})
	}
	all.Wait()
}
