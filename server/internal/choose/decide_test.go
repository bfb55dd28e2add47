package choose_test

import (
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/choose"
)

// row says what a plan is told in some situations. What is left out may be anything; a situation is in at least one row, and all rows
// that it is in say the same.
type row struct {
	held     choose.Held
	promised []choose.Memory
	phase    []choose.Phase
	unwanted *bool
	waits    *bool
	took     *bool
	told     *bool
	answer   choose.Answer
}

var (
	yes, no = new(true), new(false)
	its     = []choose.Memory{choose.NoBlock, choose.Block}
	other   = []choose.Memory{choose.OtherBlock}
	none    = []choose.Memory{choose.NoBlock}
	one     = []choose.Memory{choose.Block}
	plans   = []choose.Phase{choose.Plans}
	unclear = []choose.Phase{choose.Unclear}
	maybe   = []choose.Phase{choose.Unclear, choose.Applies}
	applies = []choose.Phase{choose.Applies}
)

// rows is the plan protocol, as registry/doc.go has it.
var rows = []row{
	// The plan was promised one block, and the hold has another by now: a newer plan has the name.
	{promised: other, answer: choose.Outdated},

	// Nothing is held of the name. What is remembered of a dropped draft, or of a plan that names itself, is kept or told.
	{held: choose.ByNobody, promised: none, answer: choose.Place},
	{held: choose.ByNobody, promised: one, answer: choose.PlaceThere},

	// Somebody's hold that has not run out is never touched, whatever else is known.
	{held: choose.ByOther, promised: its, answer: choose.Conflict},

	// The plan is another by now: it names another block than it was promised, or excludes that.
	{held: choose.ByCaller, promised: its, unwanted: yes, answer: choose.PlaceAnew},
	{held: choose.Free, promised: its, unwanted: yes, answer: choose.PlaceAnew},
	{held: choose.Taken, promised: its, unwanted: yes, answer: choose.PlaceAnew},

	// Asking again is the same answer, for longer.
	{held: choose.ByCaller, promised: its, unwanted: no, answer: choose.Renew},

	// A lost block that is free comes back; where it waits in the name's own quarantine, the plan inherits it from there.
	{held: choose.Free, promised: its, unwanted: no, waits: no, answer: choose.PlaceBack},
	{held: choose.Free, promised: its, unwanted: no, waits: yes, answer: choose.PlaceAnew},
	{held: choose.Taken, promised: its, unwanted: no, waits: yes, answer: choose.PlaceAnew},

	// A lost block that is taken: an apply is told each time. Who cannot tell is told once. What plans is placed anew, and so is the run
	// that took the block itself, for something else.
	{held: choose.Taken, promised: its, phase: plans, answer: choose.PlaceAnew},
	{held: choose.Taken, promised: its, unwanted: no, waits: no, took: yes, answer: choose.PlaceAnew},
	{held: choose.Taken, promised: its, phase: unclear, unwanted: no, waits: no, told: yes, answer: choose.PlaceAnew},
	{held: choose.Taken, promised: its, phase: maybe, unwanted: no, waits: no, took: no, told: no, answer: choose.Lost},
	{held: choose.Taken, promised: its, phase: applies, unwanted: no, waits: no, took: no, answer: choose.Lost},
}

func (r row) has(s choose.Situation) bool {
	is := func(want *bool, got bool) bool { return want == nil || *want == got }
	return (r.held == "" || r.held == s.Held) && among(r.promised, s.Promised) && among(r.phase, s.Phase) &&
		is(r.unwanted, s.Unwanted) && is(r.waits, s.Waits) && is(r.took, s.Took) && is(r.told, s.Told)
}

func among[T comparable](some []T, one T) bool {
	for _, v := range some {
		if v == one {
			return true
		}
	}
	return len(some) == 0
}

func TestAPlanIsToldWhatTheTableSays(t *testing.T) {
	used := make([]bool, len(rows))
	for _, held := range []choose.Held{choose.ByNobody, choose.ByCaller, choose.ByOther, choose.Free, choose.Taken} {
		for _, promised := range []choose.Memory{choose.NoBlock, choose.Block, choose.OtherBlock} {
			for _, phase := range []choose.Phase{choose.Plans, choose.Unclear, choose.Applies} {
				for flags := range 16 {
					s := choose.Situation{
						Held: held, Promised: promised, Phase: phase,
						Unwanted: flags&1 > 0, Waits: flags&2 > 0, Took: flags&4 > 0, Told: flags&8 > 0,
					}
					got, rowed := choose.Decide(s), false
					for i, r := range rows {
						if !r.has(s) {
							continue
						}
						rowed, used[i] = true, true
						if got != r.answer {
							t.Errorf("%+v: %s, and row %d says %s", s, got, i, r.answer)
						}
					}
					if !rowed {
						t.Errorf("%+v: %s, and no row says anything", s, got)
					}
				}
			}
		}
	}
	for i, u := range used {
		if !u {
			t.Errorf("row %d is of no situation", i)
		}
	}
}
