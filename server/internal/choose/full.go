package choose

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Room is the block of a length that a full pool has for a name once enough of what gives way is taken: what expired, the oldest
// first, then what earlier runs of the caller's plan were promised, then what the plan leaves. It decides in memory, so that what does
// not help is not taken. When nothing helps, the error says how large a block could be had. The caller holds the pool's lock.
func (f Asker) Room(pool ipam.Pool, name string, length int) (at netip.Prefix, err error) {
	free := alloc.NewTree(pool.CIDR)
	if err := free.AllocateAt(pool.CIDR); err != nil {
		return at, err
	}
	around := map[netip.Prefix]bool{} // whose free blocks are in the tree
	given := map[netip.Prefix]bool{}  // what gives way for two reasons does so once
	for _, expired := range f.givesWay(name) {
		for limit, seen := 1, 0; ; limit, seen = 8*limit, seen+limit { // mostly the very first one does
			blocks, err := expired(pool.UID, limit, seen)
			if err != nil {
				return at, err
			}
			if err := f.addFree(pool, free, around, blocks, length); err != nil {
				return at, err
			}
			for _, b := range blocks {
				if given[b] {
					continue
				}
				given[b] = true
				if err := free.Release(b); err != nil {
					return at, err
				}
				at, err := free.Allocate(pool.Strategy, length)
				if !errors.Is(err, alloc.ErrNoFit) {
					return at, err
				}
			}
			if len(blocks) < limit {
				break
			}
		}
	}
	largest, _ := free.Largest()
	return at, f.exhausted(pool, length, largest)
}

// givesWay lists the blocks of a pool that give way to a name, in the order in which they do. A reservation that has run out
// promises nobody anything, nor does a quarantine that has ended, so those go before holds, which a late apply may still come for.
func (f Asker) givesWay(name string) []func(pool ipam.UID, limit, skip int) ([]netip.Prefix, error) {
	type look = func(pool ipam.UID, limit, skip int) ([]netip.Prefix, error)
	expired := func(look func(ipam.UID, time.Time, int, int) ([]netip.Prefix, error)) look {
		return func(pool ipam.UID, limit, skip int) ([]netip.Prefix, error) { return look(pool, f.Due, limit, skip) }
	}
	looks := []look{expired(f.Tx.ExpiredReservationsIn), expired(f.Tx.EndedQuarantinesIn), expired(f.Tx.ExpiredHolds), expired(f.Tx.ExpiredDrafts)}
	if !f.Plan.Displaces() {
		return looks
	}
	outdated := func(look func(pool, principal ipam.UID, plan ipam.Plan, name string, limit, skip int) ([]netip.Prefix, error)) look {
		return func(pool ipam.UID, limit, skip int) ([]netip.Prefix, error) {
			return look(pool, f.Principal, f.Plan, name, limit, skip)
		}
	}
	return append(looks, outdated(f.Tx.OutdatedHolds), outdated(f.Tx.OutdatedDrafts), f.left)
}

// addFree adds to a tree the free blocks that can make one of a length together with one of the blocks: all that lie in the
// block of that length around it. Done notes what the tree has. One look serves as many as it reaches.
func (f Asker) addFree(pool ipam.Pool, tree *alloc.Tree, done map[netip.Prefix]bool, blocks []netip.Prefix, length int) error {
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
			leaves, err := f.Tx.Leaves(pool).After(reached, enough)
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

// addHeld adds to the error of a pool without room what plans hold in it: applied it is taken, and thrown away it may be released. What
// this very write has placed goes with it.
func (f Asker) addHeld(pool ipam.Pool, e *ipam.Error) error {
	const most = 100
	holds, err := f.Tx.StandingHolds(pool.UID, f.Due, most)
	if err != nil {
		return err
	}
	drafts, err := f.Tx.StandingDrafts(pool.UID, f.Due, most)
	more := len(holds) == most || len(drafts) == most
	holds = slices.DeleteFunc(holds, func(h ipam.Hold) bool { return h.CreatedAt.Equal(f.At) })
	drafts = slices.DeleteFunc(drafts, func(d ipam.Pool) bool { return d.CreatedAt.Equal(f.At) })
	if err == nil {
		e.AddHeld(holds, drafts, more)
	}
	return err
}

// exhausted says what would fit instead; could is the length of the largest block that taking what expired would give, 0
// for none.
func (f Asker) exhausted(pool ipam.Pool, length, could int) error {
	leaf, err := f.Tx.Leaves(pool).Largest()
	if err != nil && !errors.Is(err, alloc.ErrNoFit) {
		return err
	}
	if err == nil && (could == 0 || leaf.Bits() < could) {
		could = leaf.Bits()
	}
	var largest *int
	if could > 0 {
		largest = &could
	}
	e := NoRoom(pool.ID, length, largest)
	if err := errors.Join(f.addHeld(pool, e), AddQuarantined(f.Tx, pool.UID, f.Due, e), AddNearest(f.Tx, f.Sees, pool, length, e)); err != nil {
		return err
	}
	return e
}
