package govern

import (
	"context"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/policy"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Violations looks at a page of the allocations in a pool and below, in the order of their addresses, at all pools in it with the first
// page, and lists what of those their policies would not allow today: fewer than the page asks for, mostly none. Next is where to go on;
// zero at the end. Shares are about sums, and not in it. Errors: CodeNotFound.
func (b *Book) Violations(ctx context.Context, see ipam.Visible, id string, p ipam.Page) (found []ipam.Broken, next ipam.Cursor, err error) {
	_, err = change.Read(ctx, b.k, func(tx *store.Tx) (none struct{}, err error) {
		pool, err := tx.Pool(see, id)
		if err != nil {
			return none, err
		}
		look := looker{tx: tx, chains: map[ipam.UID]policy.Chain{}, pools: map[ipam.UID]ipam.Pool{}}
		within := ipam.Around{Within: pool.CIDR} // in a scope no addresses repeat, so what is in the block is in the pool
		if p.After.ID == "" {
			for page := (ipam.Page{Limit: change.PageSize}); ; {
				pools, err := tx.Pools(see, ipam.PoolFilter{Scope: string(pool.ScopeUID), Around: within}, page)
				if err != nil {
					return none, err
				}
				for _, child := range pools {
					page.After = ipam.Cursor{ID: string(child.UID), Prefix: child.CIDR}
					around := child.CIDR == pool.CIDR && child.UID != pool.ParentUID && child.ParentUID != pool.UID // as large as the pool, somewhere above it or below
					if child.UID == pool.UID || child.UID == pool.ParentUID || around {
						continue
					}
					if err := look.at(policy.Pool(child)); err != nil {
						return none, err
					}
				}
				if len(pools) < page.Limit {
					break
				}
			}
		}
		allocations, err := tx.Allocations(see, ipam.AllocationFilter{Scope: string(pool.ScopeUID), Around: within}, p)
		if err != nil {
			return none, err
		}
		for _, a := range allocations {
			if err := look.at(policy.Allocation(a)); err != nil {
				return none, err
			}
			next = ipam.Cursor{ID: a.ID, Prefix: a.CIDR}
		}
		if len(allocations) < p.Limit {
			next = ipam.Cursor{}
		}
		found = look.found
		return none, nil
	})
	return found, next, err
}

// looker judges what stands, and reads the policies of each pool once.
type looker struct {
	tx     *store.Tx
	chains map[ipam.UID]policy.Chain
	pools  map[ipam.UID]ipam.Pool
	found  []ipam.Broken
}

func (l *looker) at(f policy.Facts) error {
	chain, known := l.chains[f.PoolUID]
	if !known {
		all, err := l.tx.PoliciesAbove(f.In)
		if err != nil {
			return err
		}
		chain, l.chains[f.PoolUID] = all, all
		if len(all) > 0 {
			if l.pools[f.PoolUID], err = l.tx.Pool(ipam.Everything, string(f.PoolUID)); err != nil {
				return err
			}
		}
	}
	if len(chain) == 0 {
		return nil
	}
	if broken := chain.Judge(f, l.pools[f.PoolUID]); len(broken) > 0 {
		l.found = append(l.found, ipam.Broken{Kind: f.Kind, ID: f.ID, Name: f.Name, In: f.In, CIDR: f.CIDR, Violations: broken})
	}
	return nil
}
