package choose

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Candidate is a pool of a selection, as a look at all of them saw it.
type Candidate struct {
	ipam.Pool
	room  store.Room
	knows trace
}

// alike reports whether two looks at a pool saw the same of the name.
func (p Candidate) alike(o Candidate) bool { return p.UID == o.UID && p.knows.alike(o.knows) }

// Candidates lists the pools of a selection that the caller's role reaches, in the order to ask them. Of drafts it lists those that the
// plan may use. Errors: CodeNotFound when there are none, CodeForbidden when the caller only sees them.
func (s Selection) Candidates(tx *store.Tx, by ipam.Caller, now time.Time) ([]Candidate, error) {
	pools, err := s.pools(tx, by.Reaches(), by.UID, now)
	if err != nil {
		return nil, err
	}
	if len(pools) == 0 {
		seen, err := s.pools(tx, by.Sees(), by.UID, now)
		if err != nil || len(seen) == 0 {
			return nil, cmp.Or(err, error(s.NoPool()))
		}
		above, err := tx.PoolsAbove(seen[0].UID)
		if err != nil {
			return nil, err
		}
		return nil, by.Allow(seen[0].Inside(), above, ipam.Extent{})
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

func (s Selection) pools(tx *store.Tx, see ipam.Visible, principal ipam.UID, now time.Time) (pools []Candidate, err error) {
	err = change.EachPage(func(p ipam.Page) ([]ipam.Pool, error) { return tx.Pools(see, s.selector.Filter(), p) }, func(p ipam.Pool) string { return string(p.UID) }, func(p ipam.Pool) error {
		if p.ID == s.itself {
			return nil
		}
		if p.DraftUntil == nil || s.Plan != nil && p.Belongs(principal, s.Plan.Holder) && now.Before(*p.DraftUntil) {
			pools = append(pools, Candidate{Pool: p})
		}
		return nil
	})
	return pools, err
}

func uidsOf(pools []Candidate) []ipam.UID {
	uids := make([]ipam.UID, 0, len(pools))
	for _, p := range pools {
		uids = append(uids, p.UID)
	}
	return uids
}

// Moved reports whether the pools know of the name by now what they did not when they were listed.
func (s Selection) Moved(tx *store.Tx, pools []Candidate) (bool, error) {
	now, err := s.ordered(tx, pools)
	return err == nil && !slices.EqualFunc(now, pools, Candidate.alike), err
}

// ordered is pools by what they know of the name now: where it lives; where it was promised, the latest first; where it was
// last; then those that exist before those that are only planned, by id. So a plan that was promised a block finds it again,
// whatever room there is elsewhere by then.
func (s Selection) ordered(tx *store.Tx, pools []Candidate) ([]Candidate, error) {
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
	follows := map[string]bool{s.Replaces: true}
	for i := range pools {
		p := &pools[i]
		p.knows = s.traceIn(p.Pool, of[p.UID])
		if p.knows.follows != "" {
			follows[p.knows.follows] = true
		}
	}
	blocked := func(p Candidate) bool { return p.knows.living != "" && !follows[p.knows.living] }
	slices.SortStableFunc(pools, func(a, b Candidate) int {
		return cmp.Or(
			trueFirst(blocked(a), blocked(b)), b.knows.promised.Compare(a.knows.promised), trueFirst(a.knows.living != "", b.knows.living != ""),
			b.knows.left.Compare(a.knows.left), trueFirst(a.DraftUntil == nil, b.DraftUntil == nil), strings.Compare(a.ID, b.ID),
		)
	})
	return pools, nil
}
