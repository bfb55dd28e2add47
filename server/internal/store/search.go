package store

import (
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// mostBegun bounds how many names with one begin are looked at.
const mostBegun = 1000

// begins narrows allocations to those whose names begin with a text in small letters, in scopes that are visible whole, and so to none for
// who sees pools: those are few, and are looked through.
func (s *listQuery) begins(see ipam.Visible, text string) {
	if text == "" {
		return
	}
	s.text.WriteString(" AND id IN (SELECT a.id FROM allocations a WHERE 1 = 1")
	if !see.All() {
		s.text.WriteString(" AND " + s.visible(see, "a.scope_id", ""))
	}
	s.and("lower(a.name) >= ? AND lower(a.name) < ?", text, text+"\U0010ffff")
	s.text.WriteString(" LIMIT " + s.arg(mostBegun) + ")")
}

// AllocationFloor is the newest allocation of those that are visible that has n newer ones; "" when there are no more than n.
func (tx *Tx) AllocationFloor(see ipam.Visible, scope string, n int) (ipam.UID, error) {
	return tx.floor(see, "allocations", allocationKey, "pool_id", scope, n)
}

// ObservationFloor is AllocationFloor of observations.
func (tx *Tx) ObservationFloor(see ipam.Visible, scope string, n int) (ipam.UID, error) {
	return tx.floor(see, "observations", observationKey, "", scope, n)
}

func (tx *Tx) floor(see ipam.Visible, table, what, pool, scope string, n int) (ipam.UID, error) {
	s := tx.from(table, "id")
	s.sees(see, "scope_id", pool)
	if s.few && n >= fewRows {
		return "", s.err
	}
	s.inScope("scope_id", scope)
	s.text.WriteString(" ORDER BY id DESC LIMIT 1 OFFSET " + s.arg(n))
	keys, err := list(tx, s, func(key *int64) []any { return []any{key} }, func(key int64) (int64, error) { return key, nil })
	if err != nil || len(keys) == 0 {
		return "", err
	}
	return uid(what, keys[0]), nil
}

// ScopesWith lists up to limit scopes that have every word of a text in their name, description or labels, by age.
func (tx *Tx) ScopesWith(see ipam.Visible, text string, limit int) ([]ipam.Scope, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	return tx.scopes(see, false, text, ipam.Page{Limit: limit})
}
