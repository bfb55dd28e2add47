package ipam

import (
	"errors"
	"fmt"
	"strings"
)

// MostEnclosed is how many pools one request puts another above.
const MostEnclosed = 256

const enclosed = "enclosed:"

// EnclosedHold is the name of what a draft that encloses a pool holds for it.
func EnclosedHold(pool UID) string { return enclosed + string(pool) }

// Encloses is the pool that a hold in a draft is for, which the draft encloses; false when it is for something else.
func (h Hold) Encloses() (UID, bool) {
	pool, is := strings.CutPrefix(h.Name, enclosed)
	return UID(pool), is
}

// Encloses is that of the hold which a prefix is of.
func (p Prefix) Encloses() (UID, bool) {
	if p.Kind != KindHold {
		return "", false
	}
	return Hold{Name: p.Name}.Encloses()
}

// EnclosingLane is the lane of a change that locks the space around a pool, and many pools in it where it encloses them: one of its own,
// as that of a move.
func EnclosingLane(p Pool, encloses bool) string {
	if encloses {
		return "enclose " + p.Lane()
	}
	return p.Lane()
}

func (n NewPool) checkEncloses() error {
	switch {
	case !n.Encloses:
		return nil
	case n.Selector != nil:
		return Invalid("/encloses", "a pool that encloses others names its parent; leave pool_selector out")
	case !n.CIDR.IsValid():
		return Invalid("/encloses", "a pool that encloses others names its cidr")
	}
	return nil
}

// Refused says of the refusal of a CIDR which way there is, where pools that stand in it are in the way, and why there is none.
func (n NewPool) Refused(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != CodeCIDRTaken || !n.CIDR.IsValid() || len(e.Holders) == 0 {
		return err
	}
	for _, h := range e.Holders {
		in := h.CIDR.Bits() > n.CIDR.Bits() && n.CIDR.Contains(h.CIDR.Addr())
		switch {
		case n.Encloses && h.CIDR.Contains(n.CIDR.Addr()) && h.CIDR.Bits() < n.CIDR.Bits():
			e.Detail = fmt.Sprintf("%s is taken: %s %q holds %s, which is around it", n.CIDR, h.Kind, h.Name, h.CIDR)
		case n.Encloses:
			e.Detail = fmt.Sprintf("%s cannot enclose %s %q, which holds %s: only pools that stand already become its children", n.CIDR, h.Kind, h.Name, h.CIDR)
		case h.Kind != KindPool || !in:
			return err
		default:
			continue
		}
		e.Fields = []FieldError{{Pointer: "/cidr", Detail: e.Detail}}
		return err
	}
	e.Detail += "; with encloses = true this pool is put above the pools in it"
	e.Fields = []FieldError{{Pointer: "/cidr", Detail: e.Detail}}
	return err
}

// TooManyEnclosed is the refusal of a pool above more than MostEnclosed pools.
func TooManyEnclosed(n NewPool) error {
	return Invalid("/cidr", "more than %d pools stand in %s; put pools above some of them first", MostEnclosed, n.CIDR)
}
