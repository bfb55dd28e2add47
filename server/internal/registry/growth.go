package registry

import (
	"context"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// PlanPool answers what PreviewPool does, and keeps what the change needs until it is made: what the pool gains stands next to it
// as drafts, in which holds of the same plan have room, and what it gives up is held in it, so that nobody gets it before. Asking
// again renews that. Errors besides: CodePlanAgain.
func (r *Registry) PlanPool(ctx context.Context, by ipam.Caller, id string, patch ipam.PoolPatch, plan ipam.Plan) (ipam.Pool, error) {
	if err := plan.Check(); err != nil {
		return ipam.Pool{}, err
	}
	known, err := realPool(ctx, r, by, id)
	if err != nil {
		return known, err
	}
	if would, enclosed, err := r.planEnclosed(ctx, by, known, patch, plan); enclosed {
		return would, err
	}
	would, err := r.PreviewPool(ctx, by, id, patch, plan)
	if err != nil && ipam.CodeOf(err) != ipam.CodePlanAgain || err == nil && (would.CIDR == known.CIDR || known.Moves(patch)) {
		return would, err
	}
	to, err := known.Resized(patch)
	if err != nil {
		return would, err
	}
	return planned(ctx, r, by, known.Lane(), plan, func(c edit) (ipam.Pool, error) {
		pool, err := ipam.RealPool(c.lockWithSpace(known))
		if err != nil {
			return would, err
		}
		if err := c.May(pool.DecidedIn(patch)); err != nil {
			return would, err
		}
		rest, grows := alloc.Border(pool.CIDR, to)
		for _, block := range rest {
			if grows {
				err = c.growOver(pool, block)
			} else {
				_, err = c.promise(pool, ipam.NewHold{Pool: pool.ID, Name: ipam.ShrinkHold(pool.UID), BlockSize: ipam.BlockSize{CIDR: block}, Replaces: string(pool.UID), Plan: plan})
			}
			if err != nil {
				return would, err
			}
		}
		return would, nil
	})
}

// growOver keeps a block next to a pool for it to grow over, or renews that. The caller holds the locks of the pool and of the
// space around it.
func (c edit) growOver(pool ipam.Pool, block netip.Prefix) error {
	known, err := c.Tx.GrowthOf(pool.UID)
	if err != nil {
		return err
	}
	until := c.plan.Until(c.At)
	for _, d := range known {
		if d.CIDR != block {
			continue
		}
		if !d.Belongs(c.By.UID, c.plan.Holder) && c.Due.Before(*d.DraftUntil) {
			break // it is in the way, and says whose it is
		}
		if d.DraftUntil.Before(until) {
			d.DraftUntil = &until
		}
		d.DraftPrincipal, d.DraftActor, d.DraftHolder, d.DraftRun = c.By.UID, c.By.String(), c.plan.Holder, c.plan.Run
		return c.Tx.SetDraft(d)
	}
	d := pool.Growth(block, c.By, c.plan, c.At)
	if err := c.standIn(d); err != nil {
		return err
	}
	if err := c.Tx.InsertPool(d); err != nil {
		return err
	}
	if err := c.Tx.Leaves(d).Add(block); err != nil {
		return err
	}
	return c.Record(poolObject(d), "drafted", nil, d)
}

// standIn takes the block of a draft in the space around it.
func (c edit) standIn(d ipam.Pool) error {
	if d.Parent == "" {
		return c.takeRoot(d, ipam.StatusHeld)
	}
	parent, err := c.Tx.Pool(ipam.Everything, string(d.ParentUID))
	if err != nil {
		return err
	}
	if d.DraftGrows != "" {
		if err := c.asks().WithinQuota(parent); err != nil {
			return err
		}
	}
	if err := c.placeAt(parent, d.CIDR, ""); err != nil {
		return err
	}
	return c.Tx.InsertPrefix(c.prefixOf(parent, choose.Claim{Kind: ipam.KindPool, Name: d.Name, Status: ipam.StatusHeld}, string(d.UID), d.CIDR))
}

// takeGrowth ends the drafts that a pool grows over, so that it can gain their space, and returns what was held in them. The caller
// holds the locks of the pool and of the space around it.
func (c edit) takeGrowth(pool ipam.Pool, to netip.Prefix) (held []ipam.Hold, err error) {
	drafts, err := c.Tx.GrowthOf(pool.UID)
	if err != nil {
		return nil, err
	}
	for _, d := range drafts {
		if !to.Overlaps(d.CIDR) {
			continue
		}
		if d, err = c.Tx.LockPool(ipam.Everything, string(d.UID)); err != nil {
			return nil, err
		}
		inside, err := c.Tx.HoldsIn(d.UID)
		if err != nil {
			return nil, err
		}
		for _, h := range inside {
			_, taken, err := c.Tx.HoldNamed(pool.UID, h.Name, h.CIDR.Bits())
			if err != nil {
				return nil, err
			}
			if taken {
				if err := c.dropHold(d, h, "released"); err != nil {
					return nil, err
				}
				continue
			}
			if err := c.Tx.MoveHold(h, pool.UID); err != nil {
				return nil, err
			}
			held = append(held, h)
		}
		if err := c.removePool(d, "grown_over"); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// keepGrown takes what was held in the drafts that a pool grew over from its new space.
func (c edit) keepGrown(pool ipam.Pool, held []ipam.Hold) error {
	for _, h := range held {
		if h.HasPrefix() {
			if err := alloc.PlaceAt(c.Tx.Leaves(pool), h.CIDR); err != nil {
				return err
			}
		}
		after := h
		after.In = pool.Inside()
		if err := c.Record(holdObject(after), "moved", h, after); err != nil {
			return err
		}
	}
	return nil
}

// dropGrowth ends the drafts that a pool was to grow over. The caller holds the lock of the space around it.
func (c edit) dropGrowth(pool ipam.Pool) error {
	drafts, err := c.Tx.GrowthOf(pool.UID)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if err := c.dropDraft(d); err != nil {
			return err
		}
	}
	return nil
}

// promise makes, renews or refuses a hold: in the pool, or in what the plan keeps for the pool to grow over, so that a block in
// room to come is known before the pool has it. The caller holds the pool's lock.
func (c edit) promise(pool ipam.Pool, in ipam.NewHold) (ipam.Hold, error) {
	if err := c.touch(pool); err != nil {
		return ipam.Hold{}, err
	}
	growth, err := c.asks().Growth(pool)
	if err != nil {
		return ipam.Hold{}, err
	}
	for _, d := range growth {
		length, err := in.LengthIn(d)
		if err != nil {
			continue // larger than it
		}
		known, found, err := c.Tx.HoldNamed(d.UID, in.Name, length)
		if err != nil {
			return known, err
		}
		if found && known.Kept {
			return c.promiseOver(pool, d, in)
		}
	}
	h, err := c.promiseHere(pool, in)
	for _, d := range growth {
		if !choose.NoneHere(err) {
			break
		}
		if over, failure := c.promiseOver(pool, d, in); !choose.NoneHere(failure) {
			h, err = over, failure
		}
	}
	return h, choose.Kept(c.Change, pool, in, h, choose.NoneGained(pool, growth, in, err))
}

// promiseOver promises a block in what a pool is to grow over: to the plan, it is in the pool.
func (c edit) promiseOver(pool, growth ipam.Pool, in ipam.NewHold) (ipam.Hold, error) {
	growth, err := c.Tx.LockPool(ipam.Everything, string(growth.UID))
	if err == nil {
		err = c.touch(growth)
	}
	if err != nil {
		return ipam.Hold{}, err
	}
	h, err := c.promiseHere(growth, in)
	h.In = pool.Inside()
	return h, err
}
