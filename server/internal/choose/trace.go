package choose

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// trace is what a pool knows of the name that a request is about.
type trace struct {
	living   string    // the id of what has the name; "" when nothing has
	follows  string    // the id of what its promise may replace
	promised time.Time // when it was promised last, kept or lost; zero when it is not
	left     time.Time // when it left last; zero when it never was there
	told     bool      // some plan was promised it, whatever became of that
}

// alike reports whether two traces say the same but for the time.
func (t trace) alike(o trace) bool {
	return t.living == o.living && t.follows == o.follows && t.told == o.told && t.promised.IsZero() == o.promised.IsZero() && t.left.IsZero() == o.left.IsZero()
}

// traceIn sums up what a pool knows of the names of a request, with the lengths that it asks that pool for.
func (s Selection) traceIn(pool ipam.Pool, all []store.Trace) trace {
	var t trace
	if len(all) == 0 {
		return t
	}
	lengths := map[string]int{}
	members, _ := s.sized(pool) // what has no length there, the pool will say itself when it is asked
	for _, m := range members {
		lengths[s.nameOf(m.Key)] = m.Length
	}
	for _, of := range all {
		if of.Kind == store.TraceLiving {
			t.living = of.ID
			continue
		}
		if length, sized := lengths[of.Name]; !sized || length != of.Length {
			continue
		}
		switch of.Kind {
		case store.TraceHeld:
			if of.ID != "" {
				t.follows = of.ID
			}
			t.promised = later(t.promised, of.At)
		case store.TraceLeft:
			t.left = later(t.left, of.At)
		default:
			t.told = true
		}
	}
	return t
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
