package choose

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Member is a member of a set as it shall be.
type Member struct {
	Key    string
	Size   ipam.BlockSize
	Length int // what the size comes to in the pool
}

// Sized sizes members for a pool that knows none of them, in the order to place them. The error, of the first one that
// cannot be sized, is told by its key; the others are answered nevertheless.
func Sized(pool ipam.Pool, all map[string]ipam.BlockSize, tell func(string, error) error) (wanted []Member, err error) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		length, wrong := all[key].LengthIn(pool)
		switch {
		case wrong == nil:
			wanted = append(wanted, Member{key, all[key], length})
		case err == nil:
			err = tell(key, wrong)
		}
	}
	Order(wanted, nil)
	return wanted, err
}

// Members sizes the members of a set for a pool, in the order of Order. So one set, asked of one state of a pool, has one answer, and
// what is new to the set never takes the place of what is not. The caller holds the pool's lock.
func Members(tx *store.Tx, pool ipam.Pool, set string, sizes ipam.SetSizes) ([]Member, error) {
	if err := sizes.CheckFor(ipam.Family(pool.CIDR)); err != nil {
		return nil, err
	}
	all, err := sizes.All()
	if err != nil {
		return nil, err
	}
	wanted, err := Sized(pool, all, sizes.At)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, m := range wanted {
		if known[m.Key], err = comesBack(tx, pool, ipam.MemberName(set, m.Key), m.Length); err != nil {
			return nil, err
		}
	}
	Order(wanted, known)
	return wanted, nil
}

// comesBack reports whether a name has a block to come back to: one that it was promised, or had.
func comesBack(tx *store.Tx, pool ipam.Pool, name string, length int) (bool, error) {
	if _, found, err := tx.HoldNamed(pool.UID, name, length); found || err != nil {
		return found, err
	}
	_, found, err := tx.LastBlock(pool.UID, ipam.KindAllocation, name, ipam.Family(pool.CIDR), length)
	return found, err
}

// Adoptable is the allocation that a set takes over as a member. One that is in a set, or makes way for its successor, is none.
func Adoptable(tx *store.Tx, pool ipam.Pool, name string, m Member, adopt bool) (ipam.Allocation, bool, error) {
	if !adopt {
		return ipam.Allocation{}, false, nil
	}
	a, err := tx.AllocationNamed(pool.UID, name)
	switch {
	case ipam.CodeOf(err) == ipam.CodeNotFound:
		return ipam.Allocation{}, false, nil
	case err != nil || a.Set != "" || a.Superseded:
		return ipam.Allocation{}, false, err
	}
	return a, true, a.CheckAdopts(m.Size, m.Length)
}

// Order sorts members into the order to place them: those that name their CIDR, those whose keys come back to a block, then
// the largest first and those of one length by key.
func Order(members []Member, comeBack map[string]bool) {
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(
			trueFirst(a.Size.CIDR.IsValid(), b.Size.CIDR.IsValid()), trueFirst(comeBack[a.Key], comeBack[b.Key]),
			cmp.Compare(a.Length, b.Length), cmp.Compare(a.Key, b.Key),
		)
	})
}

// Staying is a member that keeps its place, and the block that it has there in the end.
type Staying struct {
	ipam.Allocation
	To netip.Prefix
}

// Sort tells the members that stay from those that are new or get another block, in the order to place them, and those that go
// or have a successor.
func Sort(has []ipam.Allocation, wanted []Member) (stay []Staying, fresh []Member, leave []ipam.Allocation) {
	was := map[string]ipam.Allocation{}
	for _, a := range has {
		was[a.SetKey] = a
	}
	kept := map[string]bool{}
	for _, m := range wanted {
		if a, found := was[m.Key]; found {
			if to, stays := a.StaysAt(m.Size, m.Length); stays {
				stay, kept[m.Key] = append(stay, Staying{a, to}), true
				continue
			}
		}
		fresh = append(fresh, m)
	}
	for _, a := range has {
		if !kept[a.SetKey] {
			leave = append(leave, a)
		}
	}
	return stay, fresh, leave
}

// trueFirst puts what has a property ahead of what has not.
func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}
