package registry

import (
	"context"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// poolObject is a pool in the chain of the space it occupies, whose lock every change of a pool holds.
func poolObject(p ipam.Pool) object {
	return object{kind: "pool", id: p.ID, chain: p.Space(), scope: p.Scope}
}

// Pools lists a page of pools.
func (r *Registry) Pools(ctx context.Context, f ipam.PoolFilter, p ipam.Page) ([]ipam.Pool, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.Pool, error) { return tx.Pools(f, p) })
}

// Pool reads a pool; CodeNotFound when there is none.
func (r *Registry) Pool(ctx context.Context, id string) (ipam.Pool, error) {
	return read(ctx, r, func(tx *store.Tx) (ipam.Pool, error) { return tx.Pool(id) })
}

// CreatePool adds a root pool or places a child pool in its parent. Errors: CodeInvalid, CodeNotFound (scope or parent),
// CodeNameTaken, CodeCIDRTaken, CodeOutsidePool, CodePolicyViolation, CodePoolExhausted.
func (r *Registry) CreatePool(ctx context.Context, by ipam.Caller, in ipam.NewPool) (ipam.Pool, error) {
	if err := in.Check(); err != nil {
		return ipam.Pool{}, err
	}
	p := in.Pool()
	return write(ctx, r, by, p.Space(), func(c change) (ipam.Pool, error) {
		p.Version, p.CreatedAt, p.UpdatedAt = 1, c.at, c.at
		if _, err := c.Pool(p.ID); err == nil {
			return p, nameTaken("pool", p.ID, "")
		} else if ipam.CodeOf(err) != ipam.CodeNotFound {
			return p, err
		}
		if p.Parent == "" {
			if err := c.placeRoot(p); err != nil {
				return p, err
			}
		} else {
			parent, err := c.lockParent(p.Parent, p.Scope)
			if err != nil {
				return p, err
			}
			p.CIDR, err = c.place(parent, claim{kind: ipam.KindPool, owner: p.ID, name: p.Name, cidr: in.CIDR, length: in.Length, status: ipam.StatusAllocated})
			if err != nil {
				return p, err
			}
		}
		if err := p.Sizes.Check(p.CIDR); err != nil {
			return p, err
		}
		if err := c.InsertPool(p); err != nil {
			return p, err
		}
		if err := c.Leaves(p).Add(p.CIDR); err != nil {
			return p, err
		}
		return p, c.record(poolObject(p), "created", nil, p)
	})
}

func (c change) lockParent(id, scope string) (ipam.Pool, error) {
	parent, err := c.LockPool(id)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		e := ipam.Errorf(ipam.CodeNotFound, "there is no pool %q to be the parent", id)
		e.Fields = []ipam.FieldError{{Pointer: "/parent", Detail: e.Detail}}
		return parent, e
	}
	if err == nil && parent.Scope != scope {
		return parent, ipam.Invalid("/parent", "pool %q is of scope %q, not %q; a pool and its parent share a scope", id, parent.Scope, scope)
	}
	return parent, err
}

// placeRoot takes a root pool's CIDR in its scope, under the scope's lock.
func (c change) placeRoot(p ipam.Pool) error {
	_, err := c.LockScope(p.Scope)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return ipam.Invalid("/scope", "there is no scope %q", p.Scope)
	}
	if err != nil {
		return err
	}
	blockers, err := c.PrefixesIn(p.Space(), p.CIDR, 1)
	if err != nil {
		return err
	}
	if len(blockers) > 0 {
		return c.taken(p.Space(), p.CIDR)
	}
	return c.InsertPrefix(ipam.Prefix{
		ID: c.r.newID("prefix"), Scope: p.Scope, Space: p.Space(), CIDR: p.CIDR, Status: ipam.StatusAllocated, Source: ipam.SourceDesired,
		Kind: ipam.KindPool, Owner: p.ID, Name: p.Name, CreatedAt: c.at,
	})
}

// UpdatePool changes a pool's settings and resizes it in place. Errors: CodeNotFound, CodeInvalid, CodeCIDRTaken (with
// what is in the way), CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) UpdatePool(ctx context.Context, by ipam.Caller, id string, v Version, patch ipam.PoolPatch) (ipam.Pool, error) {
	space, err := r.spaceOf(ctx, id)
	if err != nil {
		return ipam.Pool{}, err
	}
	return write(ctx, r, by, space, func(c change) (ipam.Pool, error) {
		before, err := c.lockWithSpace(id, space)
		if err != nil {
			return before, err
		}
		if err := v.require("pool", id, before.Version); err != nil {
			return before, err
		}
		after := before.Apply(patch)
		if after.CIDR, err = before.Resized(patch); err != nil {
			return before, err
		}
		if !after.Strategy.Valid() {
			return before, ipam.Invalid("/strategy", "%q is not a strategy; use best_fit, first_fit, largest_fit or sparse", after.Strategy)
		}
		if err := after.Sizes.Check(after.CIDR); err != nil {
			return before, err
		}
		if err := ipam.CheckLabels(after.Labels); err != nil {
			return before, err
		}
		if after.CIDR != before.CIDR {
			if err := c.resize(before, after); err != nil {
				return before, err
			}
		}
		after.Version, after.UpdatedAt = before.Version+1, c.at
		if err := c.Tx.UpdatePool(after, c.at); err != nil {
			return before, err
		}
		return after, c.record(poolObject(after), "updated", before, after)
	})
}

// DeletePool removes a pool that nothing occupies. Errors: CodeNotFound, CodePoolNotEmpty (with the first holders),
// CodeDeletionProtected, CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) DeletePool(ctx context.Context, by ipam.Caller, id string, v Version) error {
	space, err := r.spaceOf(ctx, id)
	if err != nil {
		return r.gone(ctx, by, err)
	}
	_, err = write(ctx, r, by, space, func(c change) (struct{}, error) {
		none := struct{}{}
		p, err := c.lockWithSpace(id, space)
		if err != nil {
			return none, err
		}
		if err := v.require("pool", id, p.Version); err != nil {
			return none, err
		}
		if p.DeletionProtection {
			return none, ipam.Errorf(ipam.CodeDeletionProtected, "pool %s is protected; set deletion_protection to false first", id)
		}
		inside, err := c.PrefixesIn(id, p.CIDR, 5)
		if err != nil {
			return none, err
		}
		if len(inside) > 0 {
			e := ipam.Errorf(ipam.CodePoolNotEmpty, "pool %s is not empty: %s %q holds %s; release what is in it first", id, inside[0].Kind, inside[0].Name, inside[0].CIDR)
			e.Holders = holders(inside)
			return none, e
		}
		if err := c.Tx.DeletePool(id); err != nil {
			return none, err
		}
		if p.Parent == "" {
			err = c.DeletePrefix(id)
		} else {
			var parent ipam.Pool
			if parent, err = c.Pool(p.Parent); err == nil {
				err = c.giveBack(parent, ipam.KindPool, id, p.Name, p.CIDR)
			}
		}
		if err != nil {
			return none, err
		}
		return none, c.record(poolObject(p), "deleted", p, nil)
	})
	return err
}

// spaceOf finds the space that a pool occupies, whose lane and lock its changes need. It never changes.
func (r *Registry) spaceOf(ctx context.Context, id string) (string, error) {
	p, err := r.Pool(ctx, id)
	return p.Space(), err
}

// lockWithSpace locks the space that a pool occupies and then the pool: parents before children, always.
func (c change) lockWithSpace(id, space string) (ipam.Pool, error) {
	p, err := c.Pool(id)
	if err != nil {
		return p, err
	}
	if p.Parent == "" {
		_, err = c.LockScope(p.Scope)
	} else {
		_, err = c.LockPool(p.Parent)
	}
	if err != nil {
		return p, err
	}
	if p, err = c.LockPool(id); err == nil && p.Space() != space {
		// The pool was deleted and made anew elsewhere since the lane was chosen.
		return p, ipam.Errorf(ipam.CodePreconditionFailed, "pool %q has changed; read it again", id)
	}
	return p, err
}

// resize moves the border of a pool. What it gains must be free around it, what it gives up must be free inside it.
func (c change) resize(before, after ipam.Pool) error {
	grow := after.CIDR.Bits() < before.CIDR.Bits()
	outer, inner := before.CIDR, after.CIDR
	if grow {
		outer, inner = inner, outer
	}
	rest := alloc.Buddies(outer, inner)
	if !grow {
		for _, b := range rest {
			if err := c.placeAt(before, b); err != nil {
				return err
			}
		}
	}
	if before.Parent == "" {
		if grow {
			for _, b := range rest {
				blockers, err := c.PrefixesIn(before.Space(), b, 1)
				if err != nil {
					return err
				}
				if len(blockers) > 0 {
					return c.taken(before.Space(), b)
				}
			}
		}
	} else {
		parent, err := c.Pool(before.Parent)
		if err != nil {
			return err
		}
		if err := parent.Allow(after.CIDR.Bits()); err != nil {
			return err
		}
		for _, b := range rest {
			if grow {
				err = c.placeAt(parent, b)
			} else {
				err = alloc.Return(c.Leaves(parent), parent.CIDR, b)
			}
			if err != nil {
				return err
			}
		}
	}
	if grow {
		for _, b := range rest {
			if err := alloc.Return(c.Leaves(before), after.CIDR, b); err != nil {
				return err
			}
		}
	}
	return c.MovePrefix(before.ID, after.CIDR)
}
