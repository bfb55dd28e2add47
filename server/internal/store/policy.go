package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// PolicyOf reads the policy of a pool; CodeNotFound when it has none. Who sees the pool sees its policy.
func (tx *Tx) PolicyOf(pool ipam.Pool) (ipam.Policy, error) {
	row, err := tx.rows.PolicyOf(tx.ctx, pool.UID.Key())
	if err != nil {
		err = absent(err, "policy", pool.ID)
		if ipam.CodeOf(err) == ipam.CodeNotFound {
			err = ipam.Errorf(ipam.CodeNotFound, "pool %q has no policy of its own", pool.ID)
		}
		return ipam.Policy{}, err
	}
	return policy(row)
}

// PoliciesAbove are the policies around a place, its own pool's too, the outermost first. Where the pool is locked they stay what they are:
// whoever changes one has the locks of all pools that it is about. What is read under a lock is not read again.
func (tx *Tx) PoliciesAbove(in ipam.In) ([]ipam.Policy, error) {
	if in.PoolUID == "" {
		return nil, nil
	}
	for _, m := range []memory{tx.fresh, tx.known} {
		if all, known := m.policies[in.PoolUID]; known {
			return all, nil
		}
		if m.ungoverned[in.ScopeUID] {
			return nil, nil
		}
	}
	has, err := tx.rows.HasPolicies(tx.ctx, in.ScopeUID.Key())
	if err != nil {
		return nil, err
	}
	var found []ipam.Policy
	if has {
		if found, err = tx.policiesAbove(in.PoolUID); err != nil {
			return nil, err
		}
	}
	switch {
	case tx.fresh.policies == nil: // a read
	case tx.engine == SQLite: // one writer, which has all locks
		if tx.fresh.policies[in.PoolUID] = found; !has {
			tx.fresh.ungoverned[in.ScopeUID] = true
		}
	case tx.hasLocked(in.PoolUID):
		tx.fresh.policies[in.PoolUID] = found
	}
	return found, nil
}

func (tx *Tx) policiesAbove(pool ipam.UID) (found []ipam.Policy, err error) {
	above, err := tx.PoolsAbove(pool)
	if err != nil {
		return nil, err
	}
	for _, uid := range above {
		row, err := tx.rows.PolicyOf(tx.ctx, uid.Key())
		if noRows(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p, err := policy(row)
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b ipam.Policy) int {
		return cmp.Or(cmp.Compare(a.CIDR.Bits(), b.CIDR.Bits()), cmp.Compare(a.PoolUID, b.PoolUID))
	})
	return found, nil
}

func (tx *Tx) hasLocked(pool ipam.UID) bool {
	for _, m := range []memory{tx.fresh, tx.known} {
		for _, p := range m.pools {
			if p.UID == pool {
				return true
			}
		}
	}
	return false
}

// LockPoolsBelow locks a pool and all pools in it, a parent before its children, and answers their keys.
func (tx *Tx) LockPoolsBelow(pool ipam.UID) ([]ipam.UID, error) {
	if _, err := tx.LockPool(ipam.Everything, string(pool)); err != nil {
		return nil, err
	}
	below, err := tx.PoolsBelow(pool)
	if err != nil {
		return nil, err
	}
	for _, p := range below[1:] {
		if _, err := tx.LockPool(ipam.Everything, string(p)); err != nil && ipam.CodeOf(err) != ipam.CodeNotFound {
			return nil, err
		}
	}
	return tx.PoolsBelow(pool) // without what has gone meanwhile
}

// PoolsBelow are the keys of a pool and of all pools in it, a parent before its children.
func (tx *Tx) PoolsBelow(pool ipam.UID) ([]ipam.UID, error) {
	keys, err := tx.rows.PoolsBelow(tx.ctx, pool.Key())
	return all(keys, err, func(key int64) (ipam.UID, error) { return uid(poolKey, key), nil })
}

// OwnerShare is how many blocks of each length an owner has in a pool and in all pools in it. It holds the policy whose share that is
// about until the transaction ends, so that nobody takes more in a pool next to this one meanwhile.
func (tx *Tx) OwnerShare(p ipam.Policy, owner string) (map[int]int64, error) {
	if tx.engine == Postgres {
		if err := tx.rows.LockShare(tx.ctx, p.UID.Key()); err != nil {
			return nil, err
		}
	}
	rows, err := tx.rows.OwnerShare(tx.ctx, query.OwnerShareParams{ID: p.PoolUID.Key(), Owner: owner})
	if err != nil {
		return nil, err
	}
	blocks := map[int]int64{}
	for _, row := range rows {
		blocks[int(row.Length)] = row.Blocks
	}
	return blocks, nil
}

// InsertPolicy adds the policy of a pool.
func (tx *Tx) InsertPolicy(p ipam.Policy) error {
	tx.forgetPools()
	return tx.rows.InsertPolicy(tx.ctx, query.InsertPolicyParams{
		ID: p.UID.Key(), ScopeID: p.ScopeUID.Key(), PoolID: p.PoolUID.Key(), Description: p.Description, Rules: encodeRules(p.Rules), CreatedAt: micros(p.CreatedAt),
	})
}

// UpdatePolicy writes what a policy asks for, and moves its version.
func (tx *Tx) UpdatePolicy(p ipam.Policy, at time.Time) error {
	tx.forgetPools()
	return tx.rows.UpdatePolicy(tx.ctx, query.UpdatePolicyParams{ID: p.UID.Key(), Description: p.Description, Rules: encodeRules(p.Rules), UpdatedAt: micros(at)})
}

// DeletePolicy removes a policy.
func (tx *Tx) DeletePolicy(p ipam.Policy) error {
	tx.forgetPools()
	return tx.rows.DeletePolicy(tx.ctx, p.UID.Key())
}

func encodeRules(r ipam.Rules) string {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // numbers, strings and prefixes always marshal
	}
	return string(text)
}

func policy(row query.NamedPolicy) (ipam.Policy, error) {
	p := ipam.Policy{
		UID: uid(policyKey, row.ID), In: inPool(row.ScopeID, row.ScopeName, row.PoolID, row.PoolName), Description: row.Description,
		Version: row.Version, CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt),
	}
	cidr, err := block(row.FirstIp, int(row.Family), row.Length)
	if err := errors.Join(err, json.Unmarshal([]byte(row.Rules), &p.Rules)); err != nil {
		return p, fmt.Errorf("read a policy from the database: %w", err)
	}
	p.CIDR = cidr
	return p, nil
}
