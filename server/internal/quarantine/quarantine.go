// Package quarantine is what a released block goes through before it is free: kept while its pool asks for that, given back to who
// had it, moved with its addresses, and ended. What else must be true before a block is free again, that no cloud shows it any more,
// belongs here. Next to the registry, which calls it under its locks, it is the only writer of prefixes: of its own.
package quarantine

import (
	"context"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Ward answers what is in quarantine. It is safe for concurrent use.
type Ward struct{ k *change.Kernel }

// New makes a Ward.
func New(k *change.Kernel) *Ward { return &Ward{k: k} }

// Quarantines lists a page of quarantines, those that have ended and whose block nobody has taken too.
func (w *Ward) Quarantines(ctx context.Context, see ipam.Visible, f ipam.QuarantineFilter, p ipam.Page) ([]ipam.Quarantine, error) {
	return change.Get(ctx, w.k, func(tx *store.Tx) ([]ipam.Quarantine, error) { return tx.Quarantines(see, f, p) })
}

// Quarantine reads a quarantine; CodeNotFound when there is none to see, or none any more.
func (w *Ward) Quarantine(ctx context.Context, see ipam.Visible, id string) (ipam.Quarantine, error) {
	return change.Get(ctx, w.k, func(tx *store.Tx) (ipam.Quarantine, error) { return tx.Quarantine(see, id) })
}

func object(q ipam.Quarantine) change.Object {
	return change.Object{Kind: "quarantine", ID: q.ID, Space: q.Space(), Scope: q.Scope, ScopeUID: q.ScopeUID}
}

// Length is how long a block of a pool is kept that an allocation leaves for a cause; 0 where it is free at once.
func Length(tx *store.Tx, pool ipam.Pool, cause ipam.Cause) (time.Duration, error) {
	length, err := tx.QuarantineLength(pool)
	if cause == ipam.CauseExpired { // nobody released it
		length = max(length, ipam.LeastQuarantine)
	}
	return length, err
}

// Enter puts the block of an allocation of a pool that has ended into quarantine. The caller holds the pool's lock, and the block is
// neither free nor a prefix.
func Enter(c change.Change, pool ipam.Pool, a ipam.Allocation, cause ipam.Cause, length time.Duration) error {
	return enter(c, pool, a, &a, a.CIDR, cause, length)
}

// EnterRest puts what an allocation has given up, and what is free by now, into quarantine where its pool asks for that.
func EnterRest(c change.Change, pool ipam.Pool, a ipam.Allocation, to netip.Prefix) error {
	rest, grows := alloc.Border(a.CIDR, to)
	length, err := Length(c.Tx, pool, ipam.CauseShrunk)
	if err != nil || grows || length == 0 {
		return err
	}
	for _, b := range rest {
		if err := alloc.PlaceAt(c.Tx.Leaves(pool), b); err != nil {
			return err
		}
		if err := enter(c, pool, a, nil, b, ipam.CauseShrunk, length); err != nil {
			return err
		}
	}
	return nil
}

func enter(c change.Change, pool ipam.Pool, a ipam.Allocation, was *ipam.Allocation, at netip.Prefix, cause ipam.Cause, length time.Duration) error {
	q := ipam.Quarantine{
		ID: change.NewID("quarantine"), In: pool.Inside(), Origin: pool.UID, Allocation: a.ID, Name: a.Name, Owner: a.Owner, CIDR: at, Cause: cause, Was: was,
		Until: c.At.Add(length), CreatedAt: c.At,
	}
	if err := c.Tx.InsertQuarantine(q); err != nil {
		return err
	}
	if err := c.Tx.InsertPrefix(q.Prefix()); err != nil {
		return err
	}
	return c.Record(object(q), "created", nil, q)
}

// Leave ends a quarantine. Its block is nobody's then, and not free yet. The caller holds the lock of the space.
func Leave(c change.Change, q ipam.Quarantine, verb string) error {
	if err := c.Tx.DeletePrefix(q.ID); err != nil {
		return err
	}
	if err := c.Tx.DeleteQuarantine(q.ID); err != nil {
		return err
	}
	return c.Record(object(q), verb, q, nil)
}

// Free ends a quarantine and makes its block free. Pool is that of the space, and zero at the root of a scope.
func Free(c change.Change, pool ipam.Pool, q ipam.Quarantine, verb string) error {
	if err := Leave(c, q, verb); err != nil || pool.UID == "" {
		return err
	}
	return alloc.Return(c.Tx.Leaves(pool), pool.CIDR, q.CIDR)
}

// Lift makes the block of a quarantine free in its space, for it to Settle in another in the same transaction. Pool is that of the
// space, and zero at the root of a scope.
func Lift(c change.Change, pool ipam.Pool, q ipam.Quarantine) error {
	if err := c.Tx.DeletePrefix(q.ID); err != nil || pool.UID == "" {
		return err
	}
	return alloc.Return(c.Tx.Leaves(pool), pool.CIDR, q.CIDR)
}

// LiftAll is Lift of all that is in quarantine in a pool.
func LiftAll(c change.Change, pool ipam.Pool) error {
	all, err := c.Tx.QuarantinesOf(pool.UID, pool.CIDR)
	for _, q := range all {
		if err == nil {
			err = Lift(c, pool, q)
		}
	}
	return err
}

// Settle gives what was lifted of a space its addresses in another, whose pool has no key at the root of a scope. A pool that
// is made anew under its name has what was its own back. The caller holds the locks of both.
func Settle(c change.Change, lifted []ipam.Quarantine, to ipam.Pool) error {
	for _, q := range lifted {
		after := q
		after.In = ipam.In{Scope: q.Scope, ScopeUID: q.ScopeUID}
		if to.UID != "" {
			after.In = to.Inside()
			if err := alloc.PlaceAt(c.Tx.Leaves(to), q.CIDR); err != nil {
				return err
			}
		}
		if q.Was != nil && q.Was.Pool == to.ID {
			after.Origin = to.UID
		}
		if err := c.Tx.MoveQuarantine(after); err != nil {
			return err
		}
		if err := c.Tx.InsertPrefix(after.Prefix()); err != nil {
			return err
		}
		if err := c.Record(object(q), "moved", q, after); err != nil {
			return err
		}
	}
	return nil
}

// Clear ends what is in quarantine at the root of a scope that is to go. CodeScopeNotEmpty while the time of any has not come. The
// caller holds the scope's lock.
func Clear(c change.Change, s ipam.Scope) error {
	all, err := c.Tx.Quarantines(ipam.Everything, ipam.QuarantineFilter{Scope: string(s.UID)}, ipam.Page{Limit: change.PageSize})
	if err != nil {
		return err
	}
	for _, q := range all {
		if !q.Ended(c.Due) {
			return ipam.Errorf(ipam.CodeScopeNotEmpty, "scope %q is not empty: %s", s.ID, q.Why())
		}
		if err := Free(c, ipam.Pool{}, q, "ended"); err != nil {
			return err
		}
	}
	if len(all) == change.PageSize {
		return Clear(c, s)
	}
	return nil
}
