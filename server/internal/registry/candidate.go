package registry

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// candidate is a pool of a selection.
type candidate struct {
	ipam.Pool
	room  store.Room
	knows trace
}

// alike reports whether two looks at a pool saw the same of the name.
func (p candidate) alike(o candidate) bool { return p.UID == o.UID && p.knows.alike(o.knows) }

// candidates lists the pools of a selection in the order to ask them.
func (s selection) candidates(tx *store.Tx, principal ipam.UID, now time.Time) ([]candidate, error) {
	var pools []candidate
	err := change.EachPage(func(p ipam.Page) ([]ipam.Pool, error) { return tx.Pools(s.selector.Filter(), p) }, func(p ipam.Pool) string { return string(p.UID) }, func(p ipam.Pool) error {
		if p.ID == s.itself {
			return nil
		}
		if p.DraftUntil == nil || s.plan != nil && p.Belongs(principal, s.plan.Holder) && now.Before(*p.DraftUntil) {
			pools = append(pools, candidate{Pool: p})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	rooms, err := tx.Rooms(uidsOf(pools), now)
	if err != nil {
		return nil, err
	}
	of := map[ipam.UID]store.Room{}
	for _, room := range rooms {
		of[room.Pool] = room
	}
	for i := range pools {
		pools[i].room = of[pools[i].UID]
	}
	return s.ordered(tx, pools)
}

func uidsOf(pools []candidate) []ipam.UID {
	uids := make([]ipam.UID, 0, len(pools))
	for _, p := range pools {
		uids = append(uids, p.UID)
	}
	return uids
}

// ordered is pools by what they know of the name now: where it lives; where it was promised, the latest first; where it was
// last; then those that exist before those that are only planned, by id. So a plan that was promised a block finds it again,
// whatever room there is elsewhere by then.
func (s selection) ordered(tx *store.Tx, pools []candidate) ([]candidate, error) {
	names := make([]string, 0, len(s.keys))
	for _, key := range s.keys {
		names = append(names, s.nameOf(key))
	}
	set := ""
	if s.set {
		set = s.name
	}
	traces, err := tx.Traces(uidsOf(pools), s.kind, set, names)
	if err != nil {
		return nil, err
	}
	of := map[ipam.UID][]store.Trace{}
	for _, t := range traces {
		of[t.Pool] = append(of[t.Pool], t)
	}
	pools = slices.Clone(pools)
	follows := map[string]bool{s.replaces: true}
	for i := range pools {
		p := &pools[i]
		p.knows = s.traceIn(p.Pool, of[p.UID])
		if p.knows.follows != "" {
			follows[p.knows.follows] = true
		}
	}
	blocked := func(p candidate) bool { return p.knows.living != "" && !follows[p.knows.living] }
	slices.SortStableFunc(pools, func(a, b candidate) int {
		return cmp.Or(
			trueFirst(blocked(a), blocked(b)), b.knows.promised.Compare(a.knows.promised), trueFirst(a.knows.living != "", b.knows.living != ""),
			b.knows.left.Compare(a.knows.left), trueFirst(a.DraftUntil == nil, b.DraftUntil == nil), strings.Compare(a.ID, b.ID),
		)
	})
	return pools, nil
}

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
func (s selection) traceIn(pool ipam.Pool, all []store.Trace) trace {
	var t trace
	if len(all) == 0 {
		return t
	}
	lengths := map[string]int{}
	members, _ := s.sized(pool) // what has no length there, the pool will say itself when it is asked
	for _, m := range members {
		lengths[s.nameOf(m.key)] = m.length
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

// trueFirst puts what has a property ahead of what has not.
func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}
