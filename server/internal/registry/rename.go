package registry

import (
	"cmp"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Names are handed on, and swapped, by one apply whose order nobody knows. So a plan says what each allocation will be called, in a
// hold ipam.RenameHold of the allocation's own block. Whoever asks for a name first has all the renames done that its name waits for.

// renameAllocation gives an allocation another name. The caller writes the allocation.
func (c edit) renameAllocation(pool ipam.Pool, a ipam.Allocation, name string) error {
	if err := ipam.CheckFreeName("/name", name); err != nil {
		return err
	}
	taken := c.nameFree(pool, name)
	if ipam.CodeOf(taken) == ipam.CodeNameTaken {
		before, err := c.Tx.AllocationNamed(pool.UID, name)
		if err != nil {
			return err
		}
		handed, err := c.handOn(pool, before, &a)
		switch {
		case err != nil:
			return err
		case handed:
			taken = nil
		}
	}
	if taken != nil {
		return taken
	}
	if err := c.disinherit(pool, a); err != nil {
		return err
	}
	return c.Tx.RenamePrefix(a.ID, name)
}

// disinherit lets nothing follow an allocation under the name that it leaves, and ends what was planned of its name.
func (c edit) disinherit(pool ipam.Pool, a ipam.Allocation) error {
	heirs, err := c.Tx.HoldsFor(pool.UID, cmp.Or(a.Set, a.ID))
	if err != nil {
		return err
	}
	for _, h := range heirs {
		if _, renames := h.NewName(); renames && h.Replaces == a.ID || h.Inherits && h.Name == a.Name {
			if err := c.dropHold(pool, h, "released"); err != nil {
				return err
			}
		}
	}
	return nil
}

// handOn makes an allocation leave its name for the one that is planned, and whatever has that before it; false when it is to keep
// its own. To, which gets the name, may be last in that row: then its own name is free for the one before it.
func (c edit) handOn(pool ipam.Pool, from ipam.Allocation, to *ipam.Allocation) (bool, error) {
	row, err := c.asks().Renames(pool, from, to)
	switch {
	case err != nil:
		return false, err
	case len(row) == 0:
		return false, c.asks().PendingName(pool, from)
	}
	if to != nil { // the caller writes its new name
		aside := *to
		aside.Name = "~" + aside.ID
		if err := c.Tx.PutInSet(aside); err != nil {
			return false, err
		}
	}
	for _, s := range slices.Backward(row) {
		after := s.Allocation
		after.Name = s.NewName
		if err := c.renameAllocation(pool, s.Allocation, s.NewName); err != nil {
			return false, err
		}
		if _, err := c.changed(s.Allocation, after, "updated"); err != nil {
			return false, err
		}
	}
	return true, nil
}
