package insight

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

const (
	mostPlaces = 100 // scopes that one block is answered for
	mostAround = 1000
	// mostScanned is how many allocations, and observations, are looked through for words; those past them are found by the begin of
	// their names.
	mostScanned = 200_000
)

// Search answers for a block what is there, and for words where they are; scope "" is every one. A list in the answer has up to limit items.
func (v *Viewer) Search(ctx context.Context, see ipam.Visible, text, scope string, limit int) (ipam.Found, error) {
	return change.Read(ctx, v.k, func(tx *store.Tx) (ipam.Found, error) {
		q := search{tx: tx, see: see, scope: scope, limit: limit}
		if block, is := ipam.Sought(text); is {
			q.Block = block
			err := q.places()
			return q.Found, err
		}
		err := q.words(text)
		return q.Found, err
	})
}

// search is one under way.
type search struct {
	ipam.Found
	tx    *store.Tx
	see   ipam.Visible
	scope string
	limit int
}

// places finds what is around the block and in it, in each scope in which anything is.
func (q *search) places() error {
	around, within := ipam.Around{Contains: q.Block}, ipam.Around{Within: q.Block}
	pools, err := q.tx.Pools(q.see, ipam.PoolFilter{Scope: q.scope, Around: around}, ipam.Page{Limit: mostAround})
	if err != nil {
		return err
	}
	holders, err := q.tx.Prefixes(q.see, ipam.PrefixFilter{Scope: q.scope, Around: around}, ipam.Page{Limit: mostAround})
	if err != nil {
		return err
	}
	observed, err := q.tx.Observations(q.see, ipam.ObservationFilter{Scope: q.scope, Around: around}, ipam.Page{Limit: mostAround})
	if err != nil {
		return err
	}
	var inside []ipam.Prefix
	if !q.Block.IsSingleIP() {
		if inside, err = q.tx.Prefixes(q.see, ipam.PrefixFilter{Scope: q.scope, Around: within}, ipam.Page{Limit: mostAround}); err != nil {
			return err
		}
		shown, err := q.tx.Observations(q.see, ipam.ObservationFilter{Scope: q.scope, Around: within}, ipam.Page{Limit: mostAround})
		if err != nil {
			return err
		}
		for _, o := range shown {
			if o.CIDR != q.Block { // which is around it, too
				observed = append(observed, o)
			}
		}
	}
	q.More = max(len(pools), len(holders), len(inside), len(observed)) >= mostAround
	at := map[string]*ipam.Place{}
	place := func(scope string) *ipam.Place {
		if at[scope] == nil {
			at[scope] = &ipam.Place{Scope: scope}
		}
		return at[scope]
	}
	for _, p := range pools { // by address and length: the outermost first
		place(p.Scope).Pools = append(place(p.Scope).Pools, p)
	}
	for _, x := range holders {
		if x.Kind != ipam.KindPool || x.Status == ipam.StatusHeld {
			place(x.Scope).Holder = &ipam.Occupant{Prefix: x}
		}
	}
	for _, x := range inside {
		if q.standsIn(place(x.Scope), x) {
			place(x.Scope).Inside = append(place(x.Scope).Inside, x)
		}
	}
	shown, err := q.tx.Told(observed)
	if err != nil {
		return err
	}
	for _, o := range shown {
		place(o.Scope).Observed = append(place(o.Scope).Observed, o)
	}
	for _, p := range at {
		if err := q.judge(p); err != nil {
			return err
		}
		q.Places = append(q.Places, *p)
	}
	slices.SortFunc(q.Places, func(a, b ipam.Place) int { return strings.Compare(a.Scope, b.Scope) })
	q.More = q.More || len(q.Places) > mostPlaces
	q.Places = q.Places[:min(len(q.Places), mostPlaces)]
	return nil
}

// standsIn reports whether a prefix in the block is something else than the pools and the holder that have all of it.
func (q *search) standsIn(p *ipam.Place, x ipam.Prefix) bool {
	if p.Holder != nil && p.Holder.Owner == x.Owner {
		return false
	}
	return !slices.ContainsFunc(p.Pools, func(around ipam.Pool) bool { return string(around.UID) == x.Owner })
}

// judge says how the block is used at a place, and fills in who has it.
func (q *search) judge(p *ipam.Place) error {
	p.More = len(p.Inside) > q.limit || len(p.Observed) > q.limit
	switch {
	case p.Holder != nil:
		p.Status = ipam.PlaceStatus(p.Holder.Status)
		if err := q.fill(p.Holder); err != nil {
			return err
		}
	case len(p.Inside) > 0:
		p.Status = ipam.PlaceMixed
	case len(p.Pools) == 0:
		p.Status = ipam.PlaceOutside
	default:
		free, err := q.tx.Leaves(p.Pools[len(p.Pools)-1]).FreeAround(q.Block)
		if err != nil {
			return err
		}
		p.Status, p.Free = ipam.PlaceFree, free
		if !free.IsValid() { // what is there is not for the reader's eyes
			p.Status = ipam.PlaceMixed
			break
		}
		guards, err := q.tx.Guards(p.Pools[len(p.Pools)-1], q.Block)
		if err != nil {
			return err
		}
		if len(guards) > 0 {
			p.Status, p.Free = ipam.PlaceGuarded, netip.Prefix{}
		}
	}
	p.Inside, p.Observed = p.Inside[:min(len(p.Inside), q.limit)], p.Observed[:min(len(p.Observed), q.limit)]
	return nil
}

// fill reads who has a block and until when.
func (q *search) fill(o *ipam.Occupant) error {
	switch o.Kind {
	case ipam.KindAllocation:
		a, err := q.tx.Allocation(q.see, o.Owner)
		o.Who, o.Purpose, o.Account, o.Region, o.Environment, o.Labels, o.Until = a.Owner, a.Purpose, a.Account, a.Region, a.Environment, a.Labels, a.ExpiresAt
		return err
	case ipam.KindReservation:
		r, err := q.tx.Reservation(q.see, o.Owner)
		o.Who, o.Purpose, o.Labels, o.Until = r.Owner, r.Reason, r.Labels, r.ExpiresAt
		return err
	case ipam.KindHold:
		h, err := q.tx.Hold(q.see, o.Owner)
		o.Who, o.Until = cmp.Or(h.Holder, h.Actor), &h.ExpiresAt
		return err
	case ipam.KindQuarantine:
		was, err := q.tx.Quarantine(q.see, o.Owner)
		o.Who, o.Until = was.Owner, &was.Until
		return err
	}
	return nil
}

// words finds what has every word: of each kind the newest, and allocations whose names begin with the first word before others.
func (q *search) words(text string) error {
	words := ipam.Words(text)
	if len(words) == 0 {
		return ipam.Invalid("query:q", "nothing is sought; give an address, a CIDR or words")
	}
	seen := map[string]bool{}
	add := func(h ipam.Hit, who ...string) {
		if seen[h.UID] {
			return
		}
		seen[h.UID] = true
		h.Rank = ipam.RankOf(words, h.Name, append(who, h.Owner, h.Account)...)
		q.Hits = append(q.Hits, h)
	}
	for _, look := range []func(string, func(ipam.Hit, ...string)) error{q.inScopes, q.inPools, q.inAllocations, q.inPromises, q.inClouds} {
		if err := look(text, add); err != nil {
			return err
		}
	}
	slices.SortStableFunc(q.Hits, func(a, b ipam.Hit) int {
		return cmp.Or(cmp.Compare(b.Rank, a.Rank), cmp.Compare(kindOrder[a.Kind], kindOrder[b.Kind]), strings.Compare(a.Name, b.Name), strings.Compare(a.UID, b.UID))
	})
	q.More = q.More || len(q.Hits) > q.limit
	q.Hits = q.Hits[:min(len(q.Hits), q.limit)]
	return nil
}

var kindOrder = func() map[ipam.HitKind]int {
	order := map[ipam.HitKind]int{}
	for i, k := range []ipam.HitKind{
		ipam.HitScope, ipam.HitPool, ipam.HitAccount, ipam.HitSet, ipam.HitAllocation, ipam.HitReservation, ipam.HitHold, ipam.HitQuarantine, ipam.HitObservation,
	} {
		order[k] = i
	}
	return order
}()

// newest asks each kind for one more than is shown, so that it is known whether there is more.
func (q *search) newest() ipam.Page { return ipam.Page{Limit: q.limit + 1, Order: ipam.NewestFirst} }

func (q *search) inScopes(text string, add func(ipam.Hit, ...string)) error {
	if q.scope != "" {
		return nil
	}
	scopes, err := q.tx.ScopesWith(q.see, text, q.limit+1)
	for _, s := range scopes {
		add(ipam.Hit{Kind: ipam.HitScope, ID: s.ID, UID: string(s.UID), Name: s.ID, Labels: s.Labels})
	}
	return err
}

func (q *search) inPools(text string, add func(ipam.Hit, ...string)) error {
	pools, err := q.tx.Pools(q.see, ipam.PoolFilter{Scope: q.scope, Text: text}, q.newest())
	for _, p := range pools {
		add(ipam.Hit{Kind: ipam.HitPool, ID: p.ID, UID: string(p.UID), Name: p.Name, Scope: p.Scope, Pool: p.Parent, CIDR: p.CIDR, Owner: p.Owner, Account: p.Account, Labels: p.Labels})
	}
	return err
}

func (q *search) inAllocations(text string, add func(ipam.Hit, ...string)) error {
	sets, err := q.tx.AllocationSets(q.see, ipam.AllocationSetFilter{Scope: q.scope, Text: text}, q.newest())
	if err != nil {
		return err
	}
	for _, s := range sets {
		add(ipam.Hit{Kind: ipam.HitSet, ID: s.ID, UID: s.ID, Name: s.Name, Scope: s.Scope, Pool: s.Pool, Owner: s.Owner, Account: s.Account, Labels: s.Labels})
	}
	f := ipam.AllocationFilter{Scope: q.scope, Text: text}
	floor, err := q.tx.AllocationFloor(q.see, q.scope, mostScanned)
	if err != nil {
		return err
	}
	begun, anywhere := f, q.newest()
	begun.Begins, anywhere.Floor = ipam.Words(text)[0], floor
	for _, ask := range []struct {
		ipam.AllocationFilter
		ipam.Page
	}{{begun, q.newest()}, {f, anywhere}} {
		found, err := q.tx.Allocations(q.see, ask.AllocationFilter, ask.Page)
		if err != nil {
			return err
		}
		for _, a := range found {
			add(ipam.Hit{Kind: ipam.HitAllocation, ID: a.ID, UID: a.ID, Name: a.Name, Scope: a.Scope, Pool: a.Pool, CIDR: a.CIDR, Owner: a.Owner, Account: a.Account, Labels: a.Labels})
		}
		if len(found) > q.limit {
			return nil // with as many that begin so, others would not be shown
		}
	}
	q.More = q.More || floor != ""
	return nil
}

// inPromises looks at what is reserved, held and in quarantine.
func (q *search) inPromises(text string, add func(ipam.Hit, ...string)) error {
	reservations, err := q.tx.Reservations(q.see, ipam.ReservationFilter{Scope: q.scope, Text: text}, q.newest())
	if err != nil {
		return err
	}
	for _, r := range reservations {
		add(ipam.Hit{Kind: ipam.HitReservation, ID: r.ID, UID: r.ID, Name: cmp.Or(r.Name, r.Reason), Scope: r.Scope, Pool: r.Pool, CIDR: r.CIDR, Owner: r.Owner, Labels: r.Labels})
	}
	kept := true
	holds, err := q.tx.Holds(q.see, ipam.HoldFilter{Scope: q.scope, Text: text, Kept: &kept}, q.newest())
	if err != nil {
		return err
	}
	for _, h := range holds {
		add(ipam.Hit{Kind: ipam.HitHold, ID: h.ID, UID: h.ID, Name: h.Name, Scope: h.Scope, Pool: h.Pool, CIDR: h.CIDR, Owner: cmp.Or(h.Holder, h.Actor)})
	}
	left, err := q.tx.Quarantines(q.see, ipam.QuarantineFilter{Scope: q.scope, Text: text}, q.newest())
	for _, x := range left {
		add(ipam.Hit{Kind: ipam.HitQuarantine, ID: x.ID, UID: x.ID, Name: x.Name, Scope: x.Scope, Pool: x.Pool, CIDR: x.CIDR, Owner: x.Owner})
	}
	return err
}

// inClouds looks at accounts and at what they showed.
func (q *search) inClouds(text string, add func(ipam.Hit, ...string)) error {
	accounts, err := q.tx.Accounts(q.see, ipam.AccountFilter{Scope: q.scope, Text: text}, q.newest())
	if err != nil {
		return err
	}
	for _, a := range accounts {
		add(ipam.Hit{Kind: ipam.HitAccount, ID: a.ID, UID: string(a.UID), Name: a.Name, Scope: a.Scope, Owner: a.Owner, Account: a.ID, Labels: a.Labels}, a.ExternalID)
	}
	floor, err := q.tx.ObservationFloor(q.see, q.scope, mostScanned)
	if err != nil {
		return err
	}
	page := q.newest()
	page.Floor = floor
	q.More = q.More || floor != ""
	observed, err := q.tx.Observations(q.see, ipam.ObservationFilter{Scope: q.scope, Text: text}, page)
	for _, o := range observed {
		add(ipam.Hit{Kind: ipam.HitObservation, ID: o.ID(), UID: string(o.UID), Name: cmp.Or(o.Name, o.CloudID), Scope: o.Scope, CIDR: o.CIDR, Account: o.Account, Labels: o.Labels}, o.CloudID)
	}
	return err
}
