package registry

import (
	"cmp"
	"context"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

func reservationObject(v ipam.Reservation) change.Object {
	return change.Object{Kind: "reservation", ID: v.ID, Space: v.PoolUID, Scope: v.Scope, ScopeUID: v.ScopeUID}
}

// Reserve keeps a block of a pool out of use. The pool's size rules do not bind it. What a plan was promised for its name becomes
// its block. Errors: CodeInvalid, CodeNotFound (the pool), CodeNameTaken, CodeCIDRTaken, CodeOutsidePool, CodePoolExhausted, CodeHoldLost.
func (r *Registry) Reserve(ctx context.Context, by ipam.Caller, in ipam.NewReservation) (ipam.Reservation, error) {
	if err := in.Check(); err != nil {
		return ipam.Reservation{}, err
	}
	v, err := write(ctx, r, by, in.Pool, func(c edit) (ipam.Reservation, error) {
		if err := ipam.CheckExpiry(in.ExpiresAt, c.At); err != nil {
			return ipam.Reservation{}, err
		}
		pool, err := ipam.RealPool(c.lockFor(in.Pool))
		if err != nil {
			return ipam.Reservation{}, err
		}
		if err := c.followReservation(pool, in); err != nil {
			return ipam.Reservation{}, err
		}
		v := ipam.Reservation{
			ID: change.NewID("rsv"), In: pool.Inside(), Name: in.Name, Reason: in.Reason, Owner: in.Owner, Labels: in.Labels, ExpiresAt: ipam.Stored(in.ExpiresAt),
			Version: 1, CreatedAt: c.At, UpdatedAt: c.At,
		}
		v.CIDR, err = c.place(pool, choose.Claim{
			Kind: ipam.KindReservation, Owner: v.ID, Name: v.Reason, Hold: ipam.ReservationHold(in.Name, in.CIDR), BlockSize: ipam.BlockSize{CIDR: in.CIDR, Length: in.Length}, Status: ipam.StatusReserved, Labels: &v.Labels,
		})
		if err != nil {
			return v, err
		}
		if err := c.Tx.InsertReservation(v); err != nil {
			return v, err
		}
		return v, c.Record(reservationObject(v), "created", nil, v)
	})
	if in.CIDR.IsValid() { // an apply, which is told again
		return v, err
	}
	return v, r.tell(ctx, by, in.Pool, ipam.Plan{}, []ipam.NewHold{{Pool: in.Pool, Name: ipam.ReservationHold(in.Name, in.CIDR), BlockSize: ipam.BlockSize{Length: in.Length}}}, err)
}

// followReservation makes the name free for a new reservation. A living one whose replacement was planned ends here: who creates the
// successor first destroys it next, and its block may be the successor's.
func (c edit) followReservation(pool ipam.Pool, in ipam.NewReservation) error {
	if in.Name == "" {
		return nil
	}
	hold := ipam.ReservationHold(in.Name, in.CIDR)
	taken := c.nameFree(pool, hold)
	if ipam.CodeOf(taken) != ipam.CodeNameTaken || !in.CIDR.IsValid() {
		return taken
	}
	before, _, err := c.Tx.ReservationNamed(pool.UID, in.Name)
	if err != nil {
		return err
	}
	h, found, err := c.Tx.HoldNamed(pool.UID, hold, in.CIDR.Bits())
	if err != nil || !found || h.CIDR != in.CIDR || h.Replaces != before.ID {
		return cmp.Or(err, taken)
	}
	return c.endReservation(pool, before, "released")
}

// UpdateReservation renames a reservation and changes why, for whom and until when a block is kept; its CIDR stays. One that has
// expired and is still there may be given a new end: nobody has taken its space. Errors: CodeNotFound, CodeInvalid, CodeNameTaken,
// CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) UpdateReservation(ctx context.Context, by ipam.Caller, id string, m ipam.Match, patch ipam.ReservationPatch) (ipam.Reservation, error) {
	known, err := look(ctx, r, by, id, (*store.Tx).Reservation)
	if err != nil {
		return change.OrReplay[ipam.Reservation](ctx, r.k, by, err) // changed by this very request, and released since
	}
	return write(ctx, r, by, known.Pool, func(c edit) (ipam.Reservation, error) {
		pool, err := c.lockedPool(known.In)
		if err != nil {
			return known, err
		}
		before, err := c.Tx.Reservation(ipam.Everything, id)
		if err != nil {
			return before, err
		}
		if err := m.Require("reservation", id, before.ETag()); err != nil {
			return before, err
		}
		after := before.Apply(patch)
		if err := after.CheckFrom(before, c.At); err != nil {
			return before, err
		}
		if after.Name != before.Name && after.Name != "" {
			if err := c.nameFree(pool, ipam.ReservationHold(after.Name, after.CIDR)); err != nil {
				return before, err
			}
		}
		if after.Name != before.Name {
			if err := c.disinherit(pool, before.Promised()); err != nil {
				return before, err
			}
		}
		if after.Reason != before.Reason {
			if err := c.Tx.RenamePrefix(id, after.Reason); err != nil {
				return before, err
			}
		}
		after.Version, after.UpdatedAt = before.Version+1, c.At
		if err := c.MayHave(before.In, before.Extent(), after.Extent()); err != nil {
			return before, err
		}
		if err := c.Tx.UpdateReservation(after, c.At); err != nil {
			return before, err
		}
		return after, c.Record(reservationObject(after), "updated", before, after)
	})
}

// ReleaseReservation gives a kept block back to its pool. Errors: CodeNotFound, CodePreconditionFailed.
func (r *Registry) ReleaseReservation(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	return r.withReservation(ctx, by, id, func(c edit, pool ipam.Pool, kept ipam.Reservation) error {
		if err := cmp.Or(c.MayHave(kept.In, kept.Extent()), m.Check("reservation", id, kept.ETag())); err != nil {
			return err
		}
		return c.endReservation(pool, kept, "released")
	})
}

func (r *Registry) withReservation(ctx context.Context, by ipam.Caller, id string, body func(edit, ipam.Pool, ipam.Reservation) error) error {
	known, err := look(ctx, r, by, id, (*store.Tx).Reservation)
	if err != nil {
		return change.OrReplayMissing(ctx, r.k, by, err)
	}
	return locked(ctx, r, by, known.In, func(tx *store.Tx) (ipam.Reservation, error) { return tx.Reservation(ipam.Everything, id) }, body)
}

// endReservation removes a reservation and frees its block. The caller holds the pool's lock.
func (c edit) endReservation(pool ipam.Pool, v ipam.Reservation, verb string) error {
	if err := c.Tx.DeleteReservation(v.ID); err != nil {
		return err
	}
	if err := c.leaveBlock(pool, ipam.KindAllocation, v.Promised(), ipam.CauseReleased); err != nil {
		return err
	}
	return c.Record(reservationObject(v), verb, v, nil)
}
