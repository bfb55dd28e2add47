package store

import (
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Hold reads a hold; CodeNotFound when there is none to see.
func (tx *Tx) Hold(see ipam.Visible, id string) (ipam.Hold, error) {
	row, err := tx.rows.Hold(tx.ctx, ipam.KeyOf(holdKey, id))
	if err != nil {
		return ipam.Hold{}, absent(err, "hold", id)
	}
	h, err := hold(row)
	return seen(tx, see, h, h.In, err, "hold", id)
}

// HoldNamed reads the hold of a name and length; false when there is none.
func (tx *Tx) HoldNamed(pool ipam.UID, name string, length int) (ipam.Hold, bool, error) {
	row, err := tx.rows.HoldNamed(tx.ctx, query.HoldNamedParams{PoolID: pool.Key(), Name: name, Length: int64(length)})
	return found(row, err, hold)
}

// HoldsFor lists what is held in a pool for an allocation or a set: for its successor, or for it to grow over.
func (tx *Tx) HoldsFor(pool ipam.UID, id string) ([]ipam.Hold, error) {
	rows, err := tx.rows.HoldsFor(tx.ctx, query.HoldsForParams{PoolID: pool.Key(), Replaces: id})
	return all(rows, err, hold)
}

// Inheriting lists what is held in a pool over blocks that others have still.
func (tx *Tx) Inheriting(pool ipam.UID) ([]ipam.Hold, error) {
	rows, err := tx.rows.Inheriting(tx.ctx, pool.Key())
	return all(rows, err, hold)
}

// ExpiredHolds lists up to limit blocks of a pool that are held by what has expired by then, the oldest first, after so many
// that are passed over.
func (tx *Tx) ExpiredHolds(pool ipam.UID, now time.Time, limit, skip int) ([]netip.Prefix, error) {
	blocks, err := tx.rows.ExpiredHolds(tx.ctx, query.ExpiredHoldsParams{PoolID: pool.Key(), Now: micros(now), MaxRows: int32(limit), Skip: int32(skip)})
	return all(blocks, err, func(r query.ExpiredHoldsRow) (netip.Prefix, error) { return block(r.FirstIp, int(r.Family), r.Length) })
}

// ExpiredDrafts lists the blocks of drafts in a pool as ExpiredHolds does.
func (tx *Tx) ExpiredDrafts(pool ipam.UID, now time.Time, limit, skip int) ([]netip.Prefix, error) {
	blocks, err := tx.rows.ExpiredDrafts(tx.ctx, query.ExpiredDraftsParams{ParentID: keyOrNull(pool), Now: optionalMicros(&now), MaxRows: int32(limit), Skip: int32(skip)})
	return all(blocks, err, func(r query.ExpiredDraftsRow) (netip.Prefix, error) { return block(r.FirstIp, int(r.Family), r.Length) })
}

// OutdatedHolds lists up to limit blocks of a pool that are held for an earlier run of the holder that asks for a name, the name's own
// first, after so many that are passed over.
func (tx *Tx) OutdatedHolds(pool, principal ipam.UID, plan ipam.Plan, name string, limit, skip int) ([]netip.Prefix, error) {
	blocks, err := tx.rows.OutdatedHolds(tx.ctx, query.OutdatedHoldsParams{
		PoolID: pool.Key(), Holder: plan.Holder, PrincipalID: principal.Key(), Run: plan.Run, Name: name, MaxRows: int32(limit), Skip: int32(skip),
	})
	return all(blocks, err, func(r query.OutdatedHoldsRow) (netip.Prefix, error) { return block(r.FirstIp, int(r.Family), r.Length) })
}

// OutdatedDrafts lists the blocks of drafts in a pool as OutdatedHolds does.
func (tx *Tx) OutdatedDrafts(pool, principal ipam.UID, plan ipam.Plan, name string, limit, skip int) ([]netip.Prefix, error) {
	blocks, err := tx.rows.OutdatedDrafts(tx.ctx, query.OutdatedDraftsParams{
		ParentID: keyOrNull(pool), Holder: plan.Holder, PrincipalID: keyOrNull(principal), Run: plan.Run, Name: name, MaxRows: int32(limit), Skip: int32(skip),
	})
	return all(blocks, err, func(r query.OutdatedDraftsRow) (netip.Prefix, error) {
		return block(r.FirstIp, int(r.Family), r.Length)
	})
}

// StandingHolds lists up to limit holds of a pool that have their block and have not run out by then.
func (tx *Tx) StandingHolds(pool ipam.UID, now time.Time, limit int) ([]ipam.Hold, error) {
	rows, err := tx.rows.StandingHolds(tx.ctx, query.StandingHoldsParams{PoolID: pool.Key(), Now: micros(now), MaxRows: int32(limit)})
	return all(rows, err, hold)
}

// StandingDrafts lists up to limit drafts in a pool that have not run out by then.
func (tx *Tx) StandingDrafts(parent ipam.UID, now time.Time, limit int) ([]ipam.Pool, error) {
	rows, err := tx.rows.StandingDrafts(tx.ctx, query.StandingDraftsParams{ParentID: keyOrNull(parent), Now: optionalMicros(&now), MaxRows: int32(limit)})
	return all(rows, err, pool)
}

// StaleHolds lists up to limit holds that expired before a time.
func (tx *Tx) StaleHolds(before time.Time, limit int) ([]ipam.Hold, error) {
	rows, err := tx.rows.StaleHolds(tx.ctx, query.StaleHoldsParams{ExpiresAt: micros(before), MaxRows: int32(limit)})
	return all(rows, err, hold)
}

// StaleDrafts lists up to limit drafts that expired before a time, children before their parents.
func (tx *Tx) StaleDrafts(before time.Time, limit int) ([]ipam.Pool, error) {
	at := micros(before)
	rows, err := tx.rows.StaleDrafts(tx.ctx, query.StaleDraftsParams{DraftUntil: &at, MaxRows: int32(limit)})
	return all(rows, err, pool)
}

// InsertHold adds a hold; its prefix is a row of its own.
func (tx *Tx) InsertHold(h ipam.Hold) error {
	return tx.rows.InsertHold(tx.ctx, query.InsertHoldParams{
		ID: ipam.KeyOf(holdKey, h.ID), ScopeID: h.ScopeUID.Key(), PoolID: h.PoolUID.Key(), Name: h.Name, Family: family(h.CIDR), FirstIp: firstIP(h.CIDR), Length: int64(h.CIDR.Bits()),
		PrincipalID: h.Principal.Key(), Holder: h.Holder, Run: h.Run, Named: h.Named, Replaces: h.Replaces, Inherits: h.Inherits, Kept: h.Kept, ExpiresAt: micros(h.ExpiresAt), CreatedAt: micros(h.CreatedAt), RenewedAt: micros(h.RenewedAt), ApprovalID: keyOrNull(h.Approval),
	})
}

// HoldsIn lists all holds of a pool, lost ones too.
func (tx *Tx) HoldsIn(pool ipam.UID) ([]ipam.Hold, error) {
	rows, err := tx.rows.HoldsIn(tx.ctx, pool.Key())
	return all(rows, err, hold)
}

// MoveHold puts a hold into another pool, with its prefix when it has it. The addresses stay.
func (tx *Tx) MoveHold(h ipam.Hold, to ipam.UID) error {
	key := ipam.KeyOf(holdKey, h.ID)
	if err := tx.rows.MoveHold(tx.ctx, query.MoveHoldParams{ID: key, PoolID: to.Key()}); err != nil || !h.HasPrefix() {
		return err
	}
	n, err := tx.rows.MovePrefixTo(tx.ctx, query.MovePrefixToParams{ID: key, SpaceID: to.Key()})
	return oneOfOwner(n, err, h.ID)
}

// UpdateHold writes what may change of a hold.
func (tx *Tx) UpdateHold(h ipam.Hold) error {
	return tx.rows.UpdateHold(tx.ctx, query.UpdateHoldParams{
		ID: ipam.KeyOf(holdKey, h.ID), FirstIp: firstIP(h.CIDR), PrincipalID: h.Principal.Key(), Holder: h.Holder, Run: h.Run, Named: h.Named, Replaces: h.Replaces, Inherits: h.Inherits, Kept: h.Kept,
		ExpiresAt: micros(h.ExpiresAt), RenewedAt: micros(h.RenewedAt), ApprovalID: keyOrNull(h.Approval),
	})
}

// DeleteHold removes a hold.
func (tx *Tx) DeleteHold(id string) error { return tx.rows.DeleteHold(tx.ctx, ipam.KeyOf(holdKey, id)) }

// CountHeld counts the blocks of a pool that promises to a principal take and that have not expired, up to a bound.
func (tx *Tx) CountHeld(pool, principal ipam.UID, now time.Time, atMost int) (int, error) {
	at := micros(now)
	n, err := tx.rows.CountHeld(tx.ctx, query.CountHeldParams{
		PoolID: pool.Key(), PrincipalID: principal.Key(), Now: at, AtMost: int32(atMost), ParentID: keyOrNull(pool), DraftUntil: &at, DraftPrincipalID: keyOrNull(principal), AtMostDrafts: int32(atMost),
	})
	return int(n), err
}

const holdColumns = "id, scope_id, scope_name, pool_id, pool_name, name, family, first_ip, length, principal_id, actor, holder, run, named, replaces, inherits, kept, expires_at, created_at, renewed_at, approval_id"

// Holds lists a page of holds, lost ones too.
func (tx *Tx) Holds(see ipam.Visible, f ipam.HoldFilter, p ipam.Page) ([]ipam.Hold, error) {
	s := tx.from("named_holds", holdColumns)
	s.sees(see, "scope_id", "pool_id")
	s.inScope("scope_id", f.Scope)
	s.inPool("pool_id", f.Pool)
	s.equal("holder", f.Holder)
	s.principal("principal_id", f.Actor)
	if f.Kept != nil {
		s.and("kept = ?", *f.Kept)
	}
	s.contains(f.Text, "name", "holder", "actor")
	s.page(p, holdKey, false)
	return list(tx, s, func(r *query.NamedHold) []any {
		return []any{&r.ID, &r.ScopeID, &r.ScopeName, &r.PoolID, &r.PoolName, &r.Name, &r.Family, &r.FirstIp, &r.Length, &r.PrincipalID, &r.Actor, &r.Holder, &r.Run, &r.Named, &r.Replaces, &r.Inherits, &r.Kept, &r.ExpiresAt, &r.CreatedAt, &r.RenewedAt, &r.ApprovalID}
	}, hold)
}

func hold(row query.NamedHold) (ipam.Hold, error) {
	p, err := block(row.FirstIp, int(row.Family), row.Length)
	return ipam.Hold{
		ID: id(holdKey, row.ID), In: inPool(row.ScopeID, row.ScopeName, row.PoolID, row.PoolName), Name: row.Name, CIDR: p,
		Principal: uid(principalKey, row.PrincipalID), Actor: actor(row.Actor), Holder: row.Holder, Run: row.Run, Named: row.Named, Replaces: row.Replaces, Inherits: row.Inherits,
		Kept: row.Kept, ExpiresAt: moment(row.ExpiresAt), CreatedAt: moment(row.CreatedAt), RenewedAt: moment(row.RenewedAt), Approval: optionalUID(approvalKey, row.ApprovalID),
	}, err
}

// found tells "there is none" from a failure.
func found[R, T any](row R, err error, convert func(R) (T, error)) (T, bool, error) {
	var none T
	if noRows(err) {
		return none, false, nil
	}
	if err != nil {
		return none, false, err
	}
	item, err := convert(row)
	return item, err == nil, err
}
