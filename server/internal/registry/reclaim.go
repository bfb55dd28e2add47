package registry

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// room is the block of a length that a full pool has for a name once enough of what gives way is taken: what expired, the oldest
// first, then what earlier runs of the caller's plan were promised. It decides in
// memory, so that what does not help is not taken. When nothing helps it is alloc.ErrNoFit, and largest the length of the
// largest block that could be had; 0 when none could. The caller holds the pool's lock.
func (c edit) room(pool ipam.Pool, name string, length int) (at netip.Prefix, largest int, err error) {
	free := alloc.NewTree(pool.CIDR)
	if err := free.AllocateAt(pool.CIDR); err != nil {
		return at, 0, err
	}
	around := map[netip.Prefix]bool{} // whose free blocks are in the tree
	for _, expired := range c.givesWay(name) {
		for limit, seen := 1, 0; ; limit, seen = 8*limit, seen+limit { // mostly the very first one does
			blocks, err := expired(pool.UID, limit, seen)
			if err != nil {
				return at, 0, err
			}
			if err := c.addFree(pool, free, around, blocks, length); err != nil {
				return at, 0, err
			}
			for _, b := range blocks {
				if err := free.Release(b); err != nil {
					return at, 0, err
				}
				at, err := free.Allocate(pool.Strategy, length)
				if !errors.Is(err, alloc.ErrNoFit) {
					return at, 0, err
				}
			}
			if len(blocks) < limit {
				break
			}
		}
	}
	largest, _ = free.Largest()
	return at, largest, alloc.ErrNoFit
}

// givesWay lists the blocks of a pool that give way to a name, in the order in which they do. A reservation that has run out
// promises nobody anything, so those go before holds, which a late apply may still come for.
func (c edit) givesWay(name string) []func(pool ipam.UID, limit, skip int) ([]netip.Prefix, error) {
	type look = func(pool ipam.UID, limit, skip int) ([]netip.Prefix, error)
	expired := func(look func(ipam.UID, time.Time, int, int) ([]netip.Prefix, error)) look {
		return func(pool ipam.UID, limit, skip int) ([]netip.Prefix, error) { return look(pool, c.Due, limit, skip) }
	}
	looks := []look{expired(c.Tx.ExpiredReservationsIn), expired(c.Tx.ExpiredHolds), expired(c.Tx.ExpiredDrafts)}
	if !c.plan.Displaces() {
		return looks
	}
	outdated := func(look func(pool, principal ipam.UID, plan ipam.Plan, name string, limit, skip int) ([]netip.Prefix, error)) look {
		return func(pool ipam.UID, limit, skip int) ([]netip.Prefix, error) {
			return look(pool, c.By.UID, c.plan, name, limit, skip)
		}
	}
	return append(looks, outdated(c.Tx.OutdatedHolds), outdated(c.Tx.OutdatedDrafts), c.left)
}

// addFree adds to a tree the free blocks that can make one of a length together with one of the blocks: all that lie in the
// block of that length around it. Done notes what the tree has. One look serves as many as it reaches.
func (c edit) addFree(pool ipam.Pool, tree *alloc.Tree, done map[netip.Prefix]bool, blocks []netip.Prefix, length int) error {
	fresh := map[netip.Prefix]bool{}
	for _, b := range blocks {
		if around := netip.PrefixFrom(b.Addr(), length).Masked(); b.Bits() > length && !done[around] {
			fresh[around], done[around] = true, true
		}
	}
	const enough = 200
	var reached netip.Addr
	for _, around := range slices.SortedFunc(maps.Keys(fresh), netip.Prefix.Compare) {
		if before := around.Addr().Prev(); reached.Less(before) {
			reached = before
		}
		for last := ipam.LastIP(around); reached.Less(last); {
			leaves, err := c.Tx.Leaves(pool).After(reached, enough)
			if err != nil {
				return err
			}
			for _, leaf := range leaves {
				if fresh[netip.PrefixFrom(leaf.Addr(), length).Masked()] {
					if err := tree.Add(leaf); err != nil {
						return err
					}
				}
			}
			if len(leaves) < enough {
				return nil
			}
			reached = leaves[len(leaves)-1].Addr()
		}
	}
	return nil
}

// clear frees a block of a space of what gives way there: what expired, the caller's own holds of the name, and what earlier runs
// of its plan were promised. A plan that was changed must not stand in its own way. CodeCIDRTaken, and nothing is taken, when
// anything else is there. Pool is that of the space, and zero at the root of a scope.
func (c edit) clear(pool ipam.Pool, space ipam.UID, at netip.Prefix, own string) error {
	take, standing, leaving, err := c.inTheWay(pool, space, at, own)
	switch {
	case err != nil:
		return err
	case len(standing) > 0:
		return c.inOwnWay(at, standing, ipam.Taken(at, standing))
	case len(leaving) > 0:
		return releasePending(at, leaving)
	}
	for _, free := range take {
		if err := free(); err != nil {
			return err
		}
	}
	return nil
}

// inTheWay is how to take the space of each thing at a block of a space, the first few that may not be taken, and, where there are
// none, those that the caller's plan leaves.
func (c edit) inTheWay(pool ipam.Pool, space ipam.UID, at netip.Prefix, own string) (take []func() error, standing, leaving []ipam.Prefix, err error) {
	const limit, named = 100, 5
	for from, last := at.Addr(), ipam.LastIP(at); ; {
		inside, err := c.Tx.PrefixesFrom(space, from, last, limit)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, p := range inside {
			free, err := c.reclaimable(pool, p, at, own)
			if err != nil {
				return nil, nil, nil, err
			}
			if free != nil {
				take = append(take, free)
				continue
			}
			left, err := c.isLeft(pool, p)
			if err != nil {
				return nil, nil, nil, err
			}
			if left {
				leaving = append(leaving, p)
				continue
			}
			if standing = append(standing, p); len(standing) == named {
				return nil, standing, nil, nil
			}
		}
		if len(inside) < limit {
			return take, standing, leaving, nil
		}
		if from = ipam.LastIP(inside[limit-1].CIDR).Next(); !from.IsValid() || last.Less(from) {
			return take, standing, leaving, nil
		}
	}
}

// reclaimable is how to take the space of a prefix that is in the way of a block; nil when it still stands.
func (c edit) reclaimable(pool ipam.Pool, p ipam.Prefix, at netip.Prefix, own string) (func() error, error) {
	switch {
	case p.Kind == ipam.KindReservation:
		reserved, err := c.Tx.Reservation(p.Owner)
		if err != nil || !reserved.Expired(c.Due) {
			return nil, err
		}
		return func() error { return c.endReservation(pool, reserved, "expired") }, nil
	case p.Kind == ipam.KindHold:
		h, err := c.Tx.Hold(p.Owner)
		switch {
		case err != nil:
			return nil, err
		case h.OutdatedBy(c.By.UID, c.plan):
			h.Run = c.plan.Run // should this run ask for the name too, it is not told of a loss
			return func() error { return c.loseHold(pool, h, "lost") }, nil
		case c.leftBy(h):
			return func() error { return c.takeLeft(pool, h, at) }, nil
		case h.Expired(c.Due), own != "" && h.Name == own && h.Belongs(c.By.UID, c.plan.Holder):
			return func() error { return c.loseHold(pool, h, "lost") }, nil
		case c.moves && c.shown(h.Run, h.Named):
			return func() error { return c.dropHold(pool, h, "moved") }, nil
		}
		return nil, nil
	case p.Status == ipam.StatusHeld:
		draft, err := c.Tx.Pool(p.Owner)
		if err != nil || draft.DraftUntil == nil {
			return nil, err
		}
		over := !c.Due.Before(*draft.DraftUntil) || draft.OutdatedBy(c.By.UID, c.plan)
		if !over && (!c.moves || !c.shown(draft.DraftRun, draft.DraftNamed)) {
			return nil, nil
		}
		return func() error { return c.dropDraft(draft) }, nil
	}
	return nil, nil
}
