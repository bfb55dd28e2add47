package registry

import (
	"cmp"
	"context"
	"errors"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/quarantine"
)

// poolObject is a pool in the chain of the space it occupies, whose lock every change of a pool holds.
func poolObject(p ipam.Pool) change.Object {
	return change.Object{Kind: "pool", ID: string(p.UID), Space: p.Space(), Scope: p.Scope, ScopeUID: p.ScopeUID}
}

// CreatePool adds a root pool or places a child pool in its parent, or in the first one of a selector that can have it. Errors: CodeInvalid, CodeNotFound (scope or parent),
// CodeNameTaken, CodeCIDRTaken, CodeOutsidePool, CodePolicyViolation, CodePoolExhausted.
func (r *Registry) CreatePool(ctx context.Context, by ipam.Caller, in ipam.NewPool) (ipam.Pool, error) {
	if err := in.Check(); err != nil {
		return ipam.Pool{}, err
	}
	if in.Selector == nil {
		return r.createPoolIn(ctx, by, in, anyHome)
	}
	s, err := choose.Parent(in, nil)
	if err != nil {
		return ipam.Pool{}, err
	}
	return chosen(ctx, r, by, s, func(parent string, at home) (ipam.Pool, error) {
		return r.createPoolIn(ctx, by, in.In(parent), at)
	})
}

func (r *Registry) createPoolIn(ctx context.Context, by ipam.Caller, in ipam.NewPool, at home) (ipam.Pool, error) {
	p, err := write(ctx, r, by, ipam.EnclosingLane(in.Pool(), in.Encloses), func(c edit) (ipam.Pool, error) {
		if err := at(c); err != nil {
			return in.Pool(), err
		}
		return c.createPool(in.Pool(), in)
	})
	return p, in.Refused(err)
}

// CreatePoolWithin is CreatePool as a part of a write that is under way. It locks the space around the pool.
func (r *Registry) CreatePoolWithin(c change.Change, in ipam.NewPool) (ipam.Pool, error) {
	p, err := edit{Change: c, r: r}.createPool(in.Pool(), in)
	return p, in.Refused(err)
}

func (c edit) createPool(p ipam.Pool, in ipam.NewPool) (ipam.Pool, error) {
	p, kept, err := c.newPool(p, in)
	if err != nil {
		return p, err
	}
	if kept {
		if p.Enclosed, err = c.encloseDraft(p.ID); err != nil {
			return p, err
		}
		return c.adopt(p, "created")
	}
	around, inside, err := c.toEnclose(p, in)
	if err != nil {
		return p, err
	}
	if err := c.leaveFor(around, inside); err != nil {
		return p, err
	}
	if p, err = c.placePool(p, in, ipam.Plan{}); err != nil {
		return p, err
	}
	if err := c.addPool(p); err != nil {
		return p, err
	}
	if p.Enclosed, err = c.settle(p, inside, "enclosed"); err != nil {
		return p, err
	}
	return p, c.Record(poolObject(p), "created", nil, p)
}

// newPool gives a pool or a draft that is asked for its key, and reports whether a draft of its name is kept for it, as keepDraft says.
// CodeNameTaken when a pool has the name.
func (c edit) newPool(p ipam.Pool, in ipam.NewPool) (asked ipam.Pool, kept bool, err error) {
	p.UID, p.Version, p.CreatedAt, p.UpdatedAt = ipam.NewUID("pool"), 1, c.At, c.At
	if err := c.MayStand(p); err != nil {
		return p, false, err
	}
	known, err := c.Tx.Pool(ipam.Everything, p.ID)
	switch {
	case ipam.CodeOf(err) == ipam.CodeNotFound:
		return p, false, nil
	case err != nil:
		return p, false, err
	case known.DraftUntil == nil:
		return p, false, ipam.NameTaken("pool", p.ID)
	}
	kept, err = c.keepDraft(known, p, in)
	return p, kept, err
}

// placePool takes the space of a pool or a draft, under the lock of the space around it. A plan that was promised a block
// gets that or CodeHoldLost.
func (c edit) placePool(p ipam.Pool, in ipam.NewPool, plan ipam.Plan) (ipam.Pool, error) {
	status := ipam.StatusAllocated
	if p.DraftUntil != nil {
		status = ipam.StatusHeld
	}
	if p.Parent == "" {
		return c.placeRoot(p, status)
	}
	p, parent, err := c.lockParent(p)
	if err != nil {
		return p, err
	}
	if p.DraftUntil != nil {
		if err := c.asks().WithinQuota(parent); err != nil {
			return p, err
		}
	}
	want := choose.Claim{Kind: ipam.KindPool, Owner: string(p.UID), Name: p.Name, BlockSize: in.Size(), Status: status}
	if in.CIDR.IsValid() {
		p.CIDR, err = c.place(parent, want)
		return p, err
	}
	length, err := want.LengthIn(parent)
	if err != nil {
		return p, err
	}
	told, block, err := c.asks().Promised(parent.UID, ipam.KindPool, p.Name, ipam.Family(parent.CIDR), length, plan)
	if err != nil {
		return p, err
	}
	if told {
		want.CIDR = block
		p.CIDR, err = c.place(parent, want)
		return p, ipam.PromiseLost(parent, want.CIDR, want.Name, err)
	}
	p.CIDR, err = c.place(parent, want)
	return p, err
}

// addPool writes a placed pool and makes all of its space free.
func (c edit) addPool(p ipam.Pool) error {
	if err := errors.Join(p.Sizes.Check(p.CIDR), ipam.CheckPoolCIDR(p.CIDR)); err != nil {
		return err
	}
	if err := c.Tx.InsertPool(p); err != nil {
		return err
	}
	if err := c.Tx.ForgetPromise(p.Space(), ipam.KindPool, p.Name, p.CIDR.Bits(), ""); err != nil {
		return err
	}
	return c.freeAll(p)
}

// freeAll makes all of the space of a pool free but what is in quarantine there.
func (c edit) freeAll(p ipam.Pool) error {
	if err := c.Tx.Leaves(p).Add(p.CIDR); err != nil || p.DraftEncloses {
		return err
	}
	lifted, err := c.Tx.QuarantinesOf(p.Space(), p.CIDR)
	if err != nil {
		return err
	}
	return quarantine.Settle(c.Change, lifted, p)
}

// placeRoot takes a root pool's CIDR in its scope, under the scope's lock.
func (c edit) placeRoot(p ipam.Pool, status ipam.Status) (ipam.Pool, error) {
	p, err := c.lockRoot(p)
	if err != nil {
		return p, err
	}
	c.around = true
	return p, c.takeRoot(p, status)
}

func (c edit) takeRoot(p ipam.Pool, status ipam.Status) error {
	if err := c.clear(ipam.Pool{}, p.Space(), p.CIDR, ""); err != nil {
		return err
	}
	return c.Tx.InsertPrefix(ipam.Prefix{
		Owner: string(p.UID), In: ipam.In{Scope: p.Scope, ScopeUID: p.ScopeUID}, CIDR: p.CIDR, Status: status, Kind: ipam.KindPool, Name: p.Name, CreatedAt: c.At,
	})
}

// UpdatePool changes a pool's settings, resizes it in place, or moves it, when it is empty, to another parent. Errors:
// CodeNotFound, CodeInvalid, CodeCIDRTaken (with what is in the way), CodePoolNotEmpty (of a move), CodePoolExhausted,
// CodeOutsidePool, CodePolicyViolation, CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) UpdatePool(ctx context.Context, by ipam.Caller, id string, m ipam.Match, patch ipam.PoolPatch) (ipam.Pool, error) {
	known, err := realPool(ctx, r, by, id)
	if err != nil {
		return change.OrReplay[ipam.Pool](ctx, r.k, by, err) // changed by this very request, and deleted since
	}
	return write(ctx, r, by, known.LaneOf(patch), func(c edit) (ipam.Pool, error) { return c.updatePool(known, m, patch) })
}

// PreviewPool answers what UpdatePool would of whatever version stands, or fails as it would, to the plan
// that asks. Nothing changes.
func (r *Registry) PreviewPool(ctx context.Context, by ipam.Caller, id string, patch ipam.PoolPatch, plan ipam.Plan) (ipam.Pool, error) {
	known, err := realPool(ctx, r, by, id)
	if err != nil {
		return known, err
	}
	return preview(ctx, r, by, known.LaneOf(patch), func(c edit) (ipam.Pool, error) {
		c.plan = plan
		return c.updatePool(known, ipam.AnyVersion, patch)
	})
}

// updatePool changes a pool that was known to stand in a space.
func (c edit) updatePool(known ipam.Pool, m ipam.Match, patch ipam.PoolPatch) (ipam.Pool, error) {
	before, err := ipam.RealPool(c.lockToUpdate(known, patch)) // deleted and drafted anew since
	if err != nil {
		return before, err
	}
	if err := cmp.Or(c.May(before.DecidedIn(patch)), m.Require("pool", before.ID, before.ETag())); err != nil {
		return before, err
	}
	after := before.Apply(patch)
	if err := after.CheckSettings(); err != nil {
		return before, err
	}
	if after.Name != before.Name {
		if err := c.renamePool(before, after); err != nil {
			return before, err
		}
	}
	if before.Moves(patch) {
		after, err = c.move(before, after, patch)
	} else {
		after.CIDR, err = c.resized(before, after, patch)
	}
	if err != nil {
		return before, err
	}
	after.Version, after.UpdatedAt = before.Version+1, c.At
	if err := c.Tx.UpdatePool(after, c.At); err != nil {
		return before, err
	}
	// In the chain that has the pool's history; the events after a move stand in that of its new space.
	return after, c.Record(poolObject(before), "updated", before, after)
}

// renamePool makes a pool leave its name for another. What is in it refers to its key, so that nothing else changes.
func (c edit) renamePool(before, after ipam.Pool) error {
	draft, err := c.asks().PoolNameFree(after)
	if err == nil && draft != nil {
		err = cmp.Or(c.May(draft.Around()), c.dropDraft(*draft))
	}
	if err != nil {
		return err
	}
	if err := c.Tx.LeavePoolName(before, c.At); err != nil {
		return err
	}
	return c.Tx.RenamePrefix(string(before.UID), after.Name)
}

// DeletePool removes a pool that nothing occupies. Errors: CodeNotFound, CodePoolNotEmpty (with the first holders),
// CodeDeletionProtected, CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) DeletePool(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	return r.deletePool(ctx, by, id, m, false)
}

func (r *Registry) deletePool(ctx context.Context, by ipam.Caller, id string, m ipam.Match, keep bool) error {
	known, err := realPool(ctx, r, by, id)
	if err != nil {
		return change.OrReplayMissing(ctx, r.k, by, err)
	}
	_, err = write(ctx, r, by, ipam.EnclosingLane(known, keep), func(c edit) (struct{}, error) {
		none := struct{}{}
		p, err := ipam.RealPool(c.lockWithSpace(known))
		if err != nil {
			return none, err
		}
		if err := cmp.Or(c.May(p.Around()), m.Require("pool", p.ID, p.ETag())); err != nil {
			return none, err
		}
		if p.DeletionProtection {
			return none, ipam.Errorf(ipam.CodeDeletionProtected, "pool %s is protected; set deletion_protection to false first", p.ID)
		}
		if err := c.dropGrowth(p); err != nil {
			return none, err
		}
		if err := c.dropHeld(p); err != nil {
			return none, err
		}
		var stay []ipam.Prefix
		if keep {
			if stay, err = choose.PoolsIn(c.Tx, p.UID, p.CIDR); err != nil {
				return none, err
			}
			if err := c.leaveFor(p, stay); err != nil {
				return none, err
			}
		}
		if err := quarantine.LiftAll(c.Change, p); err != nil {
			return none, err
		}
		if err := choose.Empty(c.Tx, p); err != nil {
			return none, err
		}
		return none, c.removePool(p, "deleted", stay...)
	})
	return err
}

// removePool removes a pool or a draft that is empty and gives its space back, to pools that left it first.
func (c edit) removePool(p ipam.Pool, verb string, stay ...ipam.Prefix) error {
	if err := c.leaveSpace(p); err != nil {
		return err
	}
	lifted, err := c.Tx.QuarantinesOf(p.UID, p.CIDR)
	if err != nil {
		return err
	}
	if len(stay)+len(lifted) > 0 {
		_, around, err := c.lockAround(p)
		if err != nil {
			return err
		}
		if _, err := c.settle(around, stay, "kept"); err != nil {
			return err
		}
		if err := quarantine.Settle(c.Change, lifted, around); err != nil {
			return err
		}
	}
	if err := cmp.Or(c.EndIn(p), c.Tx.DeletePool(p, c.At)); err != nil {
		return err
	}
	if p.DraftUntil != nil && p.Parent != "" && p.DraftGrows == "" {
		err := c.Tx.RememberPromise(p.ParentUID, ipam.KindPool, p.Name, p.CIDR, "", c.At)
		if c.plan.Run == "" || c.plan.Run != p.DraftRun {
			err = cmp.Or(err, c.Tx.RememberShown(p.ParentUID, ipam.KindPool, p.Name, p.CIDR, c.At))
		}
		if err != nil {
			return err
		}
	}
	return c.Record(poolObject(p), verb, p, nil)
}

// lockWithSpace locks the space that a pool was known to occupy and then the pool: parents before children, always.
func (c edit) lockWithSpace(known ipam.Pool) (ipam.Pool, error) {
	var err error
	if known.ParentUID == "" {
		_, err = c.Tx.LockScope(ipam.Everything, string(known.ScopeUID))
	} else {
		_, err = c.Tx.LockPool(ipam.Everything, string(known.ParentUID))
	}
	if err != nil {
		return known, ipam.GonePool(choose.OrMoved(c.Tx, err, known), known)
	}
	return c.lockIn(known)
}

// lockIn locks a pool whose space is locked.
func (c edit) lockIn(known ipam.Pool) (ipam.Pool, error) {
	p, err := c.Tx.LockPool(ipam.Everything, string(known.UID))
	if err == nil && p.Space() != known.Space() {
		// The pool was moved since the lane was chosen.
		return p, ipam.Errorf(ipam.CodePreconditionFailed, "pool %q has changed; read it again", p.ID)
	}
	return p, ipam.GonePool(err, known)
}
