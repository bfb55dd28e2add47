package registry

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// member is a member of a set as it shall be.
type member struct {
	key    string
	size   ipam.BlockSize
	length int // what the size comes to in the pool
}

// members sizes the members of a set for a pool, in the order to place them: those that name their CIDR, those that come
// back to a block, then the largest first and those of one length by key. So one set, asked of one state of a pool, has one
// answer, and what is new to the set never takes the place of what is not. The caller holds the pool's lock.
func (c edit) members(pool ipam.Pool, set string, sizes ipam.SetSizes) ([]member, error) {
	if err := sizes.CheckFor(ipam.Family(pool.CIDR)); err != nil {
		return nil, err
	}
	all, err := sizes.All()
	if err != nil {
		return nil, err
	}
	wanted, err := sized(pool, all, sizes.At)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, m := range wanted {
		if known[m.key], err = c.comesBack(pool, ipam.MemberName(set, m.key), m.length); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(wanted, func(a, b member) int {
		return cmp.Or(trueFirst(a.size.CIDR.IsValid(), b.size.CIDR.IsValid()), trueFirst(known[a.key], known[b.key]))
	})
	return wanted, nil
}

// sized sizes members for a pool that knows none of them, in the order to place them. The error, of the first one that
// cannot be sized, is told by its key; the others are answered nevertheless.
func sized(pool ipam.Pool, all map[string]ipam.BlockSize, tell func(string, error) error) (wanted []member, err error) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		length, wrong := all[key].LengthIn(pool)
		switch {
		case wrong == nil:
			wanted = append(wanted, member{key, all[key], length})
		case err == nil:
			err = tell(key, wrong)
		}
	}
	slices.SortFunc(wanted, func(a, b member) int {
		return cmp.Or(trueFirst(a.size.CIDR.IsValid(), b.size.CIDR.IsValid()), cmp.Compare(a.length, b.length), cmp.Compare(a.key, b.key))
	})
	return wanted, err
}

// comesBack reports whether a name has a block to come back to: one that it was promised, or had.
func (c edit) comesBack(pool ipam.Pool, name string, length int) (bool, error) {
	if _, found, err := c.Tx.HoldNamed(pool.UID, name, length); found || err != nil {
		return found, err
	}
	_, found, err := c.Tx.LastBlock(pool.UID, ipam.KindAllocation, name, ipam.Family(pool.CIDR), length)
	return found, err
}

// reshape makes the members of a set what the sizes say and answers those that were there before and still are. The caller
// holds the pool's lock.
func (c edit) reshape(pool ipam.Pool, set ipam.AllocationSet, has []ipam.Allocation, sizes ipam.SetSizes) ([]ipam.Allocation, error) {
	wanted, err := c.members(pool, set.Name, sizes)
	if err != nil {
		return nil, err
	}
	stay, fresh, leave := sortMembers(has, wanted)
	for _, a := range leave { // its name is free for its successor, its block is not yet
		if err := c.Tx.DeleteAllocation(a.ID); err != nil {
			return nil, err
		}
	}
	for i, s := range stay { // what names a CIDR around its own needs room that nobody else may take
		if s.to.Bits() < s.CIDR.Bits() {
			if stay[i], err = c.resizeMember(pool, s); err != nil {
				return nil, sizes.At(s.SetKey, err)
			}
		}
	}
	for _, m := range fresh {
		if _, err := c.allocate(pool, set.Member(m.key, m.size)); err != nil {
			return nil, sizes.At(m.key, err)
		}
	}
	for i, s := range stay {
		if s.to != s.CIDR {
			if stay[i], err = c.resizeMember(pool, s); err != nil {
				return nil, sizes.At(s.SetKey, err)
			}
		}
	}
	for _, a := range leave {
		if err := c.release(pool, a); err != nil {
			return nil, err
		}
	}
	after := make([]ipam.Allocation, 0, len(stay))
	for _, s := range stay {
		after = append(after, s.Allocation)
	}
	return after, nil
}

// staying is a member that keeps its place, and the block that it has there in the end.
type staying struct {
	ipam.Allocation
	to netip.Prefix
}

// sortMembers tells the members that stay from those that are new or get another block, in the order to place them, and
// those that go or have a successor.
func sortMembers(has []ipam.Allocation, wanted []member) (stay []staying, fresh []member, leave []ipam.Allocation) {
	was := map[string]ipam.Allocation{}
	for _, a := range has {
		was[a.SetKey] = a
	}
	kept := map[string]bool{}
	for _, m := range wanted {
		if a, found := was[m.key]; found {
			if to, stays := a.StaysAt(m.size, m.length); stays {
				stay, kept[m.key] = append(stay, staying{a, to}), true
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

func (c edit) resizeMember(pool ipam.Pool, s staying) (staying, error) {
	if err := c.resizeAllocation(pool, s.Allocation, s.to); err != nil {
		return s, err
	}
	after := s.Allocation
	after.CIDR, after.Version, after.UpdatedAt = s.to, s.Version+1, c.At
	if err := c.Tx.UpdateAllocation(after, c.At); err != nil {
		return s, err
	}
	return staying{after, s.to}, c.Record(allocationObject(after), "updated", s.Allocation, after)
}
