package insight

import (
	"cmp"
	"context"
	"math/big"
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Prefixes lists a page of what occupies space.
func (v *Viewer) Prefixes(ctx context.Context, see ipam.Visible, f ipam.PrefixFilter, p ipam.Page) ([]ipam.Prefix, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) ([]ipam.Prefix, error) { return tx.Prefixes(see, f, p) })
}

// Utilization tells how full a pool is; CodeNotFound when there is none.
func (v *Viewer) Utilization(ctx context.Context, see ipam.Visible, id string) (ipam.Pool, ipam.Utilization, error) {
	var pool ipam.Pool
	u, err := change.Read(ctx, v.k, func(tx *store.Tx) (u ipam.Utilization, err error) {
		if pool, err = ipam.RealPool(tx.Pool(see, id)); err != nil {
			return u, err
		}
		return utilization(tx, pool)
	})
	return pool, u, err
}

func utilization(tx *store.Tx, pool ipam.Pool) (ipam.Utilization, error) {
	sizes, err := tx.Leaves(pool).ByLength()
	if err != nil {
		return ipam.Utilization{}, err
	}
	free := map[int]int64{}
	for _, s := range sizes {
		free[s.Length] = s.Blocks
	}
	u := used(pool, free)
	kept, err := tx.QuarantinedSizes(pool.UID)
	if err != nil {
		return u, err
	}
	u.Quarantined = sum(ipam.Family(pool.CIDR), kept)
	u.Children, u.Allocations, err = tx.CountInPool(pool.UID)
	return u, err
}

// FreeSizes tells how much of a pool is free in each size, the largest first; CodeNotFound when there is none. What clouds use is not free.
func (v *Viewer) FreeSizes(ctx context.Context, see ipam.Visible, id string) ([]ipam.FreeSize, error) {
	return change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.FreeSize, error) {
		pool, err := ipam.RealPool(tx.Pool(see, id))
		if err != nil {
			return nil, err
		}
		guards, err := guardsOf(tx, pool)
		if err != nil {
			return nil, err
		}
		sizes, err := freeSizes(tx, pool, guards)
		if err != nil {
			return nil, err
		}
		fits, last := new(big.Int), 0
		for i, s := range sizes {
			fits.Lsh(fits, uint(s.Length-last)) // a block of the size before holds 2^difference of this one
			fits.Add(fits, big.NewInt(s.Blocks))
			last, sizes[i].Fits = s.Length, new(big.Int).Set(fits)
		}
		return sizes, nil
	})
}

// freeSizes are the free blocks of a pool by size, the largest first: of the rows as they are, and counted one by one where clouds use
// some of what is free.
func freeSizes(tx *store.Tx, pool ipam.Pool, guards []ipam.Observation) (out []ipam.FreeSize, err error) {
	leaves := tx.Leaves(pool)
	if len(guards) == 0 {
		sizes, err := leaves.ByLength()
		for _, s := range sizes {
			first, failure := leaves.Lowest(s.Length)
			if err = cmp.Or(err, failure); err != nil {
				return nil, err
			}
			out = append(out, ipam.FreeSize{Length: s.Length, Blocks: s.Blocks, First: first})
		}
		return out, err
	}
	at := map[int]int{}
	for from, more := (netip.Addr{}), true; more; {
		some, err := leaves.After(from, change.PageSize)
		if err != nil {
			return nil, err
		}
		for _, leaf := range some {
			from = leaf.Addr()
			for _, b := range split(leaf, guards) {
				if b.Guard != nil {
					continue
				}
				i, known := at[b.CIDR.Bits()]
				if !known {
					i = len(out)
					at[b.CIDR.Bits()], out = i, append(out, ipam.FreeSize{Length: b.CIDR.Bits(), First: b.CIDR})
				}
				out[i].Blocks++
			}
		}
		more = len(some) == change.PageSize
	}
	slices.SortFunc(out, func(a, b ipam.FreeSize) int { return a.Length - b.Length })
	return out, nil
}

// guardsOf are the outermost of what clouds use in a pool, in the order of their addresses: they share none.
func guardsOf(tx *store.Tx, pool ipam.Pool) ([]ipam.Observation, error) {
	all, err := tx.Guards(pool, pool.CIDR) // by address, the larger first
	outer := all[:0]
	for _, o := range all {
		if last := len(outer) - 1; last < 0 || !outer[last].CIDR.Overlaps(o.CIDR) {
			outer = append(outer, o)
		}
	}
	return outer, err
}

// split is a free block in parts, in the order of their addresses: what guards take of it, and what they leave.
func split(leaf netip.Prefix, guards []ipam.Observation) (parts []ipam.Block) {
	from, _ := slices.BinarySearchFunc(guards, leaf, func(o ipam.Observation, leaf netip.Prefix) int {
		return ipam.LastIP(o.CIDR).Compare(leaf.Addr())
	})
	var inside []netip.Prefix
	for i := from; i < len(guards) && guards[i].CIDR.Overlaps(leaf); i++ {
		if guards[i].CIDR.Bits() <= leaf.Bits() {
			return []ipam.Block{{CIDR: leaf, Guard: &guards[i]}}
		}
		inside, parts = append(inside, guards[i].CIDR), append(parts, ipam.Block{CIDR: guards[i].CIDR, Guard: &guards[i]})
	}
	left, err := alloc.Cover(leaf, inside)
	if err != nil { // all of them lie inside
		panic(err)
	}
	for _, b := range left {
		parts = append(parts, ipam.Block{CIDR: b})
	}
	slices.SortFunc(parts, func(a, b ipam.Block) int { return a.CIDR.Addr().Compare(b.CIDR.Addr()) })
	return parts
}

// Space lists a page of a pool's blocks in address order, free ones included; CodeNotFound when there is no such pool. What clouds use of
// what is free is a block of its own.
func (v *Viewer) Space(ctx context.Context, see ipam.Visible, id string, p ipam.Page) ([]ipam.Block, error) {
	return change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.Block, error) {
		pool, err := ipam.RealPool(tx.Pool(see, id))
		if err != nil {
			return nil, err
		}
		var after netip.Addr
		if p.After.Prefix.IsValid() {
			after = p.After.Prefix.Addr()
		}
		taken, err := tx.PrefixesAfter(pool.UID, ipam.Family(pool.CIDR), after, p.Limit)
		if err != nil {
			return nil, err
		}
		free, err := tx.Leaves(pool).After(after, p.Limit)
		if err != nil {
			return nil, err
		}
		guards, err := guardsOf(tx, pool)
		if err != nil {
			return nil, err
		}
		if len(guards) > 0 && p.After.Prefix.IsValid() { // the page before may have ended within a free block
			leaf, err := tx.Leaves(pool).FreeAround(p.After.Prefix)
			if err != nil {
				return nil, err
			}
			if leaf.IsValid() && leaf != p.After.Prefix {
				free = slices.Insert(free, 0, leaf)
			}
		}
		blocks := make([]ipam.Block, 0, len(taken)+len(free))
		for i := range taken {
			blocks = append(blocks, ipam.Block{CIDR: taken[i].CIDR, Prefix: &taken[i]})
		}
		for _, f := range free {
			for _, b := range split(f, guards) {
				if b.Guard != nil && !see.In(pool.ScopeUID, nil) {
					b.Guard = &ipam.Observation{} // whose it is, those read who see the scope
				}
				if !after.IsValid() || after.Less(b.CIDR.Addr()) {
					blocks = append(blocks, b)
				}
			}
		}
		slices.SortFunc(blocks, func(a, b ipam.Block) int { return a.CIDR.Addr().Compare(b.CIDR.Addr()) })
		return blocks[:min(len(blocks), p.Limit)], nil
	})
}
