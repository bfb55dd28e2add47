package store

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Quarantine reads a quarantine; CodeNotFound when there is none to see, or none any more.
func (tx *Tx) Quarantine(see ipam.Visible, id string) (ipam.Quarantine, error) {
	row, err := tx.rows.Quarantine(tx.ctx, ipam.KeyOf(quarantineKey, id))
	if err != nil {
		return ipam.Quarantine{}, absent(err, "quarantine", id)
	}
	q, err := quarantine(row)
	return seen(tx, see, q, q.In, err, "quarantine", id)
}

// QuarantineAt reads the quarantine of a block of a space; false when there is none.
func (tx *Tx) QuarantineAt(space ipam.UID, at netip.Prefix) (ipam.Quarantine, bool, error) {
	row, err := tx.rows.QuarantineAt(tx.ctx, query.QuarantineAtParams{Family: family(at), FirstIp: firstIP(at), Length: int64(at.Bits()), SpaceID: space.Key()})
	return found(row, err, quarantine)
}

// QuarantinesOf lists those of a space that begin in a block, in address order.
func (tx *Tx) QuarantinesOf(space ipam.UID, in netip.Prefix) ([]ipam.Quarantine, error) {
	rows, err := tx.rows.QuarantinesOf(tx.ctx, query.QuarantinesOfParams{SpaceID: space.Key(), Family: family(in), FirstIp: firstIP(in), LastIp: lastIP(in)})
	return all(rows, err, quarantine)
}

// QuarantinesLeftBy lists what an allocation has left, the latest first.
func (tx *Tx) QuarantinesLeftBy(allocation string) ([]ipam.Quarantine, error) {
	rows, err := tx.rows.QuarantinesLeftBy(tx.ctx, ipam.KeyOf(allocationKey, allocation))
	return all(rows, err, quarantine)
}

// EndedQuarantinesIn lists up to limit blocks of a pool whose quarantine has ended by then, the oldest first, after so many that are
// passed over.
func (tx *Tx) EndedQuarantinesIn(pool ipam.UID, now time.Time, limit, skip int) ([]netip.Prefix, error) {
	blocks, err := tx.rows.EndedQuarantinesIn(tx.ctx, query.EndedQuarantinesInParams{SpaceID: pool.Key(), Now: micros(now), MaxRows: int32(limit), Skip: int32(skip)})
	return all(blocks, err, func(r query.EndedQuarantinesInRow) (netip.Prefix, error) {
		return block(r.FirstIp, int(r.Family), r.Length)
	})
}

// EndedQuarantines lists up to limit of those that ended before a time.
func (tx *Tx) EndedQuarantines(before time.Time, limit int) ([]ipam.Quarantine, error) {
	rows, err := tx.rows.EndedQuarantines(tx.ctx, query.EndedQuarantinesParams{Until: micros(before), MaxRows: int32(limit)})
	return all(rows, err, quarantine)
}

// StandingQuarantines counts the blocks of a space that are in quarantine now, up to a bound, and reads the one that ends next.
func (tx *Tx) StandingQuarantines(space ipam.UID, now time.Time, atMost int) (n int, next ipam.Quarantine, err error) {
	rows, err := tx.rows.NextQuarantine(tx.ctx, query.NextQuarantineParams{SpaceID: space.Key(), Now: micros(now)})
	if err != nil || len(rows) == 0 {
		return 0, next, err
	}
	if next, err = quarantine(rows[0]); err != nil {
		return 0, next, err
	}
	count, err := tx.rows.StandingQuarantines(tx.ctx, query.StandingQuarantinesParams{SpaceID: space.Key(), Now: micros(now), AtMost: int32(atMost)})
	return int(count), next, err
}

// QuarantinedSizes counts the blocks of each length that are in quarantine in a space.
func (tx *Tx) QuarantinedSizes(space ipam.UID) (map[int]int64, error) {
	rows, err := tx.rows.QuarantinedSizes(tx.ctx, space.Key())
	sizes := map[int]int64{}
	for _, r := range rows {
		sizes[int(r.Length)] = r.Blocks
	}
	return sizes, err
}

// InsertQuarantine adds a quarantine; its prefix is a row of its own.
func (tx *Tx) InsertQuarantine(q ipam.Quarantine) error {
	was := ""
	if q.Was != nil {
		text, err := json.Marshal(q.Was)
		if err != nil {
			return fmt.Errorf("encode an allocation: %w", err)
		}
		was = string(text)
	}
	return tx.rows.InsertQuarantine(tx.ctx, query.InsertQuarantineParams{
		ID: ipam.KeyOf(quarantineKey, q.ID), ScopeID: q.ScopeUID.Key(), SpaceID: q.Space().Key(), PoolID: q.Origin.Key(), AllocationID: ipam.KeyOf(allocationKey, q.Allocation),
		Name: q.Name, Owner: q.Owner, Cause: string(q.Cause), Allocation: was, Family: family(q.CIDR), FirstIp: firstIP(q.CIDR), Length: int64(q.CIDR.Bits()),
		Until: micros(q.Until), CreatedAt: micros(q.CreatedAt),
	})
}

// MoveQuarantine writes the space that a quarantine stands in, and its origin.
func (tx *Tx) MoveQuarantine(q ipam.Quarantine) error {
	n, err := tx.rows.MoveQuarantine(tx.ctx, query.MoveQuarantineParams{ID: ipam.KeyOf(quarantineKey, q.ID), SpaceID: q.Space().Key(), PoolID: q.Origin.Key()})
	return oneOfOwner(n, err, q.ID)
}

// DeleteQuarantine removes a quarantine.
func (tx *Tx) DeleteQuarantine(id string) error {
	n, err := tx.rows.DeleteQuarantine(tx.ctx, ipam.KeyOf(quarantineKey, id))
	return oneOfOwner(n, err, id)
}

const quarantineColumns = "id, scope_id, scope_name, space_id, pool_name, pool_id, allocation_id, name, owner, cause, allocation, family, first_ip, length, until, created_at"

// Quarantines lists a page of quarantines by age, or by address; those that have ended too.
func (tx *Tx) Quarantines(see ipam.Visible, f ipam.QuarantineFilter, p ipam.Page) ([]ipam.Quarantine, error) {
	s := tx.from("named_quarantines", quarantineColumns)
	s.sees(see, "scope_id", "space_id")
	s.inScope("scope_id", f.Scope)
	s.inPool("space_id", f.Pool)
	s.key("allocation_id", allocationKey, f.Allocation)
	s.equal("owner", f.Owner)
	s.family(f.Family)
	s.contains(f.Text, "name", "owner")
	s.around(f.Around)
	s.page(p, quarantineKey, f.Around.Given())
	return list(tx, s, func(r *query.NamedQuarantine) []any {
		return []any{
			&r.ID, &r.ScopeID, &r.ScopeName, &r.SpaceID, &r.PoolName, &r.PoolID, &r.AllocationID, &r.Name, &r.Owner, &r.Cause, &r.Allocation,
			&r.Family, &r.FirstIp, &r.Length, &r.Until, &r.CreatedAt,
		}
	}, quarantine)
}

func quarantine(row query.NamedQuarantine) (ipam.Quarantine, error) {
	cidr, err := block(row.FirstIp, int(row.Family), row.Length)
	if err != nil {
		return ipam.Quarantine{}, err
	}
	q := ipam.Quarantine{
		ID: id(quarantineKey, row.ID), In: ipam.In{Scope: row.ScopeName, ScopeUID: uid(scopeKey, row.ScopeID)}, Origin: uid(poolKey, row.PoolID),
		Allocation: id(allocationKey, row.AllocationID), Name: row.Name, Owner: row.Owner, CIDR: cidr, Cause: ipam.Cause(row.Cause),
		Until: moment(row.Until), CreatedAt: moment(row.CreatedAt),
	}
	if row.SpaceID != row.ScopeID {
		q.In = inPool(row.ScopeID, row.ScopeName, row.SpaceID, row.PoolName)
	}
	if row.Allocation == "" {
		return q, nil
	}
	q.Was = &ipam.Allocation{}
	if err := json.Unmarshal([]byte(row.Allocation), q.Was); err != nil {
		return q, fmt.Errorf("read what was in quarantine: %w", err)
	}
	return q, nil
}

// QuarantineLength is how long what is released in a pool is not free: as the pool says, or the nearest pool around it that says so; 0
// where none does.
func (tx *Tx) QuarantineLength(p ipam.Pool) (time.Duration, error) {
	for p.Quarantine == nil && p.ParentUID != "" {
		var err error
		if p, err = tx.Pool(ipam.Everything, string(p.ParentUID)); err != nil {
			return 0, err
		}
	}
	if p.Quarantine == nil {
		return 0, nil
	}
	return time.Duration(*p.Quarantine) * time.Second, nil
}
