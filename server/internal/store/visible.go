package store

import "github.com/cloudpam/cloudpam/server/internal/ipam"

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
