package registry

import (
	"cmp"
	"context"
	"math/big"
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Prefixes lists a page of what occupies space.
func (r *Registry) Prefixes(ctx context.Context, f ipam.PrefixFilter, p ipam.Page) ([]ipam.Prefix, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.Prefix, error) { return tx.Prefixes(f, p) })
}

// Events lists a page of events, the newest first.
func (r *Registry) Events(ctx context.Context, f ipam.EventFilter, p ipam.Page) ([]ipam.Event, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.Event, error) { return tx.Events(f, p) })
}

// Utilization tells how full a pool is; CodeNotFound when there is none.
func (r *Registry) Utilization(ctx context.Context, id string) (ipam.Pool, ipam.Utilization, error) {
	var pool ipam.Pool
	u, err := read(ctx, r, func(tx *store.Tx) (u ipam.Utilization, err error) {
		if pool, err = realPool(tx.Pool(id)); err != nil {
			return u, err
		}
		return utilization(tx, pool)
	})
	return pool, u, err
}

func utilization(tx *store.Tx, pool ipam.Pool) (ipam.Utilization, error) {
	family := ipam.Family(pool.CIDR)
	u := ipam.Utilization{Free: new(big.Int), Total: ipam.Size(family, pool.CIDR.Bits())}
	sizes, err := tx.Leaves(pool).ByLength()
	if err != nil {
		return u, err
	}
	for _, s := range sizes {
		u.Free.Add(u.Free, new(big.Int).Mul(big.NewInt(s.Blocks), ipam.Size(family, s.Length)))
	}
	if len(sizes) > 0 {
		u.LargestFree = &sizes[0].Length
	}
	u.Used = new(big.Int).Sub(u.Total, u.Free)
	u.Children, u.Allocations, err = tx.CountInPool(pool.ID)
	return u, err
}

// FreeSizes tells how much of a pool is free in each size, the largest first; CodeNotFound when there is none.
func (r *Registry) FreeSizes(ctx context.Context, id string) ([]ipam.FreeSize, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.FreeSize, error) {
		pool, err := realPool(tx.Pool(id))
		if err != nil {
			return nil, err
		}
		leaves := tx.Leaves(pool)
		sizes, err := leaves.ByLength()
		if err != nil {
			return nil, err
		}
		out := make([]ipam.FreeSize, 0, len(sizes))
		fits, last := new(big.Int), 0
		for _, s := range sizes {
			fits.Lsh(fits, uint(s.Length-last)) // a block of the size before holds 2^difference of this one
			fits.Add(fits, big.NewInt(s.Blocks))
			last = s.Length
			first, err := leaves.Lowest(s.Length)
			if err != nil {
				return nil, err
			}
			out = append(out, ipam.FreeSize{Length: s.Length, Blocks: s.Blocks, First: first, Fits: new(big.Int).Set(fits)})
		}
		return out, nil
	})
}

// Space lists a page of a pool's blocks in address order, free ones included; CodeNotFound when there is no such pool.
func (r *Registry) Space(ctx context.Context, id string, p ipam.Page) ([]ipam.Block, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.Block, error) {
		pool, err := realPool(tx.Pool(id))
		if err != nil {
			return nil, err
		}
		var after netip.Addr
		if p.After.Prefix.IsValid() {
			after = p.After.Prefix.Addr()
		}
		taken, err := tx.PrefixesAfter(id, ipam.Family(pool.CIDR), after, p.Limit)
		if err != nil {
			return nil, err
		}
		free, err := tx.Leaves(pool).After(after, p.Limit)
		if err != nil {
			return nil, err
		}
		blocks := make([]ipam.Block, 0, len(taken)+len(free))
		for i := range taken {
			blocks = append(blocks, ipam.Block{CIDR: taken[i].CIDR, Prefix: &taken[i]})
		}
		for _, f := range free {
			blocks = append(blocks, ipam.Block{CIDR: f})
		}
		slices.SortFunc(blocks, func(a, b ipam.Block) int { return a.CIDR.Addr().Compare(b.CIDR.Addr()) })
		return blocks[:min(len(blocks), p.Limit)], nil
	})
}

// treeLimit bounds what one tree holds.
const treeLimit = 5000

// Tree lists a scope's pools, parents before children and siblings in address order. It is truncated, and says so, past
// 5,000 pools. CodeNotFound when there is no such scope.
func (r *Registry) Tree(ctx context.Context, scope string) (nodes []ipam.TreeNode, truncated bool, err error) {
	nodes, err = read(ctx, r, func(tx *store.Tx) ([]ipam.TreeNode, error) {
		if _, err := realScope(tx.Scope(scope)); err != nil {
			return nil, err
		}
		pools, err := tx.PoolsOfScope(scope, treeLimit+1)
		if err != nil {
			return nil, err
		}
		truncated = len(pools) > treeLimit
		pools = pools[:min(len(pools), treeLimit)]
		return grow(tx, pools)
	})
	return nodes, truncated, err
}

func grow(tx *store.Tx, pools []ipam.Pool) ([]ipam.TreeNode, error) {
	known := map[string]bool{}
	for _, p := range pools {
		known[p.ID] = true
	}
	children := map[string][]ipam.Pool{}
	for _, p := range pools {
		parent := p.Parent
		if !known[parent] {
			parent = "" // a root, or cut off from its parent by the limit
		}
		children[parent] = append(children[parent], p)
	}
	nodes := make([]ipam.TreeNode, 0, len(pools))
	var visit func(parent string, depth int) error
	visit = func(parent string, depth int) error {
		siblings := children[parent]
		slices.SortFunc(siblings, func(a, b ipam.Pool) int {
			return cmp.Or(cmp.Compare(ipam.Family(a.CIDR), ipam.Family(b.CIDR)), a.CIDR.Addr().Compare(b.CIDR.Addr()))
		})
		for _, p := range siblings {
			u, err := utilization(tx, p)
			if err != nil {
				return err
			}
			bar, err := spaceBar(tx, p)
			if err != nil {
				return err
			}
			nodes = append(nodes, ipam.TreeNode{Pool: p, Depth: depth, Utilization: u, Bar: bar})
			if err := visit(p.ID, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return nodes, visit("", 0)
}

// mostCells is the resolution of a space bar; a pool with fewer addresses has a cell for each.
const mostCells = 200

// spaceBar draws what occupies a pool. It looks once per cell at most, skipping the rest of a cell that has something in
// it, so a pool with a million prefixes costs no more than one with a few hundred.
func spaceBar(tx *store.Tx, pool ipam.Pool) ([]ipam.Segment, error) {
	first := new(big.Int).SetBytes(pool.CIDR.Addr().AsSlice())
	total := ipam.Size(ipam.Family(pool.CIDR), pool.CIDR.Bits())
	cells := int64(mostCells)
	if total.IsInt64() {
		cells = min(cells, total.Int64())
	}
	cellOf := func(a netip.Addr) int {
		offset := new(big.Int).Sub(new(big.Int).SetBytes(a.AsSlice()), first)
		return int(offset.Div(offset.Mul(offset, big.NewInt(cells)), total).Int64())
	}
	startOf := func(cell int) netip.Addr {
		offset := new(big.Int).Mul(total, big.NewInt(int64(cell)))
		offset.Add(offset, big.NewInt(cells-1)).Div(offset, big.NewInt(cells)) // the first whole address of the cell
		raw := offset.Add(offset, first).FillBytes(make([]byte, len(pool.CIDR.Addr().AsSlice())))
		a, _ := netip.AddrFromSlice(raw)
		return a
	}
	var bar []ipam.Segment
	last := ipam.LastIP(pool.CIDR)
	for cell := 0; cell < int(cells); {
		at := startOf(cell)
		if !pool.CIDR.Contains(at) {
			break
		}
		found, err := tx.PrefixesFrom(pool.ID, at, last, 1)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			break
		}
		from := max(cell, cellOf(found[0].CIDR.Addr()))
		if found[0].CIDR.Addr().Less(at) {
			from = cell
		}
		to := cellOf(ipam.LastIP(found[0].CIDR)) + 1
		kind := found[0].Kind
		if found[0].Status == ipam.StatusHeld {
			kind = ipam.KindHold // a draft pool is a promise too
		}
		bar = append(bar, ipam.Segment{Start: float64(from) / float64(cells), End: float64(to) / float64(cells), Kind: kind})
		cell = to
	}
	return merge(bar), nil
}

// merge joins neighbours of one kind.
func merge(bar []ipam.Segment) []ipam.Segment {
	var out []ipam.Segment
	for _, s := range bar {
		if n := len(out); n > 0 && out[n-1].Kind == s.Kind && out[n-1].End == s.Start {
			out[n-1].End = s.End
			continue
		}
		out = append(out, s)
	}
	return out
}
