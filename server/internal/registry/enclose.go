package registry

import (
	"context"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// A pool is put above pools that stand in its space already: they leave that space and get their blocks in the new one, and nothing
// in them changes. Deleted with keep, a pool leaves its children where they are in the same way.
//
// A plan changes nothing real. The draft of such a pool has no prefix, since the pools in it have the space; what is between them is
// kept by drafts for it to grow over, and where they are by holds in it. So its free blocks are those that it will have.

// DissolvePool deletes a pool as DeletePool does, but the pools in it stay where they are, and are children of the pool around it then, or
// root pools. CodePoolNotEmpty where anything else is in it.
func (r *Registry) DissolvePool(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	return r.deletePool(ctx, by, id, m, true)
}

// toEnclose locks the space around a pool and lists the pools that it is to enclose; none unless that is asked for.
func (c edit) toEnclose(p ipam.Pool, in ipam.NewPool) (around ipam.Pool, inside []ipam.Prefix, err error) {
	if !in.Encloses {
		return around, nil, nil
	}
	if p, around, err = c.lockAround(p); err != nil {
		return around, nil, err
	}
	if inside, err = choose.PoolsIn(c.Tx, p.Space(), in.CIDR); err == nil && len(inside) > ipam.MostEnclosed {
		err = ipam.TooManyEnclosed(in)
	}
	return around, inside, err
}

// leaveFor takes pools out of the space that they stand in, whose pool is zero at the root of a scope. The caller holds its lock.
func (c edit) leaveFor(from ipam.Pool, pools []ipam.Prefix) error {
	for _, p := range pools {
		_, err := c.Tx.LockPool(ipam.Everything, p.Owner)
		switch {
		case err != nil:
		case from.UID == "":
			err = c.Tx.DeletePrefix(p.Owner)
		default:
			err = c.free(from, p.Owner, p.CIDR)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settle gives pools that left it their blocks in another space, whose pool has no key at the root of a scope, and returns their
// ids. The caller holds the locks of the space and of the pools.
func (c edit) settle(in ipam.Pool, pools []ipam.Prefix, verb string) (ids []string, err error) {
	for _, p := range pools {
		before, err := c.Tx.Pool(ipam.Everything, p.Owner)
		if err != nil {
			return nil, err
		}
		if err := c.dropGrowth(before); err != nil {
			return nil, err
		}
		after := before
		after.Parent, after.ParentUID, after.Version, after.UpdatedAt = in.ID, in.UID, before.Version+1, c.At
		p.In = ipam.In{Scope: before.Scope, ScopeUID: before.ScopeUID}
		if in.UID != "" {
			p.In = in.Inside()
			if err := c.placeAt(in, p.CIDR, ""); err != nil {
				return nil, err
			}
		}
		if err := c.Tx.InsertPrefix(p); err != nil {
			return nil, err
		}
		if err := c.Tx.UpdatePool(after, c.At); err != nil {
			return nil, err
		}
		if err := c.Record(poolObject(before), verb, before, after); err != nil {
			return nil, err
		}
		ids = append(ids, after.ID)
	}
	return ids, nil
}

// draftAround drafts a pool that encloses others.
func (c edit) draftAround(p ipam.Pool) (ipam.Pool, error) {
	p, around, err := c.lockAround(p)
	if err == nil && around.UID != "" {
		err = c.asks().WithinQuota(around)
	}
	if err != nil {
		return p, err
	}
	p.DraftEncloses = true
	if err := c.addPool(p); err != nil {
		return p, err
	}
	if err := c.Record(poolObject(p), "drafted", nil, p); err != nil {
		return p, err
	}
	return c.keepAround(p)
}

// keepAround keeps what a draft that encloses pools needs until it is created, or renews that, and says which pools those are.
func (c edit) keepAround(draft ipam.Pool) (ipam.Pool, error) {
	inside, err := choose.PoolsIn(c.Tx, draft.Space(), draft.CIDR)
	if err != nil || !draft.DraftEncloses {
		return draft, err
	}
	c.r = New(c.r.k) // without a quota: all of it is one block
	var blocks []netip.Prefix
	for _, p := range inside {
		blocks, draft.Enclosed = append(blocks, p.CIDR), append(draft.Enclosed, p.OwnerID())
		hold := ipam.NewHold{Pool: draft.ID, Name: ipam.EnclosedHold(ipam.UID(p.Owner)), BlockSize: ipam.BlockSize{CIDR: p.CIDR}, Replaces: p.Owner, Plan: c.plan}
		if _, err := c.promiseHere(draft, hold); err != nil {
			return draft, err
		}
	}
	between, err := alloc.Cover(draft.CIDR, blocks)
	for _, b := range between {
		if err := c.growOver(draft, b); err != nil {
			return draft, err
		}
	}
	return draft, err
}

// leaveBetween gives up what is kept between the pools that a draft encloses.
func (c edit) leaveBetween(draft ipam.Pool, verb string) error {
	if !draft.DraftEncloses {
		return nil
	}
	between, err := c.Tx.GrowthOf(draft.UID)
	for _, d := range between {
		if err := c.removePool(d, verb); err != nil {
			return err
		}
	}
	return err
}

// encloseDraft gives a draft that encloses pools its block, and those pools theirs in it; it is to be created. The caller holds the locks
// of the draft and of the space around it.
func (c edit) encloseDraft(id string) (enclosed []string, err error) {
	draft, err := c.Tx.Pool(ipam.Everything, id)
	if err != nil || !draft.DraftEncloses {
		return nil, err
	}
	draft, around, err := c.lockAround(draft)
	if err != nil || around.DraftUntil != nil { // a pool is in no draft, as whoever creates it is told
		return nil, err
	}
	if err := c.leaveBetween(draft, "grown_over"); err != nil {
		return nil, err
	}
	held, err := c.Tx.HoldsIn(draft.UID)
	for _, h := range held {
		if _, encloses := h.Encloses(); encloses && err == nil {
			err = c.dropHold(draft, h, "converted")
		}
	}
	if err != nil {
		return nil, err
	}
	inside, err := choose.PoolsIn(c.Tx, draft.Space(), draft.CIDR)
	if err != nil {
		return nil, err
	}
	if err := c.leaveFor(around, inside); err != nil {
		return nil, err
	}
	draft.DraftEncloses = false
	if err := c.Tx.SetDraft(draft); err != nil {
		return nil, err
	}
	if err := c.standIn(draft); err != nil {
		return nil, err
	}
	return c.settle(draft, inside, "enclosed")
}

// planEnclosed answers a plan that makes a pool the child of one which the same plan puts above it: its block stays. False when the plan
// asks for anything else.
func (r *Registry) planEnclosed(ctx context.Context, by ipam.Caller, known ipam.Pool, patch ipam.PoolPatch, plan ipam.Plan) (ipam.Pool, bool, error) {
	if patch.Parent == nil || *patch.Parent == "" {
		return known, false, nil
	}
	draft, err := read(ctx, r, func(tx *store.Tx) (ipam.Pool, error) { return choose.Enclosing(tx, *patch.Parent, known) })
	if err != nil || !draft.DraftEncloses || !draft.Belongs(by.UID, plan.Holder) {
		return known, false, nil //nolint:nilerr // what is asked for next says why
	}
	patch.Parent = nil
	would, err := r.PreviewPool(ctx, by, string(known.UID), patch, plan)
	would.Parent, would.ParentUID = draft.ID, draft.UID
	return would, err != nil || would.CIDR == known.CIDR, err
}
