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
// 5,000 pools. CodeNotFound when there is no such scope.
func (v *Viewer) Tree(ctx context.Context, scope string) (nodes []ipam.TreeNode, truncated bool, err error) {
	nodes, err = change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.TreeNode, error) {
		of, err := ipam.RealScope(tx.Scope(scope))
		if err != nil {
			return nil, err
		}
		pools, err := tx.PoolsOfScope(of.UID, treeLimit+1)
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
		found, err := tx.PrefixesFrom(pool.UID, at, last, 1)
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
