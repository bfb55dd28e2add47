package choose

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// InQuarantine is the block that a plan asks to hold where that is in quarantine and the name's own, or the allocation's that is to grow:
// the quarantine goes on until the plan is applied.
func (f Asker) InQuarantine(pool ipam.Pool, in ipam.NewHold) (netip.Prefix, bool, error) {
	at := in.CIDR
	if !at.IsValid() {
		length, err := in.LengthIn(pool)
		if err != nil {
			return at, false, err
		}
		last, left, err := f.Tx.LastBlock(pool.UID, ipam.KindAllocation, in.Name, ipam.Family(pool.CIDR), length)
		if err != nil || !left {
			return at, false, err
		}
		at = last
	}
	q, there, err := f.Tx.QuarantineAt(pool.UID, at)
	grows, _ := ipam.Hold{Name: in.Name}.GrowthOf()
	return at, there && q.Belongs(pool.UID, in.Name, grows) && !in.Excludes(at), err
}

// OnlyQuarantined reports whether a block of a space has something in it, and nothing but what is in quarantine.
func OnlyQuarantined(tx *store.Tx, space ipam.UID, at netip.Prefix) (bool, error) {
	some, only := false, true
	err := tx.EachPrefix(space, at, func(p ipam.Prefix) error {
		some, only = true, only && p.Kind == ipam.KindQuarantine && at.Bits() <= p.CIDR.Bits()
		return nil
	})
	return some && only, err
}

// HeldOf is the hold that a plan has of a block in quarantine; false when none has. It may have run out.
func HeldOf(tx *store.Tx, q ipam.Quarantine) (ipam.Hold, bool, error) {
	for _, name := range []string{q.Name, ipam.GrowthHold(q.Allocation)} {
		h, found, err := tx.HoldNamed(q.PoolUID, name, q.CIDR.Bits())
		if err != nil || found && h.Kept && h.Inherits && h.CIDR == q.CIDR {
			return h, err == nil, err
		}
	}
	return ipam.Hold{}, false, nil
}

// Taken is the refusal of a block that has something in it, with what there is to say of quarantine.
func (f Asker) Taken(at netip.Prefix, standing []ipam.Prefix) error {
	e := ipam.Taken(at, standing)
	if standing[0].Kind != ipam.KindQuarantine {
		return e
	}
	q, err := f.Tx.Quarantine(ipam.Everything, standing[0].Owner)
	if err != nil {
		return err
	}
	e.Detail = fmt.Sprintf("%s is taken: %s", at, q.Why())
	e.Fields = []ipam.FieldError{{Pointer: "/cidr", Detail: e.Detail}}
	return e
}

// AddQuarantined adds to the error of a pool without room how much of it is in quarantine.
func AddQuarantined(tx *store.Tx, pool ipam.UID, now time.Time, e *ipam.Error) error {
	const most = 1000
	n, next, err := tx.StandingQuarantines(pool, now, most)
	switch {
	case err != nil || n == 0:
		return err
	case n == 1:
		e.Detail += "; " + next.Why()
	case n == most:
		e.Detail += fmt.Sprintf("; %d blocks and more are in quarantine, of which the first ends: %s", most, next.Why())
	default:
		e.Detail += fmt.Sprintf("; %d blocks are in quarantine, of which the first ends: %s", n, next.Why())
	}
	return nil
}

// Ours reports whether all that stands in the block that a name had last is the name's own, in quarantine: of a pool, whatever is.
func Ours(tx *store.Tx, pool ipam.Pool, kind ipam.Kind, name string, last netip.Prefix) (bool, error) {
	if kind == ipam.KindPool {
		return OnlyQuarantined(tx, pool.UID, last)
	}
	q, there, err := tx.QuarantineAt(pool.UID, last)
	return there && q.Belongs(pool.UID, name, ""), err
}

// KeepsReleased reports whether a hold is of a block that a plan leaves, and that goes into quarantine instead, or has in it what does:
// that of an owner of a kind.
func (f Asker) KeepsReleased(pool ipam.Pool, h ipam.Hold, kind ipam.Kind, owner string) (bool, error) {
	if !h.OfLeaving() {
		return false, nil
	}
	if kind == ipam.KindPool {
		inside, err := f.Tx.QuarantinesOf(ipam.UID(owner), h.CIDR)
		if len(inside) > 0 || err != nil {
			return true, err
		}
	}
	return f.keepsReleased(pool.UID)
}

// Restorable is the quarantine of the block of an allocation that can be restored. Errors: CodeNotFound when there is none to see,
// CodePreconditionFailed when it lives, or its pool is gone.
func Restorable(tx *store.Tx, see ipam.Visible, allocation string) (ipam.Quarantine, error) {
	if a, err := tx.Allocation(see, allocation); err == nil {
		return ipam.Quarantine{}, ipam.Errorf(ipam.CodePreconditionFailed, "allocation %s has not been released: it holds %s in pool %s", a.ID, a.CIDR, a.Pool)
	}
	left, err := tx.QuarantinesLeftBy(allocation)
	if err != nil {
		return ipam.Quarantine{}, err
	}
	for _, q := range left {
		if q, err = tx.Quarantine(see, q.ID); ipam.CodeOf(err) == ipam.CodeNotFound {
			continue
		} else if err != nil {
			return q, err
		}
		switch {
		case q.Was == nil: // what it gave up before
		case q.PoolUID != q.Origin:
			return q, ipam.Errorf(ipam.CodePreconditionFailed, "pool %s, which %s was of, is gone; make a pool of that name around %s, and restore it then", q.Was.Pool, allocation, q.CIDR)
		default:
			return q, nil
		}
	}
	return ipam.Quarantine{}, ipam.Errorf(ipam.CodeNotFound, "no allocation %q is in quarantine: its block is free, or something else has it by now", allocation)
}

// MemberAgain is the set that an allocation comes back to; a zero set, and it is in none, where that is gone or has another member of its
// key.
func MemberAgain(tx *store.Tx, a *ipam.Allocation) (ipam.AllocationSet, error) {
	if a.Set == "" {
		return ipam.AllocationSet{}, nil
	}
	set, err := tx.AllocationSet(ipam.Everything, a.Set)
	if err == nil && !slices.ContainsFunc(set.Members, func(m ipam.SetMember) bool { return m.Key == a.SetKey }) && a.Name == ipam.MemberName(set.Name, a.SetKey) {
		return set, nil
	}
	a.Set, a.SetKey = "", ""
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		err = nil
	}
	return ipam.AllocationSet{}, err
}
