package observe

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/drift"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Rules are the rules about differences, in their order.
type Rules struct {
	ipam.DriftRules
	Rules []drift.Rule
}

func rulesIn(tx *store.Tx) (r Rules, err error) {
	if r.DriftRules, err = tx.DriftRules(); err != nil {
		return r, err
	}
	return r, json.Unmarshal(r.DriftRules.Rules, &r.Rules)
}

// Rules reads the rules.
func (o *Observer) Rules(ctx context.Context) (Rules, error) {
	return change.Get(ctx, o.k, rulesIn)
}

// SetRules replaces the rules, which takes admin everywhere. Errors: CodeInvalid, CodeForbidden, CodePreconditionFailed,
// CodePreconditionRequired where there are some.
func (o *Observer) SetRules(ctx context.Context, by ipam.Caller, m ipam.Match, rules []drift.Rule) (Rules, error) {
	if err := checkRules(rules); err != nil {
		return Rules{}, err
	}
	if rules == nil {
		rules = []drift.Rule{}
	}
	return change.Write(ctx, o.k, by, "system", func(c change.Change) (Rules, error) {
		if err := c.Tx.LockSystem(); err != nil {
			return Rules{}, err
		}
		if err := c.May(ipam.In{}); err != nil {
			return Rules{}, err
		}
		before, err := rulesIn(c.Tx)
		if err != nil {
			return before, err
		}
		after := Rules{before.DriftRules, rules}
		if after.DriftRules.Rules, err = json.Marshal(rules); err != nil {
			return before, err
		}
		after.Version, after.UpdatedAt = before.Version+1, c.At
		verb, was := "updated", any(before.DriftRules)
		if before.Version == 0 {
			after.UID, after.CreatedAt, verb, was = ipam.NewUID("rules"), c.At, "created", nil
			err = m.Check("drift rules", "", "")
		} else {
			err = m.Require("drift rules", string(before.UID), before.ETag())
		}
		if err != nil {
			return before, err
		}
		if err := c.Tx.SetDriftRules(after.DriftRules); err != nil {
			return before, err
		}
		return after, c.Record(change.Object{Kind: "drift_rules", ID: string(after.UID)}, verb, was, after.DriftRules)
	})
}

func checkRules(rules []drift.Rule) error {
	var all []error
	for _, r := range rules {
		all = append(all, r.Check())
	}
	return errors.Join(all...)
}

// TryRules says what rules would make of the differences of a scope. Errors: CodeInvalid, CodeNotFound.
func (o *Observer) TryRules(ctx context.Context, see ipam.Visible, scope string, rules []drift.Rule) ([]Answered, error) {
	if err := checkRules(rules); err != nil {
		return nil, err
	}
	all, err := o.Drifts(ctx, see, scope)
	now := o.k.Now()
	for i, d := range all {
		all[i].Action, all[i].Rule = drift.Decide(rules, d.Drift, now)
	}
	return all, err
}

// Ignore notes that somebody ignores differences of a scope until their facts change, or with see that nobody does any more. The answer
// has an error for each of the ids: CodeNotFound. Errors besides: CodeInvalid, CodeNotFound, CodeForbidden.
func (o *Observer) Ignore(ctx context.Context, by ipam.Caller, scope string, ids []string, reason string, see bool) ([]*ipam.Error, error) {
	if !see && reason == "" {
		return nil, ipam.Invalid("/reason", "say why these are ignored, for who reads it next year")
	}
	return change.Write(ctx, o.k, by, ipam.ScopeLane(scope), func(c change.Change) ([]*ipam.Error, error) {
		s, err := ipam.RealScope(c.Tx.LockScope(c.By.Sees(), scope))
		if err == nil && !c.By.Sees().In(s.UID, nil) {
			err = ipam.NoSuch("scope", scope)
		}
		if err != nil {
			return nil, err
		}
		if err := c.May(s.Root()); err != nil {
			return nil, err
		}
		there, err := driftsIn(c.Tx, s)
		if err != nil {
			return nil, err
		}
		found := map[string]drift.Drift{}
		for _, d := range there {
			found[d.ID] = d
		}
		ignores, err := c.Tx.DriftIgnores(s)
		if err != nil {
			return nil, err
		}
		refused := make([]*ipam.Error, len(ids))
		for i, id := range ids {
			d, is := found[id]
			was, ignored := ignores[id]
			switch {
			case !is && !ignored:
				refused[i] = ipam.Errorf(ipam.CodeNotFound, "there is no drift %q in scope %s now", id, s.ID)
				continue
			case !see && !is:
				refused[i] = ipam.Errorf(ipam.CodeNotFound, "drift %q of scope %s is over", id, s.ID)
				continue
			case ignored && !see && was.Facts == d.Facts && was.Reason == reason:
				continue
			}
			if ignored {
				if err := errors.Join(c.Tx.DeleteDriftIgnore(was), c.Record(change.IgnoreObject(was), "ended", was, nil)); err != nil {
					return nil, err
				}
				delete(ignores, id)
			}
			if see {
				continue
			}
			now := ipam.DriftIgnore{UID: ipam.NewUID("ignore"), Scope: s.ID, ScopeUID: s.UID, Drift: id, Facts: d.Facts, Reason: reason, By: c.By.String(), CreatedAt: c.At}
			if err := errors.Join(c.Tx.InsertDriftIgnore(now), c.Record(change.IgnoreObject(now), "created", nil, now)); err != nil {
				return nil, err
			}
			ignores[id] = now
		}
		return refused, nil
	})
}

// History lists a page of the differences that a scope has or had.
func (o *Observer) History(ctx context.Context, see ipam.Visible, scope string, p ipam.Page) (s ipam.Scope, page []ipam.DriftRecord, err error) {
	page, err = change.Read(ctx, o.k, func(tx *store.Tx) ([]ipam.DriftRecord, error) {
		if s, err = seenScope(tx, see, scope); err != nil {
			return nil, err
		}
		return tx.DriftHistory(s.UID, p)
	})
	return s, page, err
}

// Now is the time.
func (o *Observer) Now() time.Time { return o.k.Now() }

// driftMemory is how long a difference that is over is remembered.
const driftMemory = 90 * 24 * time.Hour

// Record records which differences there are, in every scope, and answers those that the rules adopt, by scope. Where nothing has
// changed it writes nothing.
func (o *Observer) Record(ctx context.Context) (adopt map[string][]Answered, kinds map[drift.Kind]int, err error) {
	adopt, kinds = map[string][]Answered{}, map[drift.Kind]int{}
	var scopes []ipam.Scope
	err = change.EachPage(func(p ipam.Page) ([]ipam.Scope, error) {
		return change.Get(ctx, o.k, func(tx *store.Tx) ([]ipam.Scope, error) { return tx.Scopes(ipam.Everything, false, p) })
	}, func(s ipam.Scope) string { return string(s.UID) }, func(s ipam.Scope) error {
		scopes = append(scopes, s)
		return nil
	})
	if err != nil {
		return adopt, kinds, err
	}
	for _, s := range scopes {
		all, err := o.recordIn(ctx, s)
		if err != nil {
			return adopt, kinds, err
		}
		for _, d := range all {
			if d.Ignored() {
				continue
			}
			kinds[d.Kind]++
			if d.Action == drift.AutoAdopt {
				adopt[s.ID] = append(adopt[s.ID], d)
			}
		}
	}
	return adopt, kinds, o.k.Forget(ctx, func(tx *store.Tx, some int) (int64, error) {
		return tx.ForgetDriftRecords(o.k.Due().Add(-driftMemory), some)
	})
}

// recordIn records the differences of a scope.
func (o *Observer) recordIn(ctx context.Context, s ipam.Scope) ([]Answered, error) {
	var steps []func(*store.Tx) error
	now := o.k.Now()
	all, err := change.Read(ctx, o.k, func(tx *store.Tx) ([]Answered, error) {
		all, err := o.answered(tx, s)
		if err != nil {
			return nil, err
		}
		records, err := tx.DriftRecords(s.UID)
		if err != nil {
			return nil, err
		}
		known := map[string]ipam.DriftRecord{}
		for _, r := range records {
			known[r.ID] = r
		}
		for _, d := range all {
			r, is := known[d.ID]
			delete(known, d.ID)
			switch {
			case !is:
				r = ipam.DriftRecord{
					UID: ipam.NewUID("drift"), ID: d.ID, Kind: string(d.Kind), Account: d.Account, Region: d.Region, CIDR: d.CIDR.String(), Desired: d.Desired, Observed: d.Observed,
					Detail: d.Detail, Facts: d.Facts, FirstSeen: now,
				}
				steps = append(steps, func(tx *store.Tx) error { return tx.InsertDriftRecord(s.UID, r) })
			case r.EndedAt != nil || r.Facts != d.Facts:
				r.EndedAt, r.Detail, r.Facts = nil, d.Detail, d.Facts
				steps = append(steps, func(tx *store.Tx) error { return tx.UpdateDriftRecord(r, now) })
			}
		}
		for _, r := range known {
			if r.EndedAt == nil {
				r.EndedAt = &now
				steps = append(steps, func(tx *store.Tx) error { return tx.UpdateDriftRecord(r, now) })
			}
		}
		return all, nil
	})
	if err != nil {
		return nil, err
	}
	return all, o.inSteps(ctx, "drifts "+string(s.UID), func(tx *store.Tx) error {
		_, err := tx.Scope(ipam.Everything, string(s.UID)) // or deleted meanwhile
		return err
	}, steps)
}
