package registry

import (
	"errors"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// laneOf is the lane of a pool's change. A move locks two spaces; it has a lane of its own, so that it begins with no lock
// that another write of its batch took, and the order below is the whole order.
func laneOf(p ipam.Pool, patch ipam.PoolPatch) string {
	if p.Moves(patch) {
		return "move " + p.ID
	}
	return p.Lane()
}

// lockToUpdate locks what a patch of a pool touches: the space around it, that which it moves to, and the pool.
func (c edit) lockToUpdate(known ipam.Pool, patch ipam.PoolPatch) (ipam.Pool, error) {
	if !known.Moves(patch) {
		return c.lockWithSpace(known)
	}
	if _, err := known.Moved(patch); err != nil {
		return known, err
	}
	moved := known
	moved.Parent = *patch.Parent
	first, second := known, moved
	if outer, err := c.outer(moved.Parent, string(known.ParentUID)); err != nil {
		return known, err
	} else if outer {
		first, second = moved, known
	}
	for _, p := range []ipam.Pool{first, second} {
		if err := c.lockAround(p); err != nil {
			return known, err
		}
	}
	return c.lockIn(known)
}

// lockAround locks the space that a pool stands in or is to stand in.
func (c edit) lockAround(p ipam.Pool) error {
	if p.Parent == "" {
		_, err := c.Tx.LockScope(string(p.ScopeUID))
		return err
	}
	_, _, err := c.lockParent(p)
	return err
}

// outer reports whether one space is locked before another: the scope before pools, then what may contain before what may be
// contained, and by key where neither can. A pool that is not there comes last and is missed when it is to be locked.
func (c edit) outer(one, other string) (bool, error) {
	if one == "" || other == "" {
		return one == "", nil
	}
	a, err := c.Tx.Pool(one)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b, err := c.Tx.Pool(other)
	switch {
	case ipam.CodeOf(err) == ipam.CodeNotFound:
		return true, nil
	case err != nil:
		return false, err
	case a.CIDR.Bits() != b.CIDR.Bits():
		return a.CIDR.Bits() < b.CIDR.Bits(), nil
	case a.ParentUID == b.UID || b.ParentUID == a.UID:
		return b.ParentUID == a.UID, nil // a child as large as its parent
	default:
		return a.UID < b.UID, nil
	}
}

// move gives a pool a block of another space. What stands in a pool has addresses of the space it leaves, and no other pool
// of the scope can have them, so only an empty pool moves. The caller holds the locks of both spaces and of the pool.
func (c edit) move(before, after ipam.Pool, patch ipam.PoolPatch) (ipam.Pool, error) {
	in, err := before.Moved(patch)
	if err != nil {
		return before, err
	}
	if err := c.dropGrowth(before); err != nil {
		return before, err
	}
	if err := c.empty(before); err != nil {
		return before, err
	}
	if err := c.leaveSpace(before); err != nil {
		return before, err
	}
	after.Parent, after.ParentUID, after.CIDR = in.Parent, "", in.CIDR
	if after.Parent != "" {
		parent, err := c.Tx.Pool(after.Parent)
		if err == nil && ipam.Family(parent.CIDR) != ipam.Family(before.CIDR) {
			err = ipam.Invalid("/parent", "pool %s is %s and %s is %s; a pool and its parent are of one family", before.ID, before.CIDR, parent.ID, parent.CIDR)
		}
		if err != nil {
			return before, err
		}
	}
	if after, err = c.placePool(after, in, ipam.Plan{}); err != nil {
		return before, err
	}
	if err := after.Sizes.Check(after.CIDR); err != nil {
		return before, err
	}
	return after, c.Tx.Leaves(after).Add(after.CIDR)
}

// empty takes all of a pool's own space, from promises of the past too; CodePoolNotEmpty when anything stands in it.
func (c edit) empty(pool ipam.Pool) error {
	err := c.placeAt(pool, pool.CIDR, "")
	taken, ok := errors.AsType[*ipam.Error](err)
	if !ok || taken.Code != ipam.CodeCIDRTaken || len(taken.Holders) == 0 {
		return err
	}
	h := taken.Holders[0]
	e := ipam.Errorf(ipam.CodePoolNotEmpty, "pool %s is not empty: %s %q holds %s, which no other parent has; release what is in the pool before it moves", pool.ID, h.Kind, h.Name, h.CIDR)
	e.Holders = taken.Holders
	return e
}

// leaveSpace frees the block of a pool in the space around it.
func (c edit) leaveSpace(p ipam.Pool) error {
	if p.Parent == "" {
		return c.Tx.DeletePrefix(string(p.UID))
	}
	parent, err := c.Tx.Pool(string(p.ParentUID))
	if err != nil {
		return err
	}
	return c.giveBack(parent, ipam.KindPool, string(p.UID), p.Name, p.CIDR)
}
