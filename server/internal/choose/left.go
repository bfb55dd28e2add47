package choose

import (
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// LeftBy reports whether a hold is of a block that the caller's plan leaves, or left.
func (f Asker) LeftBy(h ipam.Hold) bool {
	return h.OfLeaving() && h.Kept && !h.Expired(f.Due) && h.Belongs(f.Principal, f.Plan.Holder)
}

// Gone reports whether a promise over what a plan leaves is void: it has run out, or is of a plan that was thrown away.
func (f Asker) Gone(h ipam.Hold) bool { return h.Expired(f.Due) || h.OutdatedBy(f.Principal, f.Plan) }

// left lists the blocks of a pool that the caller's plan leaves, without what it has promised of them already.
func (f Asker) left(pool ipam.UID, _, skip int) (blocks []netip.Prefix, err error) {
	if skip > 0 {
		return nil, nil
	}
	if kept, err := f.keepsReleased(pool); kept || err != nil {
		return nil, err
	}
	inherit, err := f.Tx.Inheriting(pool)
	if err != nil {
		return nil, err
	}
	for _, h := range inherit {
		if f.LeftBy(h) {
			blocks = append(blocks, h.CIDR)
		}
	}
	for _, h := range inherit {
		if h.OverOthers() && !f.Gone(h) {
			blocks = without(blocks, h.CIDR)
		}
	}
	return blocks, nil
}

// mayLeave reports whether a prefix is of something that a plan can leave, and leaves as a whole: a hold and a draft are none, and what is
// released in a pool that keeps it, or is in quarantine there already, stays behind where the pool was.
func (f Asker) mayLeave(p ipam.Prefix) (bool, error) {
	if p.Kind != ipam.KindPool || p.Status == ipam.StatusHeld {
		return p.Kind == ipam.KindAllocation || p.Kind == ipam.KindReservation, nil
	}
	kept, err := f.keepsReleased(ipam.UID(p.Owner))
	if kept || err != nil {
		return false, err
	}
	inside, err := f.Tx.QuarantinesOf(ipam.UID(p.Owner), p.CIDR)
	return len(inside) == 0, err
}

// keepsReleased reports whether what is released in a pool goes into quarantine, so that it is no room for what the same plan puts there.
func (f Asker) keepsReleased(pool ipam.UID) (bool, error) {
	p, err := f.Tx.Pool(ipam.Everything, string(pool))
	if err != nil {
		return false, err
	}
	length, err := f.Tx.QuarantineLength(p)
	return length > 0, err
}

// without is what of some blocks is outside another.
func without(blocks []netip.Prefix, taken netip.Prefix) (rest []netip.Prefix) {
	for _, b := range blocks {
		switch {
		case !b.Overlaps(taken):
			rest = append(rest, b)
		case b.Bits() < taken.Bits():
			rest = append(rest, alloc.Buddies(b, taken)...)
		}
	}
	return rest
}
