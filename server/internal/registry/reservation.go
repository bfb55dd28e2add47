package registry

import (
	"context"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

func reservationObject(v ipam.Reservation) object {
	return object{kind: "reservation", id: v.ID, chain: v.Pool, scope: v.Scope}
}

// Reservations lists a page of reservations, those that expired and were not ended yet too.
func (r *Registry) Reservations(ctx context.Context, f ipam.ReservationFilter, p ipam.Page) ([]ipam.Reservation, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.Reservation, error) { return tx.Reservations(f, p) })
}

// Reservation reads a reservation; CodeNotFound when there is none, or none any more.
func (r *Registry) Reservation(ctx context.Context, id string) (ipam.Reservation, error) {
	return read(ctx, r, func(tx *store.Tx) (ipam.Reservation, error) { return tx.Reservation(id) })
}

// Reserve keeps a block of a pool out of use. The pool's size rules do not bind it. Errors: CodeInvalid, CodeNotFound (the
// pool), CodeCIDRTaken, CodeOutsidePool, CodePoolExhausted.
func (r *Registry) Reserve(ctx context.Context, by ipam.Caller, in ipam.NewReservation) (ipam.Reservation, error) {
	if err := in.Check(); err != nil {
		return ipam.Reservation{}, err
	}
	return write(ctx, r, by, in.Pool, func(c change) (ipam.Reservation, error) {
		if err := ipam.CheckExpiry(in.ExpiresAt, c.at); err != nil {
			return ipam.Reservation{}, err
		}
		pool, err := realPool(c.lockFor(in.Pool))
		if err != nil {
			return ipam.Reservation{}, err
		}
		v := ipam.Reservation{
			ID: c.r.newID("rsv"), Scope: pool.Scope, Pool: pool.ID, Reason: in.Reason, Owner: in.Owner, Labels: in.Labels, ExpiresAt: stored(in.ExpiresAt),
			Version: 1, CreatedAt: c.at, UpdatedAt: c.at,
		}
		v.CIDR, err = c.place(pool, claim{kind: ipam.KindReservation, owner: v.ID, name: v.Reason, BlockSize: ipam.BlockSize{CIDR: in.CIDR, Length: in.Length}, status: ipam.StatusReserved})
		if err != nil {
			return v, err
		}
		if err := c.InsertReservation(v); err != nil {
			return v, err
		}
		return v, c.record(reservationObject(v), "created", nil, v)
	})
}

// stored is a moment as both engines keep it.
func stored(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC().Truncate(time.Microsecond))
}

// UpdateReservation changes why, for whom and until when a block is kept; its CIDR stays. One that has expired and is still
// there may be given a new end: nobody has taken its space. Errors: CodeNotFound, CodeInvalid, CodePreconditionFailed,
// CodePreconditionRequired.
func (r *Registry) UpdateReservation(ctx context.Context, by ipam.Caller, id string, v Version, patch ipam.ReservationPatch) (ipam.Reservation, error) {
	known, err := r.Reservation(ctx, id)
	if err != nil {
		err = r.repeated(ctx, by, err, &known) // changed by this very request, and released since
		return known, err
	}
	return write(ctx, r, by, known.Pool, func(c change) (ipam.Reservation, error) {
		if _, err := c.LockPool(known.Pool); err != nil {
			return known, err
		}
		before, err := c.Reservation(id)
		if err != nil {
			return before, err
		}
		if err := v.require("reservation", id, before.Version); err != nil {
			return before, err
		}
		after := before.Apply(patch)
		if patch.ExpiresAt != nil {
			if err := ipam.CheckExpiry(after.ExpiresAt, c.at); err != nil {
				return before, err
			}
			after.ExpiresAt = stored(after.ExpiresAt)
		}
		if err := ipam.CheckLabels(after.Labels); err != nil {
			return before, err
		}
		if after.Reason != before.Reason {
			if err := ipam.CheckReason(after.Reason); err != nil {
				return before, err
			}
			if err := c.RenamePrefix(id, after.Reason); err != nil {
				return before, err
			}
		}
		after.Version, after.UpdatedAt = before.Version+1, c.at
		if err := c.UpdateReservation(after, c.at); err != nil {
			return before, err
		}
		return after, c.record(reservationObject(after), "updated", before, after)
	})
}

// ReleaseReservation gives a kept block back to its pool. Errors: CodeNotFound, CodePreconditionFailed.
func (r *Registry) ReleaseReservation(ctx context.Context, by ipam.Caller, id string, v Version) error {
	return r.withReservation(ctx, by, id, func(c change, pool ipam.Pool, kept ipam.Reservation) error {
		if err := v.check("reservation", id, kept.Version); err != nil {
			return err
		}
		return c.endReservation(pool, kept, "released")
	})
}

func (r *Registry) withReservation(ctx context.Context, by ipam.Caller, id string, body func(change, ipam.Pool, ipam.Reservation) error) error {
	known, err := r.Reservation(ctx, id)
	if err != nil {
		return r.gone(ctx, by, err)
	}
	_, err = write(ctx, r, by, known.Pool, func(c change) (struct{}, error) {
		none := struct{}{}
		pool, err := c.LockPool(known.Pool)
		if err != nil {
			return none, err
		}
		now, err := c.Reservation(id)
		if err != nil {
			return none, err
		}
		return none, body(c, pool, now)
	})
	return err
}

// endReservation removes a reservation and frees its block. The caller holds the pool's lock.
func (c change) endReservation(pool ipam.Pool, v ipam.Reservation, verb string) error {
	if err := c.DeleteReservation(v.ID); err != nil {
		return err
	}
	if err := c.free(pool, v.ID, v.CIDR); err != nil {
		return err
	}
	return c.record(reservationObject(v), verb, v, nil)
}

// EndReservations frees the blocks of up to 1000 reservations that have expired, and says of how many.
func (r *Registry) EndReservations(ctx context.Context) (ended int, err error) {
	now := r.now()
	by := ipam.Caller{Actor: "system", RequestID: "end-reservations"}
	expired, err := read(ctx, r, func(tx *store.Tx) ([]ipam.Reservation, error) { return tx.ExpiredReservations(now, 1000) })
	if err != nil {
		return 0, err
	}
	for _, v := range expired {
		err := r.withReservation(ctx, by, v.ID, func(c change, pool ipam.Pool, v ipam.Reservation) error {
			if !v.Expired(now) {
				return nil // given a later end meanwhile
			}
			return c.endReservation(pool, v, "expired")
		})
		if err != nil && ipam.CodeOf(err) != ipam.CodeNotFound {
			return ended, err
		}
		ended++
	}
	return ended, nil
}
