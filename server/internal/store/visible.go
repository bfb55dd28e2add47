package store

import (
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Who sees pools reads their rows by pool while these are few, and puts them in order; past either number the scopes around are walked in
// the order of keys, where a page is soon full.
const (
	fewPools = 1000
	fewRows  = 20_000
)

// PoolsAbove are the keys of a pool and of all pools around it; none of a pool that is not there.
func (tx *Tx) PoolsAbove(pool ipam.UID) ([]ipam.UID, error) {
	keys, err := tx.rows.PoolsAbove(tx.ctx, pool.Key())
	return all(keys, err, func(key int64) (ipam.UID, error) { return uid(poolKey, key), nil })
}

// sees reports whether a place is visible.
func (tx *Tx) sees(see ipam.Visible, in ipam.In) (bool, error) {
	if see.In(in.ScopeUID, nil) || in.PoolUID == "" || len(see.Pools) == 0 {
		return see.In(in.ScopeUID, nil), nil
	}
	above, err := tx.PoolsAbove(in.PoolUID)
	return see.In(in.ScopeUID, above), err
}

// seen answers what was read where its place is visible, and otherwise what it would if nothing of the id were there.
func seen[T any](tx *Tx, see ipam.Visible, item T, in ipam.In, err error, what, id string) (T, error) {
	if err != nil || see.All() {
		return item, err
	}
	is, err := tx.sees(see, in)
	if err == nil && !is {
		err = ipam.NoSuch(what, id)
	}
	if err != nil {
		var none T
		return none, err
	}
	return item, nil
}

// sees narrows to what is visible. Scope and pool are the columns that say where a row is; pool is "" where a noun is in none.
func (s *listQuery) sees(see ipam.Visible, scope, pool string) {
	switch {
	case see.All():
	case pool != "" && len(see.Pools) > 0 && len(see.Scopes) == 0 && s.seesFew(see, pool):
	default:
		s.text.WriteString(" AND " + s.visible(see, scope, pool))
	}
}

// seesAll is sees for what is all read.
func (s *listQuery) seesAll(see ipam.Visible, scope, pool string) {
	if !see.All() {
		s.text.WriteString(" AND " + s.visible(see, scope, pool))
	}
}

// seesFew narrows to the visible pools if few rows are in them, and reports whether it has.
func (s *listQuery) seesFew(see ipam.Visible, pool string) bool {
	pools, err := s.tx.poolsBelow(see)
	if err != nil {
		s.err = err
	}
	if err != nil || len(pools) == 0 || len(pools) > fewPools {
		return false
	}
	rows, err := s.tx.countIn(s.table, pool, pools, fewRows+1)
	if err != nil {
		s.err = err
	}
	if err != nil || rows > fewRows {
		return false
	}
	s.few = true
	s.text.WriteString(" AND " + pool + " IN " + oneOf(s, pools))
	return true
}

// poolsBelow are the keys of the pools that are visible as such, with those below them; past fewPools not all.
func (tx *Tx) poolsBelow(see ipam.Visible) ([]int64, error) {
	s := &listQuery{engine: tx.engine}
	s.text.WriteString(s.below(see) + " LIMIT " + s.arg(fewPools+1))
	return list(tx, s, func(key *int64) []any { return []any{key} }, func(key int64) (int64, error) { return key, nil })
}

// countIn counts rows of pools, up to a number.
func (tx *Tx) countIn(table, pool string, pools []int64, most int) (n int, err error) {
	s := &listQuery{engine: tx.engine}
	s.text.WriteString("SELECT count(*) FROM (SELECT 1 FROM " + table + " WHERE " + pool + " IN " + oneOf(s, pools) + " LIMIT " + s.arg(most) + ") some_rows")
	_, err = list(tx, s, func(row *int) []any { return []any{row} }, func(row int) (int, error) { n = row; return row, nil })
	return n, err
}

// visible is the condition that a place is visible, in parentheses. Not everything is. What is seen of pools is told by their scope too:
// a page then walks that scope by key and not all there is.
func (s *listQuery) visible(see ipam.Visible, scope, pool string) string {
	var seen []string
	if len(see.Scopes) > 0 {
		seen = append(seen, scope+" IN "+s.oneOfUIDs(see.Scopes))
	}
	if pool != "" && len(see.Pools) > 0 {
		seen = append(seen, scope+" IN "+s.oneOfUIDs(see.Around)+" AND "+pool+" IN ("+s.below(see)+")")
	}
	if len(seen) == 0 {
		seen = []string{"1 = 0"}
	}
	return "(" + strings.Join(seen, " OR ") + ")"
}

// below selects the keys of the pools that are visible as such, and of those below them.
func (s *listQuery) below(see ipam.Visible) string {
	within := ""
	if s.engine == Postgres { // which guesses that much is below, and reads all pools for it
		within = " WHERE p.scope_id IN " + s.oneOfUIDs(see.Around)
	}
	return "WITH RECURSIVE below (id) AS (SELECT top.id FROM pools top WHERE top.id IN " + s.oneOfUIDs(see.Pools) +
		" UNION SELECT p.id FROM pools p JOIN below lower ON p.parent_id = lower.id" + within + ") SELECT below.id FROM below"
}
