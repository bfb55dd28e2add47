package registry

import (
	"context"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// poolObject is a pool in the chain of the space it occupies, whose lock every change of a pool holds.
func poolObject(p ipam.Pool) change.Object {
	return change.Object{Kind: "pool", ID: p.ID, Chain: p.Space(), Scope: p.Scope}
}

// Pools lists a page of pools.
func (r *Registry) Pools(ctx context.Context, f ipam.PoolFilter, p ipam.Page) ([]ipam.Pool, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.Pool, error) { return tx.Pools(f, p) })
}

// Pool reads a pool; CodeNotFound when there is none.
func (r *Registry) Pool(ctx context.Context, id string) (ipam.Pool, error) {
	return read(ctx, r, func(tx *store.Tx) (ipam.Pool, error) { return ipam.RealPool(tx.Pool(id)) })
}

// CreatePool adds a root pool or places a child pool in its parent. Errors: CodeInvalid, CodeNotFound (scope or parent),
// CodeNameTaken, CodeCIDRTaken, CodeOutsidePool, CodePolicyViolation, CodePoolExhausted.
func (r *Registry) CreatePool(ctx context.Context, by ipam.Caller, in ipam.NewPool) (ipam.Pool, error) {
	if err := in.Check(); err != nil {
		return ipam.Pool{}, err
	}
	p := in.Pool()
	return write(ctx, r, by, p.Space(), func(c edit) (ipam.Pool, error) {
		p := p
		p.Version, p.CreatedAt, p.UpdatedAt = 1, c.At, c.At
		known, err := c.Tx.Pool(p.ID)
		switch {
		case ipam.CodeOf(err) == ipam.CodeNotFound:
		case err != nil:
			return p, err
		case known.DraftUntil == nil:
			return p, nameTaken("pool", p.ID, "")
		default:
			kept, err := c.keepDraft(known, p, in)
			if err != nil {
				return p, err
			}
			if kept {
				return c.adopt(p, "created")
			}
		}
		if p.CIDR, err = c.placePool(p, in, ipam.Plan{}); err != nil {
			return p, err
		}
		if err := c.addPool(p); err != nil {
			return p, err
		}
		return p, c.Record(poolObject(p), "created", nil, p)
	})
}

// placePool takes the space of a pool or a draft, under the lock of the space around it. A plan that was promised a block
// gets that or CodeHoldLost.
func (c edit) placePool(p ipam.Pool, in ipam.NewPool, plan ipam.Plan) (netip.Prefix, error) {
	status := ipam.StatusAllocated
	if p.DraftUntil != nil {
		status = ipam.StatusHeld
	}
	if p.Parent == "" {
		return p.CIDR, c.placeRoot(p, status)
	}
	parent, err := c.lockParent(p)
	if err != nil {
		return p.CIDR, err
	}
	if p.DraftUntil != nil {
		if err := c.withinQuota(parent.ID); err != nil {
			return p.CIDR, err
		}
	}
	want := claim{kind: ipam.KindPool, owner: p.ID, name: p.Name, BlockSize: ipam.BlockSize{CIDR: in.CIDR, Length: in.Length}, status: status}
	if in.CIDR.IsValid() {
		return c.place(parent, want)
	}
	length, err := want.LengthIn(parent)
	if err != nil {
		return p.CIDR, err
	}
	told, block, err := c.promised(parent.ID, ipam.KindPool, p.Name, ipam.Family(parent.CIDR), length, plan)
	if err != nil {
		return p.CIDR, err
	}
	if told {
		want.CIDR = block
		at, err := c.place(parent, want)
		return at, c.promiseLost(parent, want, err)
	}
	return c.place(parent, want)
}

// addPool writes a placed pool and makes all of its space free.
func (c edit) addPool(p ipam.Pool) error {
	if err := p.Sizes.Check(p.CIDR); err != nil {
		return err
	}
	if err := c.Tx.InsertPool(p); err != nil {
		return err
	}
	if err := c.Tx.SetDraft(p); err != nil {
		return err
	}
	if err := c.Tx.ForgetPromise(p.Parent, ipam.KindPool, p.Name, p.CIDR.Bits(), ""); err != nil {
		return err
	}
	return c.Tx.Leaves(p).Add(p.CIDR)
}

// lockParent locks the pool that another is to stand in. A draft stands in drafts and pools, a pool in pools only.
func (c edit) lockParent(p ipam.Pool) (ipam.Pool, error) {
	parent, err := c.Tx.LockPool(p.Parent)
	if ipam.CodeOf(err) == ipam.CodeNotFound || (err == nil && parent.DraftUntil != nil && p.DraftUntil == nil) {
		e := ipam.Errorf(ipam.CodeNotFound, "there is no pool %q to be the parent", p.Parent)
		e.Fields = []ipam.FieldError{{Pointer: "/parent", Detail: e.Detail}}
		return parent, e
	}
	if err == nil && parent.Scope != p.Scope {
		return parent, ipam.Invalid("/parent", "pool %q is of scope %q, not %q; a pool and its parent share a scope", p.Parent, parent.Scope, p.Scope)
	}
	return parent, err
}

// lockRoot locks the root of the scope that a root pool is to stand in. A draft stands in drafts and scopes, a pool in
// scopes only.
func (c edit) lockRoot(p ipam.Pool) error {
	s, err := c.Tx.LockScope(p.Scope)
	if ipam.CodeOf(err) == ipam.CodeNotFound || (err == nil && s.DraftUntil != nil && p.DraftUntil == nil) {
		return ipam.Invalid("/scope", "there is no scope %q", p.Scope)
	}
	return err
}

// placeRoot takes a root pool's CIDR in its scope, under the scope's lock.
func (c edit) placeRoot(p ipam.Pool, status ipam.Status) error {
	if err := c.lockRoot(p); err != nil {
		return err
	}
	if err := c.clear(ipam.Pool{}, p.Space(), p.CIDR, nobodys); err != nil {
		return err
	}
	return c.Tx.InsertPrefix(ipam.Prefix{
		ID: change.NewID("prefix"), Scope: p.Scope, Space: p.Space(), CIDR: p.CIDR, Status: status, Source: ipam.SourceDesired,
		Kind: ipam.KindPool, Owner: p.ID, Name: p.Name, CreatedAt: c.At,
	})
}

// UpdatePool changes a pool's settings, resizes it in place, or moves it, when it is empty, to another parent. Errors:
// CodeNotFound, CodeInvalid, CodeCIDRTaken (with what is in the way), CodePoolNotEmpty (of a move), CodePoolExhausted,
// CodeOutsidePool, CodePolicyViolation, CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) UpdatePool(ctx context.Context, by ipam.Caller, id string, m ipam.Match, patch ipam.PoolPatch) (ipam.Pool, error) {
	known, err := r.Pool(ctx, id)
	if err != nil {
		return change.OrReplay[ipam.Pool](ctx, r.k, by, err) // changed by this very request, and deleted since
	}
	return write(ctx, r, by, laneOf(known, patch), func(c edit) (ipam.Pool, error) { return c.updatePool(known, m, patch) })
}

// PreviewPool answers what UpdatePool would of whatever version stands, or fails as it would. Nothing changes.
func (r *Registry) PreviewPool(ctx context.Context, by ipam.Caller, id string, patch ipam.PoolPatch) (ipam.Pool, error) {
	known, err := r.Pool(ctx, id)
	if err != nil {
		return known, err
	}
	return preview(ctx, r, by, laneOf(known, patch), func(c edit) (ipam.Pool, error) { return c.updatePool(known, ipam.AnyVersion, patch) })
}

// updatePool changes a pool that was known to stand in a space.
func (c edit) updatePool(known ipam.Pool, m ipam.Match, patch ipam.PoolPatch) (ipam.Pool, error) {
	before, err := ipam.RealPool(c.lockToUpdate(known, patch)) // deleted and drafted anew since
	if err != nil {
		return before, err
	}
	if err := m.Require("pool", before.ID, before.ETag()); err != nil {
		return before, err
	}
	after := before.Apply(patch)
	if !after.Strategy.Valid() {
		return before, ipam.Invalid("/strategy", "%q is not a strategy; use best_fit, first_fit, largest_fit or sparse", after.Strategy)
	}
	if err := ipam.CheckLabels(after.Labels); err != nil {
		return before, err
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

// DeletePool removes a pool that nothing occupies. Errors: CodeNotFound, CodePoolNotEmpty (with the first holders),
// CodeDeletionProtected, CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) DeletePool(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	space, err := r.spaceOf(ctx, id)
	if err != nil {
		return change.OrReplayMissing(ctx, r.k, by, err)
	}
	_, err = write(ctx, r, by, space, func(c edit) (struct{}, error) {
		none := struct{}{}
		p, err := ipam.RealPool(c.lockWithSpace(id, space))
		if err != nil {
			return none, err
		}
		if err := m.Require("pool", id, p.ETag()); err != nil {
			return none, err
		}
		if p.DeletionProtection {
			return none, ipam.Errorf(ipam.CodeDeletionProtected, "pool %s is protected; set deletion_protection to false first", id)
		}
		if err := c.dropHeld(p); err != nil {
			return none, err
		}
		inside, err := c.Tx.PrefixesIn(id, p.CIDR, 5)
		if err != nil {
			return none, err
		}
		if len(inside) > 0 {
			e := ipam.Errorf(ipam.CodePoolNotEmpty, "pool %s is not empty: %s %q holds %s; release what is in it first", id, inside[0].Kind, inside[0].Name, inside[0].CIDR)
			e.Holders = holders(inside)
			return none, e
		}
		sets, err := c.Tx.AllocationSets(ipam.AllocationSetFilter{Pool: id}, ipam.Page{Limit: 1})
		if err != nil {
			return none, err
		}
		if len(sets) > 0 {
			return none, ipam.Errorf(ipam.CodePoolNotEmpty, "pool %s is not empty: the allocation set %q (%s) is in it, without members; release it first", id, sets[0].Name, sets[0].ID)
		}
		return none, c.removePool(p, "deleted")
	})
	return err
}

// removePool removes a pool or a draft that is empty and gives its space back.
func (c edit) removePool(p ipam.Pool, verb string) error {
	if err := c.Tx.DeletePool(p.ID); err != nil {
		return err
	}
	if p.DraftUntil != nil && p.Parent != "" {
		if err := c.Tx.RememberPromise(p.Parent, ipam.KindPool, p.Name, p.CIDR, "", c.At); err != nil {
			return err
		}
	}
	if err := c.leaveSpace(p); err != nil {
		return err
	}
	return c.Record(poolObject(p), verb, p, nil)
}

// spaceOf finds the space that a pool occupies, whose lane and lock its changes need. Look again under the lock.
func (r *Registry) spaceOf(ctx context.Context, id string) (string, error) {
	p, err := r.Pool(ctx, id)
	return p.Space(), err
}

// lockWithSpace locks the space that a pool occupies and then the pool: parents before children, always.
func (c edit) lockWithSpace(id, space string) (ipam.Pool, error) {
	p, err := c.Tx.Pool(id)
	if err != nil {
		return p, err
	}
	if p.Parent == "" {
		_, err = c.Tx.LockScope(p.Scope)
	} else {
		_, err = c.Tx.LockPool(p.Parent)
	}
	if err != nil {
		return p, err
	}
	return c.lockIn(id, space)
}

// lockIn locks a pool whose space is locked.
func (c edit) lockIn(id, space string) (ipam.Pool, error) {
	p, err := c.Tx.LockPool(id)
	if err == nil && p.Space() != space {
		// The pool was moved, or deleted and made anew elsewhere, since the lane was chosen.
		return p, ipam.Errorf(ipam.CodePreconditionFailed, "pool %q has changed; read it again", id)
	}
	return p, err
}
