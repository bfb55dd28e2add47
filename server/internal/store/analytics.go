package store

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Sum is how many blocks have so much in common.
type Sum struct {
	Pool   ipam.UID    // that they are in
	Kind   ipam.Kind   // of prefixes
	Status ipam.Status // of prefixes
	Key    string      // of allocations, what they are grouped by
	Day    int64       // on which they were made, in days since 1970
	Family int
	Length int
	Blocks int64
}

// SumPrefixes counts what occupies pools, by pool, kind, status and size; scope "" is every one. Of a moment that is not zero only
// what was made from then on.
func (tx *Tx) SumPrefixes(see ipam.Visible, scope string, since time.Time) ([]Sum, error) {
	s := tx.from("prefixes", "space_id, kind, status, family, length, count(*)")
	s.sees(see, "scope_id", "space_id")
	s.inScope("scope_id", scope)
	if !since.IsZero() {
		s.and("created_at >= ?", micros(since))
	}
	s.text.WriteString(" AND space_id <> scope_id GROUP BY space_id, kind, status, family, length")
	return sums(tx, s, func(r *Sum, pool *int64) []any {
		return []any{pool, &r.Kind, &r.Status, &r.Family, &r.Length, &r.Blocks}
	})
}

// SumFree counts the free blocks of pools that are no drafts, by pool and size.
func (tx *Tx) SumFree(see ipam.Visible, scope string) ([]Sum, error) {
	s := tx.from("pools", "id, family, f.length, count(*)")
	s.table = "pools CROSS JOIN free_blocks f"
	s.text.WriteString(" AND f.pool_id = id AND draft_until IS NULL")
	s.seesAll(see, "scope_id", "id")
	s.inScope("scope_id", scope)
	s.text.WriteString(" GROUP BY id, family, f.length")
	return sums(tx, s, func(r *Sum, pool *int64) []any { return []any{pool, &r.Family, &r.Length, &r.Blocks} })
}

// grouped are the columns that allocations are counted by.
var grouped = map[ipam.Dimension]string{
	ipam.ByScope: "scope_id", ipam.ByPool: "pool_id", ipam.ByAccount: "account", ipam.ByOwner: "owner", ipam.ByEnvironment: "environment", ipam.ByRegion: "region",
	ipam.ByPlatform: "account", ipam.ByTier: "account", ipam.ByCloud: "account",
}

// SumAllocations counts allocations by what they have in common, family and size. Scopes and pools are told by their UIDs, and what is
// of accounts by the account.
func (tx *Tx) SumAllocations(see ipam.Visible, scope string, by ipam.Dimension) ([]Sum, error) {
	column := grouped[by]
	s := tx.from("allocations", column+", family, length, count(*)")
	s.sees(see, "scope_id", "pool_id")
	s.inScope("scope_id", scope)
	s.text.WriteString(" GROUP BY " + column + ", family, length")
	switch by {
	case ipam.ByScope, ipam.ByPool:
		kind := map[ipam.Dimension]string{ipam.ByScope: scopeKey, ipam.ByPool: poolKey}[by]
		found, err := sums(tx, s, func(r *Sum, key *int64) []any { return []any{key, &r.Family, &r.Length, &r.Blocks} })
		for i := range found {
			found[i].Key = id(kind, found[i].Pool.Key())
		}
		return found, err
	}
	return sums(tx, s, func(r *Sum, _ *int64) []any { return []any{&r.Key, &r.Family, &r.Length, &r.Blocks} })
}

// SumMade counts what occupies pools and was made from one moment on and before another, by day and kind. What a plan has drafted is a hold.
func (tx *Tx) SumMade(see ipam.Visible, scope string, since, until time.Time) ([]Sum, error) {
	const day = "created_at / 86400000000"
	const kind = "CASE WHEN status = 'held' THEN 'hold' ELSE kind END"
	s := tx.from("prefixes", day+", "+kind+", count(*)")
	s.sees(see, "scope_id", "space_id")
	s.inScope("scope_id", scope)
	s.and("created_at >= ? AND created_at < ?", micros(since), micros(until))
	s.text.WriteString(" GROUP BY " + day + ", " + kind)
	return sums(tx, s, func(r *Sum, _ *int64) []any { return []any{&r.Day, &r.Kind, &r.Blocks} })
}

// ending are where what ends by itself is, and what it is called there.
var ending = []struct {
	kind                         ipam.Kind
	view, pool, name, at, living string
}{
	{ipam.KindAllocation, "named_allocations", "pool_id", "name", "expires_at", ""},
	{ipam.KindReservation, "named_reservations", "pool_id", "reason", "expires_at", ""},
	{ipam.KindHold, "named_holds", "pool_id", "name", "expires_at", " AND kept"},
	{ipam.KindQuarantine, "named_quarantines", "space_id", "name", "until", ""},
}

// Endings lists what ends from one moment on and before another, up to limit of each kind, the soonest first.
func (tx *Tx) Endings(see ipam.Visible, scope string, from, until time.Time, limit int) (all []ipam.Ending, err error) {
	type row struct {
		id, scope, pool, family, length, at int64
		scopeName, poolName, name           string
		first                               []byte
	}
	for _, e := range ending {
		s := tx.from(e.view, "id, scope_id, scope_name, "+e.pool+", pool_name, "+e.name+", family, first_ip, length, "+e.at)
		s.and(e.at+" >= ? AND "+e.at+" < ?"+e.living, micros(from), micros(until))
		s.seesAll(see, "scope_id", e.pool)
		s.inScope("scope_id", scope)
		s.text.WriteString(" ORDER BY " + e.at + " LIMIT " + s.arg(limit))
		found, err := list(tx, s, func(r *row) []any {
			return []any{&r.id, &r.scope, &r.scopeName, &r.pool, &r.poolName, &r.name, &r.family, &r.first, &r.length, &r.at}
		}, func(r row) (ipam.Ending, error) {
			p, err := block(r.first, int(r.family), r.length)
			kind := map[ipam.Kind]string{ipam.KindAllocation: allocationKey, ipam.KindReservation: reservationKey, ipam.KindHold: holdKey, ipam.KindQuarantine: quarantineKey}[e.kind]
			return ipam.Ending{In: inPool(r.scope, r.scopeName, r.pool, r.poolName), Kind: e.kind, ID: id(kind, r.id), Name: r.name, CIDR: p, At: moment(r.at)}, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func sums(tx *Tx, s *listQuery, fields func(*Sum, *int64) []any) ([]Sum, error) {
	type row struct {
		Sum
		key int64
	}
	return list(tx, s, func(r *row) []any { return fields(&r.Sum, &r.key) }, func(r row) (Sum, error) {
		if r.key != 0 {
			r.Pool = uid(poolKey, r.key)
		}
		return r.Sum, nil
	})
}
