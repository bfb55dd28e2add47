package ipam

import "cmp"

// Ask is one thing that a plan asks for: one of the three.
type Ask struct {
	Hold  *NewHold
	Set   *NewSetHolds
	Draft *NewPool
	Plan  Plan // of a draft
}

// Lane is the lane of an ask; "" of one that is asked by itself: which chooses its pool, or is refused before it is tried.
func (a Ask) Lane() string {
	switch {
	case a.Draft != nil:
		if a.Draft.Selector != nil || a.Draft.Check() != nil || a.Plan.Check() != nil {
			return ""
		}
		p := a.Draft.Pool()
		return p.Lane()
	case a.Hold != nil:
		if a.Hold.Selector != nil || a.Hold.CheckAll() != nil {
			return ""
		}
		return a.Hold.Pool
	case a.Set.Selector != nil || a.Set.Updates != "" || a.Set.Check() != nil:
		return ""
	}
	return a.Set.Pool
}

// Compare orders asks: what names its CIDR first, then the largest, pools before what is in none, then by name.
func (a Ask) Compare(b Ask) int {
	named, size, name := a.rank()
	otherNamed, otherSize, otherName := b.rank()
	return cmp.Or(cmp.Compare(named, otherNamed), cmp.Compare(size, otherSize), cmp.Compare(name, otherName))
}

func (a Ask) rank() (named, size int, name string) {
	block, name := BlockSize{}, ""
	switch {
	case a.Draft != nil:
		block, name = BlockSize{CIDR: a.Draft.CIDR, Length: a.Draft.Length}, a.Draft.Name
	case a.Hold != nil:
		block, name = a.Hold.BlockSize, a.Hold.Name
	default: // packed by itself
		return 1, 0, a.Set.Name
	}
	switch {
	case block.CIDR.IsValid():
		return 0, block.CIDR.Bits(), name
	case block.Length != nil:
		return 1, *block.Length, name
	}
	return 1, 129, name
}
