package registry

import (
	"context"
	"errors"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/scope"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// What is remembered of the past.
const (
	nameMemory  = 90 * 24 * time.Hour // blocks and names that were left
	draftMemory = 24 * time.Hour      // of a plan that was thrown away
)

// EndReservations frees the blocks of reservations that have expired, and reports of how many.
func (r *Registry) EndReservations(ctx context.Context) (int64, error) {
	now, by := r.k.Due(), ipam.System("end-reservations")
	return change.Sweep(ctx, r.k, func(tx *store.Tx, n int) ([]ipam.Reservation, error) { return tx.ExpiredReservations(now, n) },
		func(v ipam.Reservation) string { return v.ID }, func(v ipam.Reservation) (ended bool, err error) {
			err = r.withReservation(ctx, by, v.ID, func(c edit, pool ipam.Pool, v ipam.Reservation) error {
				if ended = v.Expired(now); !ended {
					return nil // given a later end meanwhile
				}
				return c.endReservation(pool, v, "expired")
			})
			return ended, err
		})
}

// ForgetPlans drops drafts a day after they expired, holds when even their memory has run out, and reports how many of both;
// and what is remembered of names for longer than that.
func (r *Registry) ForgetPlans(ctx context.Context) (int64, error) {
	now, by := r.k.Due(), ipam.System("forget-plans")
	pools, failedPools := change.Sweep(ctx, r.k, func(tx *store.Tx, n int) ([]ipam.Pool, error) { return tx.StaleDrafts(now.Add(-draftMemory), n) },
		func(p ipam.Pool) string { return string(p.UID) }, func(d ipam.Pool) (dropped bool, err error) {
			_, err = write(ctx, r, by, d.Lane(), func(c edit) (struct{}, error) {
				draft, err := c.lockWithSpace(d)
				if dropped = err == nil && draft.DraftUntil != nil && !now.Before(*draft.DraftUntil); !dropped {
					return struct{}{}, err // created or renewed meanwhile
				}
				return struct{}{}, c.dropDraft(draft)
			})
			return dropped, err
		})
	_, failedScopes := change.Sweep(ctx, r.k, func(tx *store.Tx, n int) ([]ipam.Scope, error) { return tx.StaleScopeDrafts(now.Add(-draftMemory), n) },
		func(s ipam.Scope) string { return string(s.UID) }, func(s ipam.Scope) (bool, error) { return scope.DropDraft(ctx, r.k, by, s, now.Add(-draftMemory)) })
	holds, failedHolds := change.Sweep(ctx, r.k, func(tx *store.Tx, n int) ([]ipam.Hold, error) { return tx.StaleHolds(now.Add(-ipam.HoldMemory), n) },
		func(h ipam.Hold) string { return h.ID }, func(h ipam.Hold) (dropped bool, err error) {
			err = r.withHold(ctx, by, h.ID, func(c edit, pool ipam.Pool, h ipam.Hold) error {
				if dropped = h.Expired(now); !dropped {
					return nil // renewed meanwhile
				}
				return c.dropHold(pool, h, "forgotten")
			})
			return dropped, err
		})
	return pools + holds, errors.Join(failedPools, failedScopes, failedHolds,
		r.k.Forget(ctx, func(tx *store.Tx, n int) (int64, error) { return tx.ForgetPromises(now.Add(-ipam.HoldMemory), n) }),
		r.k.Forget(ctx, func(tx *store.Tx, n int) (int64, error) { return tx.ForgetLastBlocks(now.Add(-nameMemory), n) }),
		r.k.Forget(ctx, func(tx *store.Tx, n int) (int64, error) { return tx.ForgetNames(now.Add(-nameMemory), n) }),
	)
}
