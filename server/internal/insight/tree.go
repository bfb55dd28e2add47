package insight

import (
	"cmp"
	"context"
	"math/big"
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// treeLimit bounds what one tree holds.
const treeLimit = 5000

// Tree lists a scope's pools, parents before children and siblings in address order. It is truncated, and says so, past
// 5,000 pools. It asks the database six questions, however many pools there are. CodeNotFound when there is no such scope to see.
func (v *Viewer) Tree(ctx context.Context, see ipam.Visible, scope string) (nodes []ipam.TreeNode, truncated bool, err error) {
	nodes, err = change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.TreeNode, error) {
		of, err := ipam.RealScope(tx.Scope(see, scope))
		if err != nil {
			return nil, err
		}
		pools, err := tx.PoolsOfScope(see, of.UID, treeLimit+1)
		if err != nil {
			return nil, err
		}
		truncated = len(pools) > treeLimit
		f := newForest(pools[:min(len(pools), treeLimit)])
		if err := f.fill(tx, of.UID); err != nil {
			return nil, err
		}
		return f.nodes(), nil
	})
	return nodes, truncated, err
}

// forest is the pools of a scope while their tree is made.
type forest struct {
	pools    map[ipam.UID]*tree
	children map[ipam.UID][]*tree // of "": the roots, and what the limit has cut off from its parent
}

// tree is a pool and what is known of its space.
type tree struct {
	ipam.Pool
	allocations int64
	free        map[int]int64 // blocks by length
	kept        map[int]int64 // blocks in quarantine by length
	bar         bar
}

func newForest(pools []ipam.Pool) forest {
	f := forest{map[ipam.UID]*tree{}, map[ipam.UID][]*tree{}}
	for _, p := range pools {
		f.pools[p.UID] = &tree{Pool: p, free: map[int]int64{}, kept: map[int]int64{}, bar: newBar(p.CIDR)}
	}
	for _, p := range pools {
		parent := p.ParentUID
		if f.pools[parent] == nil {
			parent = ""
		}
		f.children[parent] = append(f.children[parent], f.pools[p.UID])
	}
	return f
}

func (f forest) fill(tx *store.Tx, scope ipam.UID) error {
	counts, err := tx.CountAllocations(scope)
	if err != nil {
		return err
	}
	for pool, n := range counts {
		if t := f.pools[pool]; t != nil {
			t.allocations = n
		}
	}
	err = tx.EachFreeBlock(scope, func(pool ipam.UID, free netip.Prefix) {
		if t := f.pools[pool]; t != nil {
			t.free[free.Bits()]++
			t.bar.free(free)
		}
	})
	if err != nil {
		return err
	}
	mark := func(kind ipam.Kind) func(ipam.UID, netip.Prefix) {
		return func(pool ipam.UID, block netip.Prefix) {
			if t := f.pools[pool]; t != nil {
				t.bar.mark(block, kind)
			}
		}
	}
	if err := tx.EachHeld(scope, mark(ipam.KindHold)); err != nil {
		return err
	}
	if err := tx.EachReserved(scope, mark(ipam.KindReservation)); err != nil {
		return err
	}
	err = tx.EachQuarantined(scope, func(pool ipam.UID, block netip.Prefix) {
		if t := f.pools[pool]; t != nil {
			t.kept[block.Bits()]++
			t.bar.mark(block, ipam.KindQuarantine)
		}
	})
	if err != nil {
		return err
	}
	for parent, children := range f.children {
		for _, c := range children {
			mark(ipam.KindPool)(parent, c.CIDR)
		}
	}
	return nil
}

func (f forest) nodes() []ipam.TreeNode {
	nodes := make([]ipam.TreeNode, 0, len(f.pools))
	var visit func(parent ipam.UID, depth int)
	visit = func(parent ipam.UID, depth int) {
		siblings := f.children[parent]
		slices.SortFunc(siblings, func(a, b *tree) int {
			return cmp.Or(cmp.Compare(ipam.Family(a.CIDR), ipam.Family(b.CIDR)), a.CIDR.Addr().Compare(b.CIDR.Addr()))
		})
		for _, t := range siblings {
			u := used(t.Pool, t.free)
			u.Quarantined = sum(ipam.Family(t.CIDR), t.kept)
			u.Children, u.Allocations = int64(len(f.children[t.UID])), t.allocations
			nodes = append(nodes, ipam.TreeNode{Pool: t.Pool, Depth: depth, Utilization: u, Bar: t.bar.segments()})
			visit(t.UID, depth+1)
		}
	}
	visit("", 0)
	return nodes
}

// used is how full a pool is that has so many free blocks of each length.
func used(pool ipam.Pool, free map[int]int64) ipam.Utilization {
	family := ipam.Family(pool.CIDR)
	u := ipam.Utilization{Free: sum(family, free), Total: ipam.Size(family, pool.CIDR.Bits())}
	for length := range free {
		if u.LargestFree == nil || length < *u.LargestFree {
			u.LargestFree = new(length)
		}
	}
	u.Used = new(big.Int).Sub(u.Total, u.Free)
	return u
}

// sum is the number of addresses in so many blocks of each length.
func sum(family int, blocks map[int]int64) *big.Int {
	all := new(big.Int)
	for length, n := range blocks {
		all.Add(all, new(big.Int).Mul(big.NewInt(n), ipam.Size(family, length)))
	}
	return all
}
