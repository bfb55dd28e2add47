package store

import "github.com/cloudpam/cloudpam/server/internal/ipam"

// memory is what the writes of one transaction have read under locks that it keeps: the next write of the batch need not ask
// for it again.
type memory struct {
	heads map[ipam.UID]Chain   // of the chains that it has moved; written before the commit
	pools map[string]ipam.Pool // that it has locked, by what they were asked for as
	event ipam.Event           // the last one
}

func newMemory() memory {
	return memory{heads: map[ipam.UID]Chain{}, pools: map[string]ipam.Pool{}}
}

func (m memory) add(of memory) {
	for chain, head := range of.heads {
		m.heads[chain] = head
	}
	for id, p := range of.pools {
		m.pools[id] = p
	}
}

// forgetPools is for every write that changes a row of a pool or a name.
func (tx *Tx) forgetPools() {
	clear(tx.known.pools)
	clear(tx.fresh.pools)
}
