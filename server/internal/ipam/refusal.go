package ipam

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Taken is the refusal of a block that has something in it.
func Taken(at netip.Prefix, blockers []Prefix) *Error {
	e := Errorf(CodeCIDRTaken, "%s is taken", at)
	if len(blockers) > 0 {
		b := blockers[0]
		e = Errorf(CodeCIDRTaken, "%s is taken: %s %q holds %s", at, b.Kind, b.Name, b.CIDR)
		if pool, encloses := b.Encloses(); encloses {
			e = Errorf(CodeCIDRTaken, "%s is taken: pool %s stands at %s, and is to be in this one", at, pool, b.CIDR)
		}
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

// NameInPool is the refusal of a name that an allocation of the pool has, or a reservation, as what its hold is for.
func NameInPool(pool Pool, a Allocation) error {
	kind, name, has := KindAllocation, a.Name, "an allocation %q in pool %s: %s holds %s"
	if of, is := ReservationOf(a.Name, a.CIDR); is {
		kind, name, has = KindReservation, of, "a reservation %q in pool %s: %s keeps %s"
	}
	e := Errorf(CodeNameTaken, "there is already "+has, name, pool.ID, a.ID, a.CIDR)
	e.Fields = []FieldError{{Pointer: "/name", Detail: e.Detail}}
	e.Holders = []Holder{{Kind: kind, ID: a.ID, Name: name, CIDR: a.CIDR}}
	return e
}

// HeldByOther is the refusal of a name that somebody else's plan holds.
func HeldByOther(h Hold) error {
	who := planner(h.Actor, h.Holder)
	instead := "choose another name"
	if h.Grows() {
		instead = "wait until then"
	}
	e := Errorf(CodeHoldConflict, "%s in pool %s is held by a plan of %s until %s; %s, or release the hold %s", h.For(), h.Pool, who, h.ExpiresAt.Format(time.RFC3339), instead, h.ID)
	e.Fields = []FieldError{{Pointer: "/name", Detail: e.Detail}}
	e.Holders = []Holder{{Kind: KindHold, ID: h.ID, Name: h.Name, CIDR: h.CIDR}}
	return e
}

func planner(actor, holder string) string {
	if holder == "" {
		return actor
	}
	return actor + " (" + holder + ")"
}

// AddHeld adds to the refusal of a pool without room what plans hold there: how much, the largest of it, whose, and until when. More
// reports whether that is not all.
func (e *Error) AddHeld(holds []Hold, drafts []Pool, more bool) {
	type held struct {
		Holder
		of    string
		until time.Time
	}
	var all []held
	for _, h := range holds {
		all = append(all, held{Holder{KindHold, h.ID, h.Name, h.CIDR}, fmt.Sprintf("for %s until %s, by a plan of %s", h.For(), h.ExpiresAt.Format(time.RFC3339), planner(h.Actor, h.Holder)), h.ExpiresAt})
	}
	for _, d := range drafts {
		what := fmt.Sprintf("for the draft of pool %q", d.ID)
		if d.DraftGrows != "" {
			what = "for a pool to grow over"
		}
		all = append(all, held{Holder{KindPool, d.ID, d.Name, d.CIDR}, fmt.Sprintf("%s until %s, by a plan of %s", what, d.DraftUntil.Format(time.RFC3339), planner(d.DraftActor, d.DraftHolder)), *d.DraftUntil})
	}
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(a, b held) int {
		return cmp.Or(cmp.Compare(a.CIDR.Bits(), b.CIDR.Bits()), a.until.Compare(b.until))
	})
	count := fmt.Sprintf("%d blocks, the largest", len(all))
	switch {
	case more:
		count = fmt.Sprintf("%d blocks and more, among them", len(all))
	case len(all) == 1:
		count = "1 block,"
	}
	e.Detail += fmt.Sprintf("; plans hold %s %s %s", count, all[0].CIDR, all[0].of)
	for _, h := range all[:min(len(all), 5)] {
		e.Holders = append(e.Holders, h.Holder)
	}
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

// DraftedByOther is the refusal of the name of a pool that somebody else's plan is to create.
func DraftedByOther(draft Pool) error {
	who := planner(draft.DraftActor, draft.DraftHolder)
	e := Errorf(CodeHoldConflict, "pool %q is planned as %s by %s until %s; choose another name, or release that draft", draft.ID, draft.CIDR, who, draft.DraftUntil.Format(time.RFC3339))
	e.Fields = []FieldError{{Pointer: "/name", Detail: e.Detail}}
	return e
}

// ReleasePending is the refusal of a block that is to be had once what the caller's plan releases there has gone.
func ReleasePending(at netip.Prefix, leaving []Prefix) error {
	e := Errorf(CodeReleasePending, "%s is to be had once %s %q is released, which holds %s", at, leaving[0].Kind, leaving[0].Name, leaving[0].CIDR)
	e.Holders = Holders(leaving)
	e.Fields = []FieldError{{Pointer: "/cidr", Detail: e.Detail}}
	return e
}

// ShownBefore asks to plan again: one plan was shown a block by size, and then asks for it by its CIDR.
func ShownBefore(at netip.Prefix, standing []Prefix) error {
	kind := standing[0].Kind
	if kind == KindHold {
		kind = KindAllocation
	}
	what := fmt.Sprintf("%s %q", kind, standing[0].Name)
	if of, is := ReservationOf(standing[0].Name, standing[0].CIDR); is {
		what = fmt.Sprintf("%s %q", KindReservation, of)
	}
	if len(standing) > 1 {
		what += fmt.Sprintf(" and %d more", len(standing)-1)
	}
	e := Errorf(CodePlanAgain, "%s was shown for %s earlier in this plan, which asks for a size only; it is kept for what names it now. Plan again: %s gets another block", at, what, what)
	e.Holders = Holders(standing)
	e.Fields = []FieldError{{Pointer: "/cidr", Detail: e.Detail}}
	return e
}

// PoolNotEmpty is the refusal of what only an empty pool can do; instead says more of the first that is in it, and what to do.
func PoolNotEmpty(p Pool, inside []Holder, instead string) error {
	e := Errorf(CodePoolNotEmpty, "pool %s is not empty: %s %q holds %s%s", p.ID, inside[0].Kind, inside[0].Name, inside[0].CIDR, instead)
	e.Holders = inside
	return e
}

// ScopeNotEmpty is the refusal to delete a scope with pools.
func ScopeNotEmpty(s Scope, pools []Pool) error {
	e := Errorf(CodeScopeNotEmpty, "scope %q holds pools, among them %s; delete them first", s.ID, pools[0].ID)
	for _, p := range pools {
		e.Holders = append(e.Holders, Holder{Kind: KindPool, ID: p.ID, Name: p.Name, CIDR: p.CIDR})
	}
	return e
}

// Losses makes one error of the losses of a set; nil when there are none.
func Losses(lost []*Error) error {
	switch len(lost) {
	case 0:
		return nil
	case 1:
		return lost[0]
	}
	slices.SortFunc(lost, func(a, b *Error) int { return strings.Compare(a.Detail, b.Detail) })
	all := Errorf(CodeHoldLost, "%d blocks of the set that were promised are lost", len(lost))
	for _, e := range lost {
		all.Detail += "; " + e.Detail
		all.Fields, all.Holders = append(all.Fields, e.Fields...), append(all.Holders, e.Holders...)
	}
	return all
}

// HoldLost says what became of a promise: what is in its block now, if anything.
func HoldLost(h Hold, pool Pool, now []Prefix) error {
	since := "something else now uses it"
	if !pool.CIDR.Contains(h.CIDR.Addr()) || h.CIDR.Bits() < pool.CIDR.Bits() {
		since = fmt.Sprintf("the pool is %s now", pool.CIDR)
	}
	if len(now) > 0 {
		since = fmt.Sprintf("%s %q now uses it", now[0].Kind, now[0].Name)
	}
	e := Errorf(CodeHoldLost, "the hold on %s for %s in pool %s ended at %s and %s; plan again for a fresh CIDR", h.CIDR, h.For(), h.Pool, h.ExpiresAt.Format(time.RFC3339), since)
	e.Holders = Holders(now)
	e.Fields = []FieldError{{Pointer: "/cidr", Detail: e.Detail}}
	return e
}

// PromiseLost says of a block that a plan was promised for a name, and that cannot be had now, that it is lost.
func PromiseLost(pool Pool, at netip.Prefix, name string, failure error) error {
	what := fmt.Sprintf("the hold on %s for %q in pool %s expired", at, name, pool.ID)
	taken, ok := errors.AsType[*Error](failure)
	switch {
	case !ok:
		return failure
	case taken.Code == CodeOutsidePool:
		return Errorf(CodeHoldLost, "%s and the pool is %s now; plan again for a fresh CIDR", what, pool.CIDR)
	case taken.Code != CodeCIDRTaken:
		return failure
	}
	by := "something else"
	if len(taken.Holders) > 0 {
		by = fmt.Sprintf("%s %q", taken.Holders[0].Kind, taken.Holders[0].Name)
	}
	e := Errorf(CodeHoldLost, "%s and %s now uses it; plan again for a fresh CIDR", what, by)
	e.Holders = taken.Holders
	e.Fields = []FieldError{{Pointer: "/cidr", Detail: e.Detail}}
	return e
}

// GonePool says of a pool that was deleted meanwhile, with its space perhaps, that it is not there, by its name.
func GonePool(err error, known Pool) error {
	if CodeOf(err) == CodeNotFound {
		return Errorf(CodeNotFound, "there is no pool %q", known.ID)
	}
	return err
}
