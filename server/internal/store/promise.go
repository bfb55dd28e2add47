package store

import (
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Promised is the block that a plan was promised for a name of a length in a space; false when it was promised none. The
// plan "" stands for those that do not name themselves.
func (tx *Tx) Promised(space ipam.UID, kind ipam.Kind, name string, fam, length int, plan string) (netip.Prefix, bool, error) {
	first, err := tx.rows.Promised(tx.ctx, query.PromisedParams{SpaceID: space.Key(), Kind: string(kind), Name: name, Length: int64(length), PlanID: plan})
	if noRows(err) {
		return netip.Prefix{}, false, nil
	}
	if err != nil {
		return netip.Prefix{}, false, err
	}
	p, err := block(first, fam, int64(length))
	if err != nil { // the pool was of the other family then: nothing to come back to
		return netip.Prefix{}, false, nil
	}
	return p, true, nil
}

// RememberPromise keeps what a plan was promised, and of all plans that were promised something for the name the newest 64.
func (tx *Tx) RememberPromise(space ipam.UID, kind ipam.Kind, name string, p netip.Prefix, plan string, at time.Time) error {
	length := int64(p.Bits())
	err := tx.rows.RememberPromise(tx.ctx, query.RememberPromiseParams{
		SpaceID: space.Key(), Kind: string(kind), Name: name, Length: length, PlanID: plan, FirstIp: firstIP(p), PromisedAt: micros(at),
	})
	if err != nil {
		return err
	}
	return tx.rows.TrimPromises(tx.ctx, query.TrimPromisesParams{SpaceID: space.Key(), Kind: string(kind), Name: name, Length: length})
}

// RememberHolds keeps what the holds of a pool promise to plans that do not name themselves.
func (tx *Tx) RememberHolds(pool ipam.UID, at time.Time) error {
	return tx.rows.RememberHolds(tx.ctx, query.RememberHoldsParams{PoolID: pool.Key(), At: micros(at)})
}

// ForgetPromise drops what a plan was promised.
func (tx *Tx) ForgetPromise(space ipam.UID, kind ipam.Kind, name string, length int, plan string) error {
	return tx.rows.ForgetPromise(tx.ctx, query.ForgetPromiseParams{SpaceID: space.Key(), Kind: string(kind), Name: name, Length: int64(length), PlanID: plan})
}

// shownAs is the name under which what an earlier plan was shown is kept: one that nobody can ask for.
func shownAs(name string) string { return "~" + name }

// RememberShown keeps the block that a plan was shown for a name, which has another by now.
func (tx *Tx) RememberShown(space ipam.UID, kind ipam.Kind, name string, p netip.Prefix, at time.Time) error {
	return tx.RememberPromise(space, kind, shownAs(name), p, "", at)
}

// Shown is the block that a plan was shown before for a name of a length; zero when none was.
func (tx *Tx) Shown(space ipam.UID, kind ipam.Kind, name string, fam, length int) (netip.Prefix, error) {
	p, _, err := tx.Promised(space, kind, shownAs(name), fam, length, "")
	return p, err
}

// ForgetShown drops what plans were shown before: the name has its block.
func (tx *Tx) ForgetShown(space ipam.UID, kind ipam.Kind, name string, length int) error {
	return tx.ForgetPromise(space, kind, shownAs(name), length, "")
}

// ForgetPromises drops up to limit of what was promised before a time, and reports how much.
func (tx *Tx) ForgetPromises(before time.Time, limit int) (int64, error) {
	return tx.rows.ForgetPromises(tx.ctx, query.ForgetPromisesParams{PromisedAt: micros(before), MaxRows: int32(limit)})
}
