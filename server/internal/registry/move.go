package registry

import (
	"cmp"
	"errors"

	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/quarantine"
)

// lockToUpdate locks what a patch of a pool touches: the space around it, that which it moves to, and the pool.
func (c edit) lockToUpdate(known ipam.Pool, patch ipam.PoolPatch) (ipam.Pool, error) {
	if !known.Moves(patch) {
		return c.lockWithSpace(known)
	}
	if _, err := known.Moved(patch); err != nil {
		return known, err
	}
	if err := c.May(known.Around()); err != nil {
		return known, err
	}
	moved := known
	moved.Parent = *patch.Parent
	first, second := known, moved
	if outer, err := choose.Outer(c.Tx, moved.Parent, string(known.ParentUID)); err != nil {
		return known, err
	} else if outer {
		first, second = moved, known
	}
	for _, p := range []ipam.Pool{first, second} {
		if _, _, err := c.lockAround(p); err != nil {
			return known, choose.OrMoved(c.Tx, err, known)
		}
	}
	return c.lockIn(known)
}

// lockAround locks the space that a pool stands in or is to stand in, and answers the pool with it, and the pool of the space: one
// without a key at the root of a scope.
func (c edit) lockAround(p ipam.Pool) (in, around ipam.Pool, err error) {
	if p.Parent == "" {
		p, err = c.lockRoot(p)
		return p, around, err
	}
	return c.lockParent(p)
}

// lockParent locks the pool that another is to be in, and answers that other with it as its parent. A draft may be in drafts
// and pools, a pool in pools only.
func (c edit) lockParent(p ipam.Pool) (child, parent ipam.Pool, err error) {
	parent, err = c.Tx.LockPool(c.By.Sees(), p.Parent)
	if err == nil && parent.DraftUntil != nil && p.DraftUntil == nil {
		err = ipam.Errorf(ipam.CodeNotFound, "there is no pool %q", p.Parent)
	}
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return p, parent, ipam.At("/parent", err)
	}
	if err == nil && parent.Scope != p.Scope && string(parent.ScopeUID) != p.Scope {
		return p, parent, ipam.Invalid("/parent", "pool %q is of scope %q, not %q; a pool and its parent share a scope", p.Parent, parent.Scope, p.Scope)
	}
	if err == nil {
		err = c.May(parent.Inside())
	}
	p.Parent, p.ParentUID, p.Scope, p.ScopeUID = parent.ID, parent.UID, parent.Scope, parent.ScopeUID
	p.ID = ipam.PoolID(p.Scope, p.Name)
	return p, parent, err
}

// lockRoot locks the root of the scope that a root pool is to be in, and answers the pool with it as its scope. A draft may be
// in drafts and scopes, a pool in scopes only.
func (c edit) lockRoot(p ipam.Pool) (ipam.Pool, error) {
	s, err := c.Tx.LockScope(c.By.Sees(), cmp.Or(string(p.ScopeUID), p.Scope))
	if err == nil && s.DraftUntil != nil && p.DraftUntil == nil {
		err = ipam.Errorf(ipam.CodeNotFound, "there is no scope %q", p.Scope)
	}
	if err != nil {
		return p, ipam.NoScope(err)
	}
	if err := c.May(s.Root()); err != nil {
		return p, err
	}
	p.Scope, p.ScopeUID = s.ID, s.UID
	p.ID = ipam.PoolID(p.Scope, p.Name)
	return p, nil
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
	lifted, err := c.Tx.QuarantinesOf(before.UID, before.CIDR)
	if err != nil {
		return before, err
	}
	if err := cmp.Or(quarantine.LiftAll(c.Change, before), c.empty(before), c.leaveSpace(before)); err != nil {
		return before, err
	}
	if len(lifted) > 0 { // what is in quarantine stays where its addresses are
		_, around, err := c.lockAround(before)
		if err := cmp.Or(err, quarantine.Settle(c.Change, lifted, around)); err != nil {
			return before, err
		}
	}
	after.Parent, after.ParentUID, after.CIDR = in.Parent, "", in.CIDR
	if after.Parent != "" {
		parent, err := c.Tx.Pool(ipam.Everything, after.Parent)
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
	return after, c.freeAll(after)
}

// empty takes all of a pool's own space, from promises of the past too; CodePoolNotEmpty when anything stands in it.
func (c edit) empty(pool ipam.Pool) error {
	err := c.placeAt(pool, pool.CIDR, "")
	taken, ok := errors.AsType[*ipam.Error](err)
	if !ok || taken.Code != ipam.CodeCIDRTaken || len(taken.Holders) == 0 {
		return err
	}
	return ipam.PoolNotEmpty(pool, taken.Holders, ", which no other parent has; release what is in the pool before it moves")
}

// leaveSpace frees the block of a pool in the space around it, where it has one.
func (c edit) leaveSpace(p ipam.Pool) error {
	if p.DraftEncloses {
		return nil
	}
	if p.Parent == "" {
		return c.Tx.DeletePrefix(string(p.UID))
	}
	parent, err := c.Tx.Pool(ipam.Everything, string(p.ParentUID))
	if err != nil {
		return err
	}
	return c.leaveBlock(parent, ipam.KindPool, ipam.Allocation{ID: string(p.UID), Name: p.Name, CIDR: p.CIDR}, ipam.CauseReleased)
}
