package change

import (
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// LockAll takes the locks of several spaces in the order in which all take them: of scopes by key, and then of pools from the outside
// in.
func (c Change) LockAll(scopes []ipam.UID, pools []ipam.Pool) error {
	slices.Sort(scopes)
	for _, uid := range slices.Compact(scopes) {
		if _, err := c.Tx.LockScope(ipam.Everything, string(uid)); err != nil {
			return err
		}
	}
	slices.SortFunc(pools, func(p, q ipam.Pool) int {
		if p.LockedBefore(q) {
			return -1
		}
		return 1
	})
	for _, p := range pools {
		if _, err := c.Tx.LockPool(ipam.Everything, string(p.UID)); err != nil {
			return err
		}
	}
	return nil
}
