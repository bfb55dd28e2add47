package registry

import (
	"cmp"
	"context"
	"errors"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

func holdObject(h ipam.Hold) change.Object {
	return change.Object{Kind: "hold", ID: h.ID, Space: h.PoolUID, Scope: h.Scope, ScopeUID: h.ScopeUID}
}

// ReleaseHold gives up a hold before its time: anyone may, for a hold must never block a person. What was promised is
// remembered as if it had expired, so that an apply of the plan is told when the block is gone. Errors: CodeNotFound.
func (r *Registry) ReleaseHold(ctx context.Context, by ipam.Caller, id string) error {
	return r.withHold(ctx, by, id, func(c edit, pool ipam.Pool, h ipam.Hold) error {
		if err := h.UnderApproval(); err != nil || !h.Kept {
			return err
		}
		if err := c.dropLeft(pool, h); err != nil {
			return err
		}
		h.ExpiresAt = c.At
		return c.loseHold(pool, h, "released")
	})
}

func (r *Registry) withHold(ctx context.Context, by ipam.Caller, id string, body func(edit, ipam.Pool, ipam.Hold) error) error {
	known, err := look(ctx, r, by, id, (*store.Tx).Hold)
	if err != nil {
		return change.OrReplayMissing(ctx, r.k, by, err)
	}
	return locked(ctx, r, by, known.In, func(tx *store.Tx) (ipam.Hold, error) { return tx.Hold(ipam.Everything, id) }, body)
}

// dropHold removes a hold for good, with its space when it has it.
func (c edit) dropHold(pool ipam.Pool, h ipam.Hold, verb string) error {
	if h.HasPrefix() {
		if err := c.free(pool, h.ID, h.CIDR); err != nil {
			return err
		}
	}
	if err := c.Tx.DeleteHold(h.ID); err != nil {
		return err
	}
	return c.Record(holdObject(h), verb, h, nil)
}

// loseHold frees the space of a hold, and remembers what was promised.
func (c edit) loseHold(pool ipam.Pool, h ipam.Hold, verb string) error {
	if h.HasPrefix() {
		if err := c.free(pool, h.ID, h.CIDR); err != nil {
			return err
		}
	}
	lost := h
	lost.Kept, lost.Inherits = false, false
	if err := c.Tx.UpdateHold(lost); err != nil {
		return err
	}
	return c.Record(holdObject(h), verb, h, lost)
}

// convert gives an allocation or a reservation the block that its plan was promised; false when nothing fitting is promised. The space
// changes hands without ever being free.
func (c edit) convert(pool ipam.Pool, want choose.Claim, length int) (netip.Prefix, bool, error) {
	h, found, err := c.Tx.HoldNamed(pool.UID, want.HeldAs(), length)
	if err != nil || !found {
		return h.CIDR, false, err
	}
	switch {
	case want.Refuses(h.CIDR):
		return h.CIDR, false, c.dropHold(pool, h, "released")
	case !h.Kept:
		err := c.takeBack(pool, ipam.KindAllocation, h.Name, h.CIDR)
		if errors.Is(err, alloc.ErrTaken) {
			if want.Kind == ipam.KindReservation && want.CIDR.IsValid() { // what is there now is in the way
				return h.CIDR, false, c.Tx.DeleteHold(h.ID)
			}
			return h.CIDR, false, c.asks().HoldLost(h)
		}
		if err != nil {
			return h.CIDR, false, err
		}
	case h.Inherits:
		if err := c.moveIn(pool, h); err != nil {
			return h.CIDR, false, err
		}
	default:
		if err := c.Tx.DeletePrefix(h.ID); err != nil {
			return h.CIDR, false, err
		}
	}
	if err := cmp.Or(c.Tx.DeleteHold(h.ID), c.Tx.ForgetShown(pool.UID, ipam.KindHold, h.Name, length)); err != nil {
		return h.CIDR, false, err
	}
	return h.CIDR, true, c.Record(holdObject(h), "converted", h, nil)
}
