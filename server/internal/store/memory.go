package store

import "github.com/cloudpam/cloudpam/server/internal/ipam"

// memory is what the writes of one transaction have read under locks that it keeps: the next write of the batch need not ask
// for it again.
type memory struct {
	heads map[ipam.UID]Chain   // of the chains that it has moved; written before the commit
	pools map[string]ipam.Pool // that it has locked, by what they were asked for as
	event ipam.Event           // the last one

	policies   map[ipam.UID][]ipam.Policy // around pools
	ungoverned map[ipam.UID]bool          // scopes without any
}

func newMemory() memory {
	return memory{heads: map[ipam.UID]Chain{}, pools: map[string]ipam.Pool{}, policies: map[ipam.UID][]ipam.Policy{}, ungoverned: map[ipam.UID]bool{}}
}

func (m memory) add(of memory) {
	for chain, head := range of.heads {
		m.heads[chain] = head
	}
	for id, p := range of.pools {
		m.pools[id] = p
	}
	for pool, all := range of.policies {
		m.policies[pool] = all
	}
	for scope := range of.ungoverned {
		m.ungoverned[scope] = true
	}
}

// forgetPools is for every write that changes a row of a pool, a name or a policy.
func (tx *Tx) forgetPools() {
	for _, m := range []memory{tx.known, tx.fresh} {
		clear(m.pools)
		clear(m.policies)
		clear(m.ungoverned)
	}
}
