package registry

import (
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// members sizes the members of a set for a pool, in the order of choose.Order. So one set, asked of one state of a pool, has
// one answer, and what is new to the set never takes the place of what is not. The caller holds the pool's lock.
func (c edit) members(pool ipam.Pool, set string, sizes ipam.SetSizes) ([]choose.Member, error) {
	if err := sizes.CheckFor(ipam.Family(pool.CIDR)); err != nil {
		return nil, err
	}
	all, err := sizes.All()
	if err != nil {
		return nil, err
	}
	wanted, err := choose.Sized(pool, all, sizes.At)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, m := range wanted {
		if known[m.Key], err = c.comesBack(pool, ipam.MemberName(set, m.Key), m.Length); err != nil {
			return nil, err
		}
	}
	choose.Order(wanted, known)
	return wanted, nil
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
	stay, fresh, leave := choose.Sort(has, wanted)
	for _, a := range leave { // its name is free for its successor, its block is not yet
		if err := c.Tx.DeleteAllocation(a.ID); err != nil {
			return nil, err
		}
	}
	for i, s := range stay { // what names a CIDR around its own needs room that nobody else may take
		if s.To.Bits() < s.CIDR.Bits() {
			if stay[i], err = c.resizeMember(pool, s); err != nil {
				return nil, sizes.At(s.SetKey, err)
			}
		}
	}
	for _, m := range fresh {
		if _, err := c.allocate(pool, set.Member(m.Key, m.Size)); err != nil {
			return nil, sizes.At(m.Key, err)
		}
	}
	for i, s := range stay {
		if s.To != s.CIDR {
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

func (c edit) resizeMember(pool ipam.Pool, s choose.Staying) (choose.Staying, error) {
	if err := c.resizeAllocation(pool, s.Allocation, s.To); err != nil {
		return s, err
	}
	after := s.Allocation
	after.CIDR, after.Version, after.UpdatedAt = s.To, s.Version+1, c.At
	if err := c.Tx.UpdateAllocation(after, c.At); err != nil {
		return s, err
	}
	return choose.Staying{Allocation: after, To: s.To}, c.Record(allocationObject(after), "updated", s.Allocation, after)
}
