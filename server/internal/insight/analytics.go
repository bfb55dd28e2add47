package insight

import (
	"cmp"
	"context"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// mostGroups bounds an answer: what is beyond the largest is one group.
const mostGroups = 1000

// Part is what analytics are about: all of a scope, a pool with all below it, or everything that is visible where both are "".
type Part struct{ Scope, Pool string }

// within is what of a part is visible. CodeNotFound when there is no such scope or pool to see.
func (p Part) within(tx *store.Tx, see ipam.Visible) (ipam.Visible, string, error) {
	if p.Pool != "" {
		pool, err := ipam.RealPool(tx.Pool(see, p.Pool))
		if err == nil && p.Scope != "" && p.Scope != pool.Scope && p.Scope != string(pool.ScopeUID) {
			err = ipam.Invalid("query:scope", "pool %s is in scope %s; leave the scope out", pool.ID, pool.Scope)
		}
		return ipam.Visible{Pools: []ipam.UID{pool.UID}, Around: []ipam.UID{pool.ScopeUID}}, "", err
	}
	if p.Scope != "" {
		of, err := ipam.RealScope(tx.Scope(see, p.Scope))
		return see, string(of.UID), err
	}
	return see, "", nil
}

// Now is the time.
func (v *Viewer) Now() time.Time { return v.k.Now() }

// Use tells how pools are used, each by itself and with what is below it. CodeNotFound as in all analytics: when the part is not there to see.
func (v *Viewer) Use(ctx context.Context, see ipam.Visible, part Part) (ipam.Use, error) {
	use, err := v.useAll(ctx, see, part)
	use.Truncated = len(use.Pools) > treeLimit
	use.Pools = use.Pools[:min(len(use.Pools), treeLimit)]
	return use, err
}

// Fullest tells how everything is used, with only the fullest pools.
func (v *Viewer) Fullest(ctx context.Context, pools int) (ipam.Use, error) {
	use, err := v.useAll(ctx, ipam.Everything, Part{})
	slices.SortFunc(use.Pools, func(a, b ipam.PoolUse) int {
		return cmp.Or(cmp.Compare(b.Rolled.Used(), a.Rolled.Used()), strings.Compare(a.Scope, b.Scope), strings.Compare(a.ID, b.ID))
	})
	use.Truncated = len(use.Pools) > pools
	use.Pools = use.Pools[:min(len(use.Pools), pools)]
	return use, err
}

func (v *Viewer) useAll(ctx context.Context, see ipam.Visible, part Part) (ipam.Use, error) {
	return change.Read(ctx, v.k, func(tx *store.Tx) (ipam.Use, error) {
		see, scope, err := part.within(tx, see)
		if err != nil {
			return ipam.Use{}, err
		}
		taken, err := tx.SumPrefixes(see, scope, time.Time{})
		if err != nil {
			return ipam.Use{}, err
		}
		free, err := tx.SumFree(see, scope)
		if err != nil {
			return ipam.Use{}, err
		}
		splits := map[ipam.UID]*ipam.Split{}
		of := func(pool ipam.UID) *ipam.Split {
			if splits[pool] == nil {
				splits[pool] = &ipam.Split{}
			}
			return splits[pool]
		}
		for _, s := range taken {
			of(s.Pool).Of(s.Kind, s.Status).Add(s.Family, s.Length, s.Blocks)
		}
		for _, s := range free {
			of(s.Pool).Free.Add(s.Family, s.Length, s.Blocks)
		}
		var pools []ipam.Pool
		err = change.EachPage(func(p ipam.Page) ([]ipam.Pool, error) { return tx.Pools(see, ipam.PoolFilter{Scope: scope}, p) },
			func(p ipam.Pool) string { return string(p.UID) }, func(p ipam.Pool) error { pools = append(pools, p); return nil })
		return useOf(pools, of), err
	})
}

// useOf rolls up what pools are split into.
func useOf(pools []ipam.Pool, of func(ipam.UID) *ipam.Split) (use ipam.Use) {
	known, children := map[ipam.UID]bool{}, map[ipam.UID][]ipam.Pool{}
	for _, p := range pools {
		known[p.UID] = true
	}
	for _, p := range pools {
		parent := p.ParentUID
		if !known[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], p)
	}
	var visit func(p ipam.Pool, depth int) ipam.Split
	visit = func(p ipam.Pool, depth int) (rolled ipam.Split) {
		at := len(use.Pools)
		use.Pools = append(use.Pools, ipam.PoolUse{Pool: p, Depth: depth, Direct: *of(p.UID)})
		rolled.Rolled(*of(p.UID))
		for _, c := range children[p.UID] {
			rolled.Rolled(visit(c, depth+1))
		}
		use.Pools[at].Rolled = rolled
		return rolled
	}
	for _, siblings := range children {
		slices.SortFunc(siblings, func(a, b ipam.Pool) int {
			return cmp.Or(strings.Compare(a.Scope, b.Scope), cmp.Compare(ipam.Family(a.CIDR), ipam.Family(b.CIDR)), a.CIDR.Addr().Compare(b.CIDR.Addr()))
		})
	}
	for _, root := range children[""] {
		all := &use.IPv4
		if ipam.Family(root.CIDR) == 6 {
			all = &use.IPv6
		}
		all.Rolled(visit(root, 0))
	}
	return use
}

// Runway tells how long the space of pools lasts at the pace at which it was allocated and reserved from a moment on, with all that is
// below them; what runs out first comes first. Pools in which nothing was are left out.
func (v *Viewer) Runway(ctx context.Context, see ipam.Visible, part Part, since time.Time) ([]ipam.Runway, error) {
	use, err := v.Use(ctx, see, part)
	if err != nil {
		return nil, err
	}
	return change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.Runway, error) {
		see, scope, err := part.within(tx, see)
		if err != nil {
			return nil, err
		}
		sums, err := tx.SumPrefixes(see, scope, since)
		if err != nil {
			return nil, err
		}
		grown, parents := map[ipam.UID]*ipam.Blocks{}, map[ipam.UID]ipam.UID{}
		for _, u := range use.Pools {
			grown[u.UID], parents[u.UID] = &ipam.Blocks{}, u.ParentUID
		}
		for _, s := range sums {
			if s.Status != ipam.StatusAllocated && s.Status != ipam.StatusReserved || s.Kind == ipam.KindPool {
				continue
			}
			for at := s.Pool; grown[at] != nil; at = parents[at] {
				grown[at].Add(s.Family, s.Length, s.Blocks)
			}
		}
		var all []ipam.Runway
		for _, u := range use.Pools {
			if grown[u.UID].Count > 0 {
				all = append(all, ipam.RunwayOf(u, *grown[u.UID], since, v.k.Now()))
			}
		}
		slices.SortStableFunc(all, func(a, b ipam.Runway) int { return cmp.Compare(a.Days, b.Days) })
		return all[:min(len(all), mostGroups)], nil
	})
}

// Endings lists up to limit of what ends by itself before a time, the soonest first, and whether there is more.
func (v *Viewer) Endings(ctx context.Context, see ipam.Visible, part Part, until time.Time, limit int) (all []ipam.Ending, more bool, err error) {
	all, err = change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.Ending, error) {
		see, scope, err := part.within(tx, see)
		if err != nil {
			return nil, err
		}
		return tx.Endings(see, scope, v.k.Now(), until, limit+1)
	})
	slices.SortFunc(all, func(a, b ipam.Ending) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	return all[:min(len(all), limit)], len(all) > limit, err
}

// Groups counts allocations by what they have in common, the most space first: IPv4, then IPv6. Rest is what the answer has no room for.
func (v *Viewer) Groups(ctx context.Context, see ipam.Visible, part Part, by ipam.Dimension) (groups []ipam.Group, rest *ipam.Group, err error) {
	groups, err = change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.Group, error) {
		within, scope, err := part.within(tx, see)
		if err != nil {
			return nil, err
		}
		sums, err := tx.SumAllocations(within, scope, by)
		if err != nil {
			return nil, err
		}
		name, err := namesOf(tx, see, by)
		if err != nil {
			return nil, err
		}
		found := map[string]*ipam.Group{}
		for _, s := range sums {
			key := name(s.Key)
			if found[key] == nil {
				found[key] = &ipam.Group{Key: key}
			}
			blocks := &found[key].IPv4
			if s.Family == 6 {
				blocks = &found[key].IPv6
			}
			blocks.Add(s.Family, s.Length, s.Blocks)
		}
		all := make([]ipam.Group, 0, len(found))
		for _, g := range found {
			all = append(all, *g)
		}
		slices.SortFunc(all, func(a, b ipam.Group) int {
			return cmp.Or(cmp.Compare(b.IPv4.Float(), a.IPv4.Float()), cmp.Compare(b.IPv6.Float(), a.IPv6.Float()), strings.Compare(a.Key, b.Key))
		})
		return all, nil
	})
	if len(groups) > mostGroups {
		rest = &ipam.Group{}
		for _, g := range groups[mostGroups:] {
			rest.IPv4.Plus(g.IPv4)
			rest.IPv6.Plus(g.IPv6)
		}
		groups = groups[:mostGroups]
	}
	return groups, rest, err
}

// namesOf says how the key of a group is told: scopes and pools by their ids, and accounts by what is grouped by, as far as they are visible.
func namesOf(tx *store.Tx, see ipam.Visible, by ipam.Dimension) (func(string) string, error) {
	names := map[string]string{}
	var err error
	switch by {
	case ipam.ByScope:
		err = change.EachPage(func(p ipam.Page) ([]ipam.Scope, error) { return tx.Scopes(see, true, p) },
			func(s ipam.Scope) string { return string(s.UID) }, func(s ipam.Scope) error { names[string(s.UID)] = s.ID; return nil })
	case ipam.ByPool:
		err = change.EachPage(func(p ipam.Page) ([]ipam.Pool, error) { return tx.Pools(see, ipam.PoolFilter{}, p) },
			func(p ipam.Pool) string { return string(p.UID) }, func(p ipam.Pool) error { names[string(p.UID)] = p.ID; return nil })
	case ipam.ByPlatform, ipam.ByTier, ipam.ByCloud:
		err = change.EachPage(func(p ipam.Page) ([]ipam.Account, error) { return tx.Accounts(see, ipam.AccountFilter{}, p) },
			func(a ipam.Account) string { return string(a.UID) }, func(a ipam.Account) error {
				names[a.ID] = map[ipam.Dimension]string{ipam.ByPlatform: a.Platform, ipam.ByTier: a.Tier, ipam.ByCloud: string(a.Cloud)}[by]
				return nil
			})
	default:
		return func(key string) string { return key }, nil
	}
	return func(key string) string { return names[key] }, err
}

// FreeClasses tells how many free blocks of each size there are in all pools together, the largest first; family 0 is both.
func (v *Viewer) FreeClasses(ctx context.Context, see ipam.Visible, part Part, family int) ([]ipam.FreeClass, error) {
	return change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.FreeClass, error) {
		see, scope, err := part.within(tx, see)
		if err != nil {
			return nil, err
		}
		sums, err := tx.SumFree(see, scope)
		if err != nil {
			return nil, err
		}
		count := map[[2]int]int64{}
		for _, s := range sums {
			if family == 0 || family == s.Family {
				count[[2]int{s.Family, s.Length}] += s.Blocks
			}
		}
		classes := make([]ipam.FreeClass, 0, len(count))
		for at, n := range count {
			classes = append(classes, ipam.FreeClass{Family: at[0], Length: at[1], Blocks: n})
		}
		slices.SortFunc(classes, func(a, b ipam.FreeClass) int {
			return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Length, b.Length))
		})
		for i := range classes {
			c := &classes[i]
			c.Fits = big.NewInt(c.Blocks)
			if i > 0 && classes[i-1].Family == c.Family { // a block of the size before holds 2^difference of this one
				c.Fits.Add(c.Fits, new(big.Int).Lsh(classes[i-1].Fits, uint(c.Length-classes[i-1].Length)))
			}
		}
		return classes, nil
	})
}

// Made counts by step what is there now and was made from one moment on and before another. Steps in which nothing was made are there, too.
func (v *Viewer) Made(ctx context.Context, see ipam.Visible, part Part, since, until time.Time, step ipam.Step) ([]ipam.Made, error) {
	return change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.Made, error) {
		see, scope, err := part.within(tx, see)
		if err != nil {
			return nil, err
		}
		sums, err := tx.SumMade(see, scope, since, until)
		if err != nil {
			return nil, err
		}
		var made []ipam.Made
		at := map[time.Time]int{}
		for begin := step.Begin(since); begin.Before(until); begin = step.Next(begin) {
			at[begin] = len(made)
			made = append(made, ipam.Made{Start: begin, Count: map[ipam.Kind]int64{}})
		}
		for _, s := range sums {
			made[at[step.Begin(time.Unix(s.Day*86400, 0))]].Count[s.Kind] += s.Blocks
		}
		return made, nil
	})
}
