package insight

import (
	"context"
	"math/big"
	"net/netip"
	"slices"

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

// FreeSizes tells how much of a pool is free in each size, the largest first; CodeNotFound when there is none.
func (v *Viewer) FreeSizes(ctx context.Context, see ipam.Visible, id string) ([]ipam.FreeSize, error) {
	return change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.FreeSize, error) {
		pool, err := ipam.RealPool(tx.Pool(see, id))
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
