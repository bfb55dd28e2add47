package choose

import (
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Renamed is an allocation with what the plan will call it.
type Renamed struct {
	ipam.Allocation
	NewName string
}

// PendingName is CodeReleasePending where the caller's plan releases what has a name.
func (f Asker) PendingName(pool ipam.Pool, a ipam.Allocation) error {
	if a.Superseded {
		return nil
	}
	at := ipam.Prefix{Owner: a.ID, In: pool.Inside(), CIDR: a.CIDR, Status: ipam.StatusAllocated, Kind: ipam.KindAllocation, Name: a.Name}
	left, err := f.IsLeft(pool, at)
	if left && err == nil {
		return ipam.ReleasePending(a.CIDR, []ipam.Prefix{at})
	}
	return err
}

// Renames is the row of allocations that leave their names one for the other, from the one that has a name which is asked for to the
// one whose new name is free, or is that of what asks (to, where that is an allocation). None when the first keeps its name;
// CodeNameTaken when a later one does.
func (f Asker) Renames(pool ipam.Pool, from ipam.Allocation, to *ipam.Allocation) (row []Renamed, err error) {
	for a := from; ; {
		name, renamed, err := f.NewName(a)
		if err != nil {
			return nil, err
		}
		if !renamed || slices.ContainsFunc(row, func(r Renamed) bool { return r.ID == a.ID }) {
			if len(row) == 0 {
				return nil, nil
			}
			return nil, ipam.NameInPool(pool, a)
		}
		row = append(row, Renamed{a, name})
		if to != nil && name == to.Name {
			return row, nil
		}
		a, err = f.Tx.AllocationNamed(pool.UID, name)
		switch {
		case ipam.CodeOf(err) == ipam.CodeNotFound:
			return row, nil
		case err != nil:
			return nil, err
		}
	}
}
