package registry

import (
	"cmp"
	"context"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/quarantine"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// retire puts the block of an allocation that ends into quarantine, or gives it back where its pool asks for none, as that of a pool.
func (c edit) retire(pool ipam.Pool, kind ipam.Kind, a ipam.Allocation, cause ipam.Cause) error {
	length, err := quarantine.Length(c.Tx, pool, cause)
	if err != nil {
		return err
	}
	if _, reserved := ipam.ReservationOf(a.Name, a.CIDR); reserved || length == 0 || kind == ipam.KindPool { // what was kept out of use, nobody has used
		return c.giveBack(pool, kind, a.ID, a.Name, a.CIDR)
	}
	if err := cmp.Or(c.Tx.RememberBlock(pool.UID, ipam.KindAllocation, a.Name, a.CIDR, c.At), c.Tx.DeletePrefix(a.ID)); err != nil {
		return err
	}
	return quarantine.Enter(c.Change, pool, a, cause, length)
}

// quarantined is how to take the space of what is in quarantine; nil while it stands.
func (c edit) quarantined(pool ipam.Pool, id string, at netip.Prefix, own string) (func() error, error) {
	q, err := c.Tx.Quarantine(ipam.Everything, id)
	if err != nil {
		return nil, err
	}
	if c.around && at.Bits() <= q.CIDR.Bits() {
		return func() error { return quarantine.Lift(c.Change, pool, q) }, nil
	}
	if at == q.CIDR && q.Belongs(pool.UID, own, c.growing) { // that block, and no other around it: a plan for that may be thrown away
		return func() error { return quarantine.Free(c.Change, pool, q, "returned") }, nil
	}
	if !q.Ended(c.Due) {
		return nil, nil
	}
	h, held, err := choose.HeldOf(c.Tx, q)
	if err != nil || held && !h.Expired(c.Due) {
		return nil, err
	}
	return func() error { return c.endQuarantine(pool, q, "ended") }, nil
}

// endQuarantine makes a block free, for the plan that has a hold of it where one has. Pool is that of the space, and zero at the root of
// a scope.
func (c edit) endQuarantine(pool ipam.Pool, q ipam.Quarantine, verb string) error {
	h, held, err := choose.HeldOf(c.Tx, q)
	switch {
	case err != nil:
		return err
	case held && !h.Expired(c.Due):
		if err := quarantine.Leave(c.Change, q, verb); err != nil {
			return err
		}
		return c.standAs(pool, h)
	case held:
		if err := c.loseHold(pool, h, "lost"); err != nil {
			return err
		}
	}
	return quarantine.Free(c.Change, pool, q, verb)
}

// Restore brings an allocation back that is in quarantine: with its id, its CIDR and all that was said of it, in its set where that has
// no other member of the key. An end that has passed by now is taken away. Errors: CodeNotFound, CodeNameTaken,
// CodePreconditionFailed when its pool is gone.
func (r *Registry) Restore(ctx context.Context, by ipam.Caller, allocation string) (ipam.Allocation, error) {
	known, err := read(ctx, r, func(tx *store.Tx) (ipam.Quarantine, error) { return choose.Restorable(tx, by.Sees(), allocation) })
	if err != nil {
		return change.OrReplay[ipam.Allocation](ctx, r.k, by, err)
	}
	return write(ctx, r, by, known.Pool, func(c edit) (ipam.Allocation, error) {
		a := *known.Was
		pool, err := ipam.RealPool(c.lockedPool(known.In))
		if err != nil {
			return a, err
		}
		q, err := choose.Restorable(c.Tx, ipam.Everything, allocation) // it may have gone, or moved, meanwhile
		if err != nil {
			return a, err
		}
		h, held, err := choose.HeldOf(c.Tx, q)
		if err != nil {
			return a, err
		}
		if held { // what only a plan knows never blocks a person
			if err := c.dropHold(pool, h, "released"); err != nil {
				return a, err
			}
		}
		if err := c.nameFree(pool, a.Name); err != nil {
			return a, err
		}
		set, err := choose.MemberAgain(c.Tx, &a)
		if err != nil {
			return a, err
		}
		if err := quarantine.Leave(c.Change, q, "restored"); err != nil {
			return a, err
		}
		a = a.Restored(pool, c.At)
		if err := cmp.Or(c.MayHave(a.In, a.Extent()), c.asks().Seen(pool, ipam.Seen{})); err != nil {
			return a, err
		}
		if err := c.Tx.InsertPrefix(c.prefixOf(pool, choose.Claim{Kind: ipam.KindAllocation, Name: a.Name, Status: ipam.StatusAllocated}, a.ID, a.CIDR)); err != nil {
			return a, err
		}
		if err := c.Tx.InsertAllocation(a); err != nil {
			return a, err
		}
		if err := c.Record(allocationObject(a), "restored", nil, a); err != nil || set.ID == "" {
			return a, err
		}
		_, err = c.changedSet(set, set)
		return a, err
	})
}

// EndQuarantine makes a block free before its time. Errors: CodeNotFound.
func (r *Registry) EndQuarantine(ctx context.Context, by ipam.Caller, id string) error {
	_, err := r.withQuarantine(ctx, by, id, func(c edit, pool ipam.Pool, q ipam.Quarantine) (bool, error) {
		return true, c.endQuarantine(pool, q, "released")
	})
	return err
}

func (r *Registry) withQuarantine(ctx context.Context, by ipam.Caller, id string, body func(edit, ipam.Pool, ipam.Quarantine) (bool, error)) (did bool, err error) {
	known, err := read(ctx, r, func(tx *store.Tx) (ipam.Quarantine, error) { return tx.Quarantine(by.Sees(), id) })
	if err != nil {
		return false, change.OrReplayMissing(ctx, r.k, by, err)
	}
	_, err = write(ctx, r, by, ipam.Pool{Parent: known.Pool, Scope: known.Scope}.Lane(), func(c edit) (none struct{}, err error) {
		var pool ipam.Pool
		if known.PoolUID == "" {
			_, err = c.Tx.LockScope(ipam.Everything, string(known.ScopeUID))
		} else {
			pool, err = c.Tx.LockPool(ipam.Everything, string(known.PoolUID))
		}
		if err != nil && ipam.CodeOf(err) != ipam.CodeNotFound {
			return none, err
		}
		if err := c.MayHave(known.In, known.Extent()); err != nil {
			return none, err
		}
		q, err := c.Tx.Quarantine(ipam.Everything, id)
		if err == nil && q.Space() != known.Space() {
			err = ipam.Errorf(ipam.CodePreconditionFailed, "%s was moved meanwhile; try again", id)
		}
		if err == nil {
			did, err = body(c, pool, q)
		}
		return none, err
	})
	return did, err
}

// EndQuarantines makes blocks free whose quarantine ended a week ago, and reports how many: until then they are the last to be handed out.
// What a plan has a hold of stays for that.
func (r *Registry) EndQuarantines(ctx context.Context) (int64, error) {
	now, by := r.k.Due(), ipam.System("end-quarantines")
	before := now.Add(-ipam.QuarantineMemory)
	return change.Sweep(ctx, r.k, func(tx *store.Tx, n int) ([]ipam.Quarantine, error) { return tx.EndedQuarantines(before, n) },
		func(q ipam.Quarantine) string { return q.ID }, func(q ipam.Quarantine) (bool, error) {
			return r.withQuarantine(ctx, by, q.ID, func(c edit, pool ipam.Pool, q ipam.Quarantine) (bool, error) {
				h, held, err := choose.HeldOf(c.Tx, q)
				if err != nil || !q.Ended(before) || held && !h.Expired(now) {
					return false, err
				}
				return true, c.endQuarantine(pool, q, "ended")
			})
		})
}

// EndAllocations releases the allocations that have come to their end, and reports how many. Their blocks go into quarantine, whatever
// their pools ask for: what ends them never frees anything.
func (r *Registry) EndAllocations(ctx context.Context) (int64, error) {
	now, by := r.k.Due(), ipam.System("end-allocations")
	return change.Sweep(ctx, r.k, func(tx *store.Tx, n int) ([]ipam.Allocation, error) { return tx.ExpiredAllocations(now, n) },
		func(a ipam.Allocation) string { return a.ID }, func(known ipam.Allocation) (ended bool, err error) {
			err = locked(ctx, r, by, known.In, func(tx *store.Tx) (ipam.Allocation, error) { return tx.Allocation(ipam.Everything, known.ID) }, func(c edit, pool ipam.Pool, a ipam.Allocation) error {
				if ended = a.Expired(now); !ended {
					return nil // renewed meanwhile
				}
				return c.end(pool, a, ipam.CauseExpired)
			})
			return ended, err
		})
}
