package registry

import (
	"cmp"
	"context"
	"errors"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

func allocationObject(a ipam.Allocation) change.Object {
	return change.Object{Kind: "allocation", ID: a.ID, Space: a.PoolUID, Scope: a.Scope, ScopeUID: a.ScopeUID}
}

// Allocate hands out a block of a pool, or of the first one of a selector that can. Errors: CodeInvalid, CodeNotFound (the
// pool), CodeNameTaken, CodeCIDRTaken, CodeOutsidePool, CodePolicyViolation, CodePoolExhausted.
func (r *Registry) Allocate(ctx context.Context, by ipam.Caller, in ipam.NewAllocation) (ipam.Allocation, error) {
	if err := ipam.CheckFreeName("/name", in.Name); err != nil {
		return ipam.Allocation{}, err
	}
	if err := errors.Join(ipam.CheckLabels(in.Labels), ipam.CheckPool(in.Pool, in.Selector)); err != nil {
		return ipam.Allocation{}, err
	}
	if in.Selector == nil {
		return r.allocateIn(ctx, by, in, anyHome)
	}
	if err := in.Check(in.Selector.Family); err != nil {
		return ipam.Allocation{}, err
	}
	return chosen(ctx, r, by, choose.One(*in.Selector, in.Name, in.BlockSize), func(pool string, at home) (ipam.Allocation, error) {
		in.Pool = pool
		return r.allocateIn(ctx, by, in, at)
	})
}

func (r *Registry) allocateIn(ctx context.Context, by ipam.Caller, in ipam.NewAllocation, at home) (ipam.Allocation, error) {
	a, err := change.WriteNamed(ctx, r.k, by, in.Pool, in.Name, func(c change.Change) (ipam.Allocation, error) {
		if err := at(edit{Change: c, r: r}); err != nil {
			return ipam.Allocation{}, err
		}
		return r.AllocateWithin(c, in)
	})
	if in.CIDR.IsValid() { // an apply, which is told again
		return a, err
	}
	return a, r.tell(ctx, by, in.Pool, ipam.Plan{}, []ipam.NewHold{{Pool: in.Pool, Name: in.Name, BlockSize: in.BlockSize}}, err)
}

// AllocateWithin is Allocate as a part of a write that is under way. It locks the pool.
func (r *Registry) AllocateWithin(c change.Change, in ipam.NewAllocation) (ipam.Allocation, error) {
	e := edit{Change: c, r: r}
	pool, err := ipam.RealPool(e.lockFor(in.Pool))
	if err != nil {
		return ipam.Allocation{}, err
	}
	return e.allocate(pool, in)
}

// allocate makes an allocation. The caller holds the pool's lock.
func (c edit) allocate(pool ipam.Pool, in ipam.NewAllocation) (ipam.Allocation, error) {
	a := in.Allocation()
	a.ExpiresAt = ipam.Stored(a.ExpiresAt)
	err := cmp.Or(ipam.CheckExpiry(a.ExpiresAt, c.At), c.followOn(pool, in))
	if err != nil {
		return a, err
	}
	a.ID, a.In, a.Version, a.CreatedAt, a.UpdatedAt = change.NewID("alloc"), pool.Inside(), 1, c.At, c.At
	a.CIDR, err = c.place(pool, choose.Claim{Kind: ipam.KindAllocation, Owner: a.ID, Name: a.Name, BlockSize: in.BlockSize, Status: ipam.StatusAllocated, Labels: &a.Labels})
	if err != nil {
		return a, err
	}
	if err := c.Tx.InsertAllocation(a); err != nil {
		return a, err
	}
	return a, c.Record(allocationObject(a), "created", nil, a)
}

// followOn makes the name free for a new allocation. A living one whose replacement was planned steps aside under a name
// that nobody can ask for: Terraform creates the successor before it destroys it.
func (c edit) followOn(pool ipam.Pool, in ipam.NewAllocation) error {
	taken := c.nameFree(pool, in.Name)
	if ipam.CodeOf(taken) != ipam.CodeNameTaken {
		return taken
	}
	length, err := in.LengthIn(pool)
	if err != nil {
		return err
	}
	before, err := c.Tx.AllocationNamed(pool.UID, in.Name)
	if err != nil {
		return err
	}
	if handed, err := c.handOn(pool, before, nil); handed || err != nil {
		return err
	}
	h, found, err := c.Tx.HoldNamed(pool.UID, in.Name, length)
	if err != nil {
		return err
	}
	// Only a request that names the promised block is the one that was planned. A member goes with its set only.
	if !found || in.CIDR != h.CIDR || before.Set != "" || !before.FollowedBy(h.Replaces) {
		return taken
	}
	return c.stepAside(before, before.Name+"~"+before.ID)
}

// stepAside gives an allocation that is being replaced another name, and takes its block where the successor inherits that.
func (c edit) stepAside(before ipam.Allocation, name string) error {
	heir, found, err := c.Tx.HoldNamed(before.PoolUID, before.Name, before.CIDR.Bits())
	if err != nil {
		return err
	}
	after := before
	after.Name, after.Superseded = name, found && heir.Inherits
	if after.Superseded {
		err = c.Tx.DeletePrefix(after.ID)
	} else {
		err = c.Tx.RenamePrefix(after.ID, after.Name)
	}
	if err != nil {
		return err
	}
	_, err = c.changed(before, after, "superseded")
	return err
}

// lockFor locks the pool that a request names in its body, and that its caller asks for something in.
func (c edit) lockFor(id string) (ipam.Pool, error) {
	pool, err := c.Tx.LockPool(c.By.Sees(), id)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		err = ipam.At("/pool", err)
	}
	if err != nil {
		return pool, err
	}
	return pool, c.May(pool.Inside())
}

// UpdateAllocation renames, describes or resizes an allocation where it stands. Errors: CodeNotFound, CodeInvalid,
// CodeNameTaken, CodeCIDRTaken (with what is in the way), CodePolicyViolation, CodePreconditionFailed,
// CodePreconditionRequired.
func (r *Registry) UpdateAllocation(ctx context.Context, by ipam.Caller, id string, m ipam.Match, patch ipam.AllocationPatch) (ipam.Allocation, error) {
	known, err := look(ctx, r, by, id, (*store.Tx).Allocation)
	if err != nil {
		return change.OrReplay[ipam.Allocation](ctx, r.k, by, err) // changed by this very request, and released since
	}
	return write(ctx, r, by, known.Pool, func(c edit) (ipam.Allocation, error) { return c.updateAllocation(known, m, patch) })
}

// PreviewAllocation answers what UpdateAllocation would of whatever version stands, or fails as it would, to the
// plan that asks. Nothing changes.
func (r *Registry) PreviewAllocation(ctx context.Context, by ipam.Caller, id string, patch ipam.AllocationPatch, plan ipam.Plan) (ipam.Allocation, error) {
	known, err := look(ctx, r, by, id, (*store.Tx).Allocation)
	if err != nil {
		return known, err
	}
	return preview(ctx, r, by, known.Pool, func(c edit) (ipam.Allocation, error) {
		c.plan = plan
		return c.updateAllocation(known, ipam.AnyVersion, patch)
	})
}

// updateAllocation changes an allocation that was known to be in its pool, where it stays for life.
func (c edit) updateAllocation(known ipam.Allocation, m ipam.Match, patch ipam.AllocationPatch) (ipam.Allocation, error) {
	pool, err := c.lockedPool(known.In)
	if err != nil {
		return known, err
	}
	before, err := c.Tx.Allocation(ipam.Everything, known.ID)
	if err != nil {
		return before, err
	}
	if err := m.Require("allocation", before.ID, before.ETag()); err != nil {
		return before, err
	}
	if err := errors.Join(before.CheckMember(patch), before.CheckLiving()); err != nil {
		return before, err
	}
	after := before.Apply(patch)
	if patch.ExpiresAt != nil {
		after.ExpiresAt = ipam.Stored(after.ExpiresAt)
		if err := ipam.CheckExpiry(after.ExpiresAt, c.At); err != nil {
			return before, err
		}
	}
	if err := ipam.CheckLabels(after.Labels); err != nil {
		return before, err
	}
	if after.CIDR, err = before.Resized(patch); err != nil {
		return before, err
	}
	if after.CIDR != before.CIDR {
		if err := c.resizeAllocation(pool, before, after.CIDR); err != nil {
			return before, err
		}
	}
	if after.Name != before.Name {
		if err := c.renameAllocation(pool, before, after.Name); err != nil {
			return before, err
		}
	}
	return c.changed(before, after, "updated")
}

// changed writes an allocation that is another than before.
func (c edit) changed(before, after ipam.Allocation, verb string) (ipam.Allocation, error) {
	after.Version, after.UpdatedAt = before.Version+1, c.At
	if err := c.MayHave(before.In, before.Extent(), after.Extent()); err != nil {
		return before, err
	}
	if err := c.Tx.UpdateAllocation(after, c.At); err != nil {
		return before, err
	}
	return after, c.Record(allocationObject(after), verb, before, after)
}

// Release gives an allocation's block back to its pool. Errors: CodeNotFound, CodePreconditionFailed.
func (r *Registry) Release(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	known, err := look(ctx, r, by, id, (*store.Tx).Allocation)
	if err != nil {
		return change.OrReplayMissing(ctx, r.k, by, err)
	}
	return locked(ctx, r, by, known.In, func(tx *store.Tx) (ipam.Allocation, error) { return tx.Allocation(ipam.Everything, id) }, func(c edit, pool ipam.Pool, a ipam.Allocation) error {
		if err := m.Check("allocation", id, a.ETag()); err != nil {
			return err
		}
		return c.end(pool, a, ipam.CauseReleased)
	})
}

// end ends an allocation for a cause. The set of a member is another then, as whoever changes it must know.
func (c edit) end(pool ipam.Pool, a ipam.Allocation, cause ipam.Cause) error {
	if a.Set == "" {
		return c.release(pool, a, cause)
	}
	before, err := c.Tx.AllocationSet(ipam.Everything, a.Set)
	if err != nil {
		return err
	}
	if err := c.release(pool, a, cause); err != nil {
		return err
	}
	_, err = c.changedSet(before, before)
	return err
}

// release ends an allocation. The caller holds the pool's lock.
func (c edit) release(pool ipam.Pool, a ipam.Allocation, cause ipam.Cause) error {
	if err := c.MayHave(a.In, a.Extent()); err != nil {
		return err
	}
	if err := c.Tx.DeleteAllocation(a.ID); err != nil {
		return err
	}
	if !a.Superseded {
		if err := c.leaveBlock(pool, ipam.KindAllocation, a, cause); err != nil {
			return err
		}
	}
	return c.Record(allocationObject(a), string(cause), a, nil)
}

// leaveBlock gives the block of what ends, of a kind, to what a plan has to inherit it, into quarantine or back to the pool.
func (c edit) leaveBlock(pool ipam.Pool, kind ipam.Kind, a ipam.Allocation, cause ipam.Cause) error {
	holds, err := c.Tx.HoldsFor(pool.UID, cmp.Or(a.Set, a.ID))
	if err != nil {
		return err
	}
	for _, h := range holds {
		kept, err := c.asks().KeepsReleased(pool, h, kind, a.ID)
		if err != nil {
			return err
		}
		if _, renames := h.NewName(); renames || kept {
			if err := c.dropHold(pool, h, "released"); err != nil {
				return err
			}
		} else if h.Inherits && h.CIDR == a.CIDR {
			return c.inherit(pool, kind, h, a)
		}
	}
	return c.retire(pool, kind, a, cause)
}

// inherit gives the block of what ends to a hold.
func (c edit) inherit(pool ipam.Pool, kind ipam.Kind, h ipam.Hold, a ipam.Allocation) error {
	if err := c.Tx.DeletePrefix(a.ID); err != nil {
		return err
	}
	if err := c.Tx.RememberBlock(pool.UID, kind, a.Name, a.CIDR, c.At); err != nil {
		return err
	}
	return c.standAs(pool, h)
}

// standAs gives a hold the block that it has waited for, which is neither free nor a prefix.
func (c edit) standAs(pool ipam.Pool, h ipam.Hold) error {
	want := choose.Claim{Kind: ipam.KindHold, Name: h.Name, Status: ipam.StatusHeld}
	p := c.prefixOf(pool, want, h.ID, h.CIDR)
	p.CreatedAt = h.CreatedAt
	if err := c.Tx.InsertPrefix(p); err != nil {
		return err
	}
	after := h
	after.Inherits = false
	if err := c.Tx.UpdateHold(after); err != nil {
		return err
	}
	return c.Record(holdObject(h), "inherited", h, after)
}

// living is what has the name of an allocation, or of a hold for a reservation, of which it is the allocation that the hold is for;
// CodeNotFound when nothing has. A reservation that has expired ends here: it keeps its name no more than its space.
func (c edit) living(pool ipam.Pool, name string) (ipam.Allocation, error) {
	of, is := ipam.ReservationOf(name, netip.Prefix{})
	if !is {
		return c.Tx.AllocationNamed(pool.UID, name)
	}
	v, found, err := c.Tx.ReservationNamed(pool.UID, of)
	switch {
	case err != nil:
		return v.Promised(), err
	case found && v.Expired(c.Due):
		found, err = false, c.endReservation(pool, v, "expired")
	}
	if !found && err == nil {
		err = ipam.Errorf(ipam.CodeNotFound, "there is no reservation %q in pool %s", of, pool.ID)
	}
	return v.Promised(), err
}

// nameFree refuses a name of an allocation, or of a hold for a reservation, that the pool has already.
func (c edit) nameFree(pool ipam.Pool, name string) error {
	holder, err := c.living(pool, name)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	return ipam.NameInPool(pool, holder)
}

// inherited is the block of the living allocation that a plan replaces by one of its name and size: the successor has the same.
func (c edit) inherited(pool ipam.Pool, in ipam.NewHold) (netip.Prefix, bool, error) {
	if at, kept, err := c.asks().InQuarantine(pool, in); kept || err != nil {
		return at, kept, err
	}
	if in.Replaces == "" || in.Updates != "" {
		return netip.Prefix{}, false, nil
	}
	if left, err := c.asks().Leaves(pool, in); left || err != nil {
		return in.CIDR, left, err
	}
	length, err := in.LengthIn(pool)
	if err != nil {
		return netip.Prefix{}, false, err
	}
	a, err := c.living(pool, in.Name)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return netip.Prefix{}, false, nil
	}
	inherits := a.FollowedBy(in.Replaces) && !a.Superseded && a.CIDR.Bits() == length && !in.Refuses(a.CIDR)
	return a.CIDR, inherits && err == nil, err
}
