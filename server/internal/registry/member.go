package registry

import (
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// rekey renames members where they stand and answers all as they are then. All leave their names before any takes another, so that
// keys are exchanged. The caller holds the pool's lock.
func (c edit) rekey(pool ipam.Pool, set ipam.AllocationSet, has []ipam.Allocation, patch ipam.AllocationSetPatch) ([]ipam.Allocation, error) {
	to, err := patch.Renamed.Of(has, patch.SetSizes)
	if err != nil {
		return nil, err
	}
	after := ipam.Rekeyed(has, set.Name, to)
	for i, a := range has {
		if a.SetKey != after[i].SetKey {
			a.Name, a.SetKey = a.Name+"~"+a.ID, "~"+a.ID
			if err := c.Tx.PutInSet(a); err != nil {
				return nil, err
			}
		}
	}
	for i, a := range has {
		if a.SetKey == after[i].SetKey {
			continue
		}
		if err := c.renameAllocation(pool, a, after[i].Name); err != nil {
			return nil, ipam.At("/renamed/"+after[i].SetKey, err)
		}
		if after[i], err = c.putInSet(a, after[i]); err != nil {
			return nil, err
		}
	}
	return after, nil
}

// join makes a member of a set: of the allocation that has its name, where the set adopts it, or a new one. The caller holds the
// pool's lock.
func (c edit) join(pool ipam.Pool, set ipam.AllocationSet, m choose.Member, adopt bool) error {
	in := set.Member(m.Key, m.Size)
	a, adopts, err := choose.Adoptable(c.Tx, pool, in.Name, m, adopt)
	if err != nil {
		return err
	}
	if !adopts {
		_, err := c.allocate(pool, in)
		return err
	}
	if err := c.disinherit(pool, a); err != nil {
		return err
	}
	_, err = c.putInSet(a, a.Joins(in))
	return err
}

func (c edit) putInSet(before, after ipam.Allocation) (ipam.Allocation, error) {
	if err := c.Tx.PutInSet(after); err != nil {
		return after, err
	}
	return c.changed(before, after, "updated")
}

// reshape makes the members of a set what the sizes say and answers those that were there before and still are. The caller
// holds the pool's lock.
func (c edit) reshape(pool ipam.Pool, set ipam.AllocationSet, has []ipam.Allocation, patch ipam.AllocationSetPatch) ([]ipam.Allocation, error) {
	sizes := patch.SetSizes
	wanted, err := choose.Members(c.Tx, pool, set.Name, sizes)
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
		if err := c.join(pool, set, m, patch.Adopt); err != nil {
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
		if err := c.release(pool, a, ipam.CauseReleased); err != nil {
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
	after.CIDR = s.To
	after, err := c.changed(s.Allocation, after, "updated")
	return choose.Staying{Allocation: after, To: s.To}, err
}
