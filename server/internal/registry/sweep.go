package registry

import (
	"context"
	"errors"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// What is remembered of the past, and how much of it one write of a sweep takes: a sweep never keeps others waiting.
const (
	nameMemory  = 90 * 24 * time.Hour // blocks and names that were left
	draftMemory = 24 * time.Hour      // of a plan that was thrown away
	sweepSize   = 500
)

// bySweep is who ends what has run out.
func bySweep(request string) ipam.Caller {
	return ipam.Caller{Principal: ipam.SystemPrincipal, RequestID: request}
}

// sweep ends all that is due, some at a time, each in a transaction of its own. What cannot be ended is left, and does not keep
// the rest from its end: its error is told at last. A lost lease is the end of all. End reports whether it did something.
func sweep[T any](ctx context.Context, r *Registry, due func(*store.Tx, int) ([]T, error), id func(T) string, end func(T) (bool, error)) (ended int64, err error) {
	failed := map[string]error{}
	for {
		// What failed comes again at the head of the list.
		items, err := read(ctx, r, func(tx *store.Tx) ([]T, error) { return due(tx, sweepSize+len(failed)) })
		if err != nil {
			return ended, err
		}
		fresh := 0
		for _, item := range items {
			if _, known := failed[id(item)]; known {
				continue
			}
			fresh++
			did, err := end(item)
			switch {
			case errors.Is(err, change.ErrLeaseLost):
				return ended, err
			case err != nil && ipam.CodeOf(err) != ipam.CodeNotFound:
				failed[id(item)] = err
			case err == nil && did:
				ended++
			default: // renewed or gone meanwhile, so it is not due any more; were it listed again, this would never end
				failed[id(item)] = nil
			}
			if ctx.Err() != nil {
				return ended, ctx.Err()
			}
		}
		if fresh == 0 {
			var all []error
			for _, err := range failed {
				if len(all) < 5 {
					all = append(all, err)
				}
			}
			return ended, errors.Join(all...)
		}
	}
}

// forget drops rows of the past, some at a time, until none is left.
func (r *Registry) forget(ctx context.Context, some func(*store.Tx, int) (int64, error)) error {
	for {
		var n int64
		err := r.k.Work(ctx, "memory", func(tx *store.Tx) (err error) {
			n, err = some(tx, sweepSize)
			return err
		})
		if err != nil || n < sweepSize {
			return err
		}
	}
}

// EndReservations frees the blocks of reservations that have expired, and reports of how many.
func (r *Registry) EndReservations(ctx context.Context) (int64, error) {
	now, by := r.k.Due(), bySweep("end-reservations")
	return sweep(ctx, r, func(tx *store.Tx, n int) ([]ipam.Reservation, error) { return tx.ExpiredReservations(now, n) },
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
	now, by := r.k.Due(), bySweep("forget-plans")
	pools, failedPools := sweep(ctx, r, func(tx *store.Tx, n int) ([]ipam.Pool, error) { return tx.StaleDrafts(now.Add(-draftMemory), n) },
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
	_, failedScopes := sweep(ctx, r, func(tx *store.Tx, n int) ([]ipam.Scope, error) { return tx.StaleScopeDrafts(now.Add(-draftMemory), n) },
		func(s ipam.Scope) string { return string(s.UID) }, func(s ipam.Scope) (bool, error) { return r.dropScopeDraft(ctx, by, s, now.Add(-draftMemory)) })
	holds, failedHolds := sweep(ctx, r, func(tx *store.Tx, n int) ([]ipam.Hold, error) { return tx.StaleHolds(now.Add(-ipam.HoldMemory), n) },
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
		r.forget(ctx, func(tx *store.Tx, n int) (int64, error) { return tx.ForgetPromises(now.Add(-ipam.HoldMemory), n) }),
		r.forget(ctx, func(tx *store.Tx, n int) (int64, error) { return tx.ForgetLastBlocks(now.Add(-nameMemory), n) }),
		r.forget(ctx, func(tx *store.Tx, n int) (int64, error) { return tx.ForgetNames(now.Add(-nameMemory), n) }),
	)
}
