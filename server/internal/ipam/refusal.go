package ipam

import (
	"net/netip"
	"time"
)

// Taken is the refusal of a block that has something in it.
func Taken(at netip.Prefix, blockers []Prefix) error {
	e := Errorf(CodeCIDRTaken, "%s is taken", at)
	if len(blockers) > 0 {
		b := blockers[0]
		e = Errorf(CodeCIDRTaken, "%s is taken: %s %q holds %s", at, b.Kind, b.Name, b.CIDR)
	}
	e.Holders = Holders(blockers)
	e.Fields = []FieldError{{Pointer: "/cidr", Detail: e.Detail}}
	return e
}

// Holders says of prefixes what people know them by.
func Holders(prefixes []Prefix) []Holder {
	out := make([]Holder, 0, len(prefixes))
	for _, p := range prefixes {
		out = append(out, Holder{Kind: p.Kind, ID: p.OwnerID(), Name: p.Name, CIDR: p.CIDR})
	}
	return out
}

// HeldByOther is the refusal of a name that somebody else's plan holds.
func HeldByOther(h Hold) error {
	who := h.Actor
	if h.Holder != "" {
		who += " (" + h.Holder + ")"
	}
	instead := "choose another name"
	if h.Grows() {
		instead = "wait until then"
	}
	e := Errorf(CodeHoldConflict, "%s in pool %s is held by a plan of %s until %s; %s, or release the hold %s", h.For(), h.Pool, who, h.ExpiresAt.Format(time.RFC3339), instead, h.ID)
	e.Fields = []FieldError{{Pointer: "/name", Detail: e.Detail}}
	e.Holders = []Holder{{Kind: KindHold, ID: h.ID, Name: h.Name, CIDR: h.CIDR}}
	return e
}

// Outdated says that a newer plan was promised another block for the name.
func Outdated(pool Pool, now Hold, block netip.Prefix) error {
	e := Errorf(CodeHoldLost, "this plan was promised %s for %q in pool %s, and a newer one %s; plan again and apply that", block, now.Name, pool.ID, now.CIDR)
	e.Fields = []FieldError{{Pointer: "/cidr", Detail: e.Detail}}
	return e
}

// NameTaken is the refusal of a name that something of a kind has.
func NameTaken(kind, name string) error {
	e := Errorf(CodeNameTaken, "there is already a %s %q", kind, name)
	e.Fields = []FieldError{{Pointer: "/name", Detail: e.Detail}}
	return e
}
