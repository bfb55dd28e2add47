package choose

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// PoolsIn lists the pools that stand wholly in a block of a space, in the order in which they are locked. In a draft, these are the
// pools that it encloses.
func PoolsIn(tx *store.Tx, space ipam.UID, at netip.Prefix) (inside []ipam.Prefix, err error) {
	err = tx.EachPrefix(space, at, func(p ipam.Prefix) error {
		if of, encloses := p.Encloses(); encloses {
			pool, err := tx.Pool(ipam.Everything, string(of))
			if err != nil && ipam.CodeOf(err) != ipam.CodeNotFound { // one that was deleted is held for still
				return err
			}
			p.Owner, p.Kind, p.Status, p.Name = string(of), ipam.KindPool, ipam.StatusAllocated, pool.Name
		}
		if p.Kind == ipam.KindPool && p.Status == ipam.StatusAllocated && at.Bits() <= p.CIDR.Bits() {
			inside = append(inside, p)
		}
		return nil
	})
	slices.SortFunc(inside, func(a, b ipam.Prefix) int {
		return cmp.Or(cmp.Compare(a.CIDR.Bits(), b.CIDR.Bits()), cmp.Compare(a.Owner, b.Owner))
	})
	return inside, err
}

// Enclosing is the draft of an id that encloses a pool; a zero pool when it does not.
func Enclosing(tx *store.Tx, draft string, pool ipam.Pool) (ipam.Pool, error) {
	of, err := tx.Pool(ipam.Everything, draft)
	if err != nil || !of.DraftEncloses {
		return ipam.Pool{}, err
	}
	h, found, err := tx.HoldNamed(of.UID, ipam.EnclosedHold(pool.UID), pool.CIDR.Bits())
	if err != nil || !found || !h.Kept || h.CIDR != pool.CIDR {
		return ipam.Pool{}, err
	}
	return of, nil
}

// EnclosesStill reports whether the pools in the CIDR of a draft are those that it encloses. The caller holds the locks of the draft and
// of the space around it.
func EnclosesStill(tx *store.Tx, draft ipam.Pool) (bool, error) {
	if !draft.DraftEncloses {
		return true, nil
	}
	inside, err := PoolsIn(tx, draft.Space(), draft.CIDR)
	if err != nil {
		return false, err
	}
	held, err := PoolsIn(tx, draft.UID, draft.CIDR)
	return slices.EqualFunc(inside, held, func(a, b ipam.Prefix) bool { return a.Owner == b.Owner && a.CIDR == b.CIDR }), err
}
