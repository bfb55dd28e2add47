package choose

import (
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Held is what is held of a name and length.
type Held string

// What may be held.
const (
	ByNobody Held = "nothing"
	ByCaller Held = "a hold of its own"       // or of anybody, once that has run out
	ByOther  Held = "a hold of somebody else" // that has not run out
	Free     Held = "lost, and free"          // the hold has lost its block, which nobody has
	Taken    Held = "lost, and taken"         // by somebody, or by what a cloud shows there
)

// Phase is what a plan says of itself.
type Phase string

// The phases.
const (
	Plans   Phase = "plans"
	Unclear Phase = "cannot tell"
	Applies Phase = "applies"
)

// Memory is what is remembered that a plan was promised: this very plan where it names itself, or any that is applied and whose draft
// was dropped.
type Memory string

// What may be remembered.
const (
	NoBlock    Memory = "no block"
	Block      Memory = "a block" // that of the hold where there is one
	OtherBlock Memory = "another block"
)

// Situation is all that the answer to a plan depends on.
type Situation struct {
	Held     Held
	Promised Memory
	Phase    Phase
	Unwanted bool // the plan does not want the block of the hold: it names another, or excludes it
	Waits    bool // the name's own block is in quarantine, from which the plan gets it
	Took     bool // this very run has the block now, for something else
	Told     bool // an apply was told of the loss already
}

// Answer is what a plan is told.
type Answer string

// The answers.
const (
	Place      Answer = "placed"                 // by the strategy, or at the CIDR that it names
	PlaceThere Answer = "placed as promised"     // at the block that is remembered, or hold_lost
	PlaceBack  Answer = "placed there"           // at the block that the hold had
	PlaceAnew  Answer = "placed anew"            // the hold is given up for another
	Renew      Answer = "renewed"                //
	Conflict   Answer = "hold_conflict"          //
	Lost       Answer = "hold_lost"              // what is there is in the way
	Outdated   Answer = "hold_lost: a newer one" // another plan was promised another block
)

// Decide is the answer to a plan. A promise is never moved silently: a plan that may be an apply is told, and only one that surely is
// not, or that was told, is placed anew.
func Decide(s Situation) Answer {
	switch {
	case s.Promised == OtherBlock:
		return Outdated
	case s.Held == ByNobody && s.Promised == Block:
		return PlaceThere
	case s.Held == ByNobody:
		return Place
	case s.Held == ByOther:
		return Conflict
	case s.Unwanted:
		return PlaceAnew
	case s.Held == ByCaller:
		return Renew
	case s.Waits:
		return PlaceAnew
	case s.Held == Free:
		return PlaceBack
	case s.Phase == Plans, s.Took, s.Phase == Unclear && s.Told:
		return PlaceAnew
	}
	return Lost
}

// Situation reads what the answer to a plan depends on, of a name and length that a hold is known of where found; and the block that the
// plan was promised, where one is remembered.
func (f Asker) Situation(pool ipam.Pool, in ipam.NewHold, length int, known ipam.Hold, found bool) (s Situation, promised netip.Prefix, err error) {
	s = Situation{Held: ByNobody, Promised: NoBlock, Phase: PhaseOf(in.Plan.Applying)}
	if !in.CIDR.IsValid() { // else it is what was promised, or the plan is another by now
		told, block, err := f.Promised(pool.UID, ipam.KindHold, in.Name, ipam.Family(pool.CIDR), length, in.Plan)
		switch {
		case err != nil:
			return s, block, err
		case told && found && known.CIDR != block:
			s.Promised = OtherBlock
		case told:
			s.Promised = Block
		}
		promised = block
		if in.Plan.ID != "" && (told || s.Phase == Unclear) { // its id tells a new plan from one that was promised this
			s.Phase = PhaseOf(&told)
		}
	}
	switch {
	case !found:
		return s, promised, nil
	case known.Kept && !known.Expired(f.Due) && !known.Belongs(f.Principal, in.Plan.Holder):
		s.Held = ByOther
	default:
		used, err := f.Used(pool, known)
		if err != nil {
			return s, promised, err
		}
		if known.Kept && !used {
			s.Held = ByCaller
			break
		}
		s.Held = Taken
		there, err := f.Tx.PrefixesIn(pool.UID, known.CIDR, 1)
		if err != nil {
			return s, promised, err
		}
		if !used && len(there) == 0 && pool.CIDR.Bits() <= known.CIDR.Bits() && pool.CIDR.Contains(known.CIDR.Addr()) {
			s.Held = Free
		}
		if _, s.Waits, err = f.InQuarantine(pool, in); err != nil {
			return s, promised, err
		}
		if s.Told, err = f.Told(known); err != nil {
			return s, promised, err
		}
		s.Took = in.Plan.Run != "" && known.Run == in.Plan.Run && s.Phase != Applies
	}
	s.Unwanted = in.Refuses(known.CIDR)
	return s, promised, nil
}

// PhaseOf is the phase of a plan that says whether it applies, or nothing.
func PhaseOf(applying *bool) Phase {
	switch {
	case applying == nil:
		return Unclear
	case *applying:
		return Applies
	}
	return Plans
}
