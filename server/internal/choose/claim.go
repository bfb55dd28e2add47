package choose

import "github.com/cloudpam/cloudpam/server/internal/ipam"

// Claim asks a pool for a block.
type Claim struct {
	Kind  ipam.Kind
	Owner string // the id of what will own it
	Name  string
	Hold  string // of a reservation: the name of the hold that becomes it
	ipam.BlockSize
	Status ipam.Status
	Labels *ipam.Labels // nil of what has none yet, as a hold
}

// Extent is what a binding must allow of a claim of a length.
func (want Claim) Extent(length int) ipam.Extent {
	if want.Labels == nil {
		return ipam.OfBlock(length)
	}
	return ipam.OfLabelled(length, *want.Labels)
}

// HeldAs is the name of the hold that becomes what is claimed; "" when no hold does.
func (want Claim) HeldAs() string {
	switch want.Kind {
	case ipam.KindAllocation:
		return want.Name
	case ipam.KindReservation:
		return want.Hold
	}
	return ""
}

// Keeps reports whether the claim is that of a reservation, or of a plan's hold for one or for a border to move: the
// pool's size rules are not about those.
func (want Claim) Keeps() bool {
	_, planned := ipam.ReservationOf(want.Name, want.CIDR)
	planned = planned || want.CIDR.IsValid() && (ipam.Hold{Name: want.Name}.OfBorder() || want.Name == ipam.LeavingHold(want.CIDR))
	return want.Kind == ipam.KindReservation || want.Kind == ipam.KindHold && planned
}

// Own is the name whose holds are the claim's own when the same holder has them. Pools and reservations have none: a hold of their
// name is that of an allocation.
func (want Claim) Own() string {
	if want.Kind == ipam.KindPool || want.Kind == ipam.KindReservation {
		return ""
	}
	return want.Name
}
