package change

import (
	"context"
	"errors"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/store"
)

// ErrLeaseLost is the end of leased work that another server has taken over.
var ErrLeaseLost = errors.New("another server does this work by now")

// lease is one taking of a piece of work. It is in the context of the work, so that no write of it can forget to look.
type lease struct {
	work  string
	epoch int64
}

type leaseKey struct{}

// Lease reports whether this server does a piece of work for the time given: of several on one database, one does. Leased is the
// context of the work: a write under it fails with ErrLeaseLost once another server has taken the work, as it may when this one was
// frozen for longer than its lease. Where another has the work nothing is written: PostgreSQL would write a lock for the mere attempt.
func (k *Kernel) Lease(ctx context.Context, work string, length time.Duration) (leased context.Context, mine bool, err error) {
	l := lease{work: work}
	taken, err := Glance(ctx, k, func(tx *store.Tx) (bool, error) { return tx.LeaseTaken(work, k.id, k.Now()) })
	if err != nil || taken {
		return ctx, false, err
	}
	err = k.DB.Write(ctx, "lease "+work, func(tx *store.Tx) (err error) {
		now, _ := k.at(tx)
		l.epoch, mine, err = tx.TakeLease(work, k.id, now, now.Add(length))
		return err
	})
	return context.WithValue(ctx, leaseKey{}, l), mine && err == nil, err
}

// EndLeases ends what a server that was killed has left, where no other can be at work: a SQLite file has one server.
func (k *Kernel) EndLeases(ctx context.Context) error {
	if k.DB.Engine() != store.SQLite {
		return nil
	}
	return k.DB.Write(ctx, "leases", func(tx *store.Tx) error { return tx.EndLeases() })
}

// holdLease makes sure that the lease of a context is still this server's, until the transaction ends.
func holdLease(ctx context.Context, tx *store.Tx) error {
	l, leased := ctx.Value(leaseKey{}).(lease)
	if !leased {
		return nil
	}
	mine, err := tx.HoldLease(l.work, l.epoch)
	if err == nil && !mine {
		return ErrLeaseLost
	}
	return err
}

// Work is a write of periodic work that tells no event.
func (k *Kernel) Work(ctx context.Context, lane string, body func(*store.Tx) error) error {
	return k.DB.Write(ctx, lane, func(tx *store.Tx) error {
		if err := holdLease(ctx, tx); err != nil {
			return err
		}
		return body(tx)
	})
}
