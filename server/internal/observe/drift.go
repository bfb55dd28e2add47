package observe

import (
	"context"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/drift"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Answered is a difference with what people and rules say of it.
type Answered struct {
	drift.Drift
	Action    drift.Action
	Rule      int               // that says so, from 0; -1 where none matches
	Ignore    *ipam.DriftIgnore // nil: nobody ignores it as it is
	FirstSeen time.Time         // when it was recorded first; zero: it was not yet
}

// Ignored reports whether it is not among what is to be done.
func (a Answered) Ignored() bool { return a.Ignore != nil || a.Action == drift.Ignore }

// Drifts says how what clouds showed differs from what is desired in a scope, on one snapshot, to who sees all of it.
func (o *Observer) Drifts(ctx context.Context, see ipam.Visible, scope string) ([]Answered, error) {
	return change.Read(ctx, o.k, func(tx *store.Tx) ([]Answered, error) {
		s, err := seenScope(tx, see, scope)
		if err != nil {
			return nil, err
		}
		return o.answered(tx, s)
	})
}

// seenScope is a scope that somebody sees all of: who sees a pool of it reads its name, not all that is in it.
func seenScope(tx *store.Tx, see ipam.Visible, scope string) (ipam.Scope, error) {
	s, err := ipam.RealScope(tx.Scope(see, scope))
	if err == nil && !see.In(s.UID, nil) {
		err = ipam.NoSuch("scope", scope)
	}
	return s, err
}

func (o *Observer) answered(tx *store.Tx, s ipam.Scope) ([]Answered, error) {
	found, err := driftsIn(tx, s)
	if err != nil {
		return nil, err
	}
	ignores, err := tx.DriftIgnores(s)
	if err != nil {
		return nil, err
	}
	records, err := tx.DriftRecords(s.UID)
	if err != nil {
		return nil, err
	}
	first := map[string]time.Time{}
	for _, r := range records {
		if r.EndedAt == nil {
			first[r.ID] = r.FirstSeen
		}
	}
	rules, err := rulesIn(tx)
	if err != nil {
		return nil, err
	}
	now := o.k.Now()
	all := make([]Answered, len(found))
	for i, d := range found {
		a := Answered{Drift: d, FirstSeen: first[d.ID]}
		a.Action, a.Rule = drift.Decide(rules.Rules, d, now)
		if ignore, is := ignores[d.ID]; is && ignore.Facts == d.Facts {
			a.Ignore = &ignore
		}
		all[i] = a
	}
	return all, nil
}

func driftsIn(tx *store.Tx, s ipam.Scope) ([]drift.Drift, error) {
	desired, err := desiredIn(tx, s)
	if err != nil {
		return nil, err
	}
	var observed []drift.Observed
	err = change.EachPage(func(p ipam.Page) ([]ipam.Observation, error) {
		return tx.Observations(ipam.Everything, ipam.ObservationFilter{Scope: string(s.UID)}, p)
	}, func(o ipam.Observation) string { return string(o.UID) }, func(o ipam.Observation) error {
		if o.Misses == 0 {
			observed = append(observed, drift.Observed{
				ID: o.ID(), Kind: string(o.Kind), Name: o.Name, Scope: s.ID, CIDR: o.CIDR, Account: o.Account, Region: o.Region, Network: ipam.CloudOf(o.Account) + ":" + o.Network,
				Mark: o.Mark.Allocation, FirstSeen: o.FirstSeen, Labels: o.Labels,
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	views, err := viewsIn(tx, s)
	if err != nil {
		return nil, err
	}
	return drift.Compare(desired, observed, views), nil
}

func desiredIn(tx *store.Tx, s ipam.Scope) (all []drift.Desired, err error) {
	err = change.EachPage(func(p ipam.Page) ([]ipam.Pool, error) {
		return tx.Pools(ipam.Everything, ipam.PoolFilter{Scope: string(s.UID)}, p)
	}, func(v ipam.Pool) string { return string(v.UID) }, func(v ipam.Pool) error {
		all = append(all, drift.Desired{Key: string(v.UID), Kind: ipam.KindPool, Name: v.ID, Scope: s.ID, CIDR: v.CIDR, Since: v.CreatedAt})
		return nil
	})
	if err != nil {
		return all, err
	}
	err = change.EachPage(func(p ipam.Page) ([]ipam.Allocation, error) {
		return tx.Allocations(ipam.Everything, ipam.AllocationFilter{Scope: string(s.UID)}, p)
	}, func(v ipam.Allocation) string { return v.ID }, func(v ipam.Allocation) error {
		all = append(all, drift.Desired{Key: v.ID, Kind: ipam.KindAllocation, Name: v.Name, Scope: s.ID, CIDR: v.CIDR, Account: v.Account, Region: v.Region, Since: v.CreatedAt})
		return nil
	})
	if err != nil {
		return all, err
	}
	err = change.EachPage(func(p ipam.Page) ([]ipam.Reservation, error) {
		return tx.Reservations(ipam.Everything, ipam.ReservationFilter{Scope: string(s.UID)}, p)
	}, func(v ipam.Reservation) string { return v.ID }, func(v ipam.Reservation) error {
		all = append(all, drift.Desired{Key: v.ID, Kind: ipam.KindReservation, Name: v.Name, Scope: s.ID, CIDR: v.CIDR, Since: v.CreatedAt})
		return nil
	})
	return all, err
}

// viewsIn are how well the accounts of a scope have been seen.
func viewsIn(tx *store.Tx, s ipam.Scope) (all []drift.View, err error) {
	var accounts []ipam.Account
	err = change.EachPage(func(p ipam.Page) ([]ipam.Account, error) {
		return tx.Accounts(ipam.Everything, ipam.AccountFilter{Scope: string(s.UID)}, p)
	}, byUID, func(a ipam.Account) error {
		accounts = append(accounts, a)
		return nil
	})
	for _, a := range accounts {
		states, err := tx.SyncStates(a.UID)
		if err != nil {
			return nil, err
		}
		for _, state := range states {
			if state.Kind == subnets {
				all = append(all, drift.View{Account: a.ID, Region: state.Region, Complete: state.Seen[0], Third: state.Seen[2]})
			}
		}
	}
	return all, err
}
