package store

import (
	"cmp"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// LeavePoolName remembers that a pool was known under a name of its scope.
func (tx *Tx) LeavePoolName(p ipam.Pool, at time.Time) error {
	return tx.rows.LeaveName(tx.ctx, query.LeaveNameParams{Kind: "pool", ScopeID: p.ScopeUID.Key(), Name: p.Name, ObjectID: p.UID.Key(), LeftAt: micros(at)})
}

// LeaveScopeName remembers that a scope was known under its name.
func (tx *Tx) LeaveScopeName(s ipam.Scope, at time.Time) error {
	return tx.rows.LeaveName(tx.ctx, query.LeaveNameParams{Kind: "scope", Name: s.ID, ObjectID: s.UID.Key(), LeftAt: micros(at)})
}

// takePoolName ends the memory of whoever had a pool's name before. A new pool inherits from one that has ended.
func (tx *Tx) takePoolName(p ipam.Pool, inherits bool) error {
	scope, key := p.ScopeUID.Key(), p.UID.Key()
	former, err := tx.rows.FormerHolder(tx.ctx, query.FormerHolderParams{Kind: "pool", ScopeID: scope, Name: p.Name})
	if err != nil {
		return orMissing(err, nil)
	}
	if inherits {
		if err := tx.rows.InheritLastBlocks(tx.ctx, query.InheritLastBlocksParams{Heir: key, Former: former, FormerPool: former}); err != nil {
			return err
		}
		if err := tx.rows.InheritPromises(tx.ctx, query.InheritPromisesParams{Heir: key, Former: former, FormerPool: former}); err != nil {
			return err
		}
	}
	return tx.rows.TakeName(tx.ctx, query.TakeNameParams{Kind: "pool", ScopeID: scope, Name: p.Name})
}

// takeScopeName is takePoolName for a scope: a new one inherits the names that pools left in one that has ended.
func (tx *Tx) takeScopeName(s ipam.Scope, inherits bool) error {
	former, err := tx.rows.FormerHolder(tx.ctx, query.FormerHolderParams{Kind: "scope", Name: s.ID})
	if err != nil {
		return orMissing(err, nil)
	}
	if inherits {
		if err := tx.rows.InheritNames(tx.ctx, query.InheritNamesParams{Heir: s.UID.Key(), Former: former, FormerScope: former}); err != nil {
			return err
		}
	}
	return tx.rows.TakeName(tx.ctx, query.TakeNameParams{Kind: "scope", Name: s.ID})
}

// ForgetNames drops up to limit names that were left before a time, and reports how many.
func (tx *Tx) ForgetNames(before time.Time, limit int) (int64, error) {
	return tx.rows.ForgetNames(tx.ctx, query.ForgetNamesParams{LeftAt: micros(before), MaxRows: int32(limit)})
}

// formerPool says under which name a pool that left one is known now; missing is the error that there is none of the name.
func (tx *Tx) formerPool(see ipam.Visible, id string, missing error) error {
	scope, name := ipam.SplitPoolID(id)
	row, err := tx.rows.FormerPool(tx.ctx, query.FormerPoolParams{ScopeName: scope, Name: name})
	if err != nil {
		return orMissing(err, missing)
	}
	if is, err := tx.sees(see, inPool(row.ScopeID, row.ScopeName, row.ID, row.Name)); err != nil || !is {
		return cmp.Or(err, missing)
	}
	return ipam.Errorf(ipam.CodeNotFound, "pool %q is %q since %s; use that name", id, ipam.PoolID(row.ScopeName, row.Name), moment(row.LeftAt).Format(time.RFC3339))
}

// formerScope is formerPool for a scope.
func (tx *Tx) formerScope(see ipam.Visible, name string, missing error) error {
	row, err := tx.rows.FormerScope(tx.ctx, name)
	if err != nil || !see.All() && !slices.Contains(see.ScopesRead(), uid(scopeKey, row.ID)) {
		return cmp.Or(orMissing(err, nil), missing)
	}
	return ipam.Errorf(ipam.CodeNotFound, "scope %q is %q since %s; use that name", name, row.Name, moment(row.LeftAt).Format(time.RFC3339))
}

func orMissing(err, missing error) error {
	if noRows(err) {
		return missing
	}
	return err
}

// KeyNamed is the key of the pool, scope or account that people know by an id now, or knew by it last; "" when there is none.
func (tx *Tx) KeyNamed(see ipam.Visible, id string) (ipam.UID, error) {
	if p, err := tx.Pool(see, id); ipam.CodeOf(err) != ipam.CodeNotFound {
		return p.UID, err
	}
	if s, err := tx.Scope(see, id); ipam.CodeOf(err) != ipam.CodeNotFound {
		return s.UID, err
	}
	if a, err := tx.Account(see, id); ipam.CodeOf(err) != ipam.CodeNotFound {
		return a.UID, err
	}
	left := []query.FormerHolderParams{{Kind: scopeKey, Name: id}, {Kind: accountKey, Name: id}}
	scope, name := ipam.SplitPoolID(id)
	switch in, err := tx.rows.ScopeNamed(tx.ctx, scope); {
	case err == nil && (see.All() || slices.Contains(see.Scopes, uid(scopeKey, in.ID))):
		left = slices.Insert(left, 0, query.FormerHolderParams{Kind: poolKey, ScopeID: in.ID, Name: name})
	case err != nil && !noRows(err):
		return "", err
	}
	for _, l := range left {
		former, err := tx.rows.FormerHolder(tx.ctx, l)
		if !noRows(err) {
			return uid(l.Kind, former), err
		}
	}
	return "", nil
}
