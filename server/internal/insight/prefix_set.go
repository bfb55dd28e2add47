package insight

import (
	"context"
	"net/netip"

	"go4.org/netipx"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

const (
	mostMatched  = 100_000
	mostPrefixes = 10_000
)

// AllocationPrefixes are the fewest CIDRs that have every address of the allocations that match and no other, IPv4 first, and how many those
// are. CodeInvalid when that is too much.
func (v *Viewer) AllocationPrefixes(ctx context.Context, see ipam.Visible, f ipam.AllocationFilter) ([]netip.Prefix, int, error) {
	return prefixSet(ctx, v.k, func(tx *store.Tx, p ipam.Page) ([]ipam.Allocation, error) { return tx.Allocations(see, f, p) },
		func(a ipam.Allocation) string { return a.ID }, func(a ipam.Allocation) netip.Prefix { return a.CIDR })
}

// PoolPrefixes is AllocationPrefixes of pools. The order of a list by address is not needed, nor the filter's.
func (v *Viewer) PoolPrefixes(ctx context.Context, see ipam.Visible, f ipam.PoolFilter) ([]netip.Prefix, int, error) {
	return prefixSet(ctx, v.k, func(tx *store.Tx, p ipam.Page) ([]ipam.Pool, error) { return tx.Pools(see, f, p) },
		func(p ipam.Pool) string { return string(p.UID) }, func(p ipam.Pool) netip.Prefix { return p.CIDR })
}

func prefixSet[T any](ctx context.Context, k *change.Kernel, list func(*store.Tx, ipam.Page) ([]T, error), id func(T) string, cidr func(T) netip.Prefix) (set []netip.Prefix, matched int, err error) {
	set, err = change.Read(ctx, k, func(tx *store.Tx) ([]netip.Prefix, error) {
		var all netipx.IPSetBuilder
		for page := (ipam.Page{Limit: change.PageSize}); ; {
			items, err := list(tx, page)
			if err != nil {
				return nil, err
			}
			if matched += len(items); matched > mostMatched {
				return nil, ipam.Invalid("query:", "more than %d match; narrow it, by label or by pool", mostMatched)
			}
			for _, item := range items {
				all.AddPrefix(cidr(item))
			}
			if len(items) < page.Limit {
				break
			}
			last := items[len(items)-1]
			page.After = ipam.Cursor{ID: id(last), Prefix: cidr(last)}
		}
		found, err := all.IPSet()
		if err != nil {
			return nil, err
		}
		return found.Prefixes(), nil
	})
	if err == nil && len(set) > mostPrefixes {
		err = ipam.Invalid("query:", "%d match, and take %d CIDRs, more than %d; narrow it, by label or by pool", matched, len(set), mostPrefixes)
	}
	return set, matched, err
}
