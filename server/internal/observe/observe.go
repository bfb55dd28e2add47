// Package observe records what clouds showed, and says how that differs from what is desired. It writes observations only: what a
// cloud has takes nobody's space.
package observe

import (
	"context"
	"errors"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Observer keeps observations. It is safe for concurrent use.
type Observer struct{ k *change.Kernel }

// New makes an Observer.
func New(k *change.Kernel) *Observer { return &Observer{k} }

// Account reads an account; CodeNotFound when there is none to see.
func (o *Observer) Account(ctx context.Context, see ipam.Visible, account string) (ipam.Account, error) {
	return change.Get(ctx, o.k, func(tx *store.Tx) (ipam.Account, error) { return tx.Account(see, account) })
}

// Read is what is known of an account, with the time by the database's clock: what a look that begins now is compared with.
func (o *Observer) Read(ctx context.Context, account string) (Known, time.Time, error) {
	k, err := change.Read(ctx, o.k, func(tx *store.Tx) (k Known, err error) {
		if k.Account, err = tx.Account(ipam.Everything, account); err != nil {
			return k, err
		}
		k.Accounts, k.Scopes = map[string]bool{}, map[string]ipam.UID{}
		err = change.EachPage(func(p ipam.Page) ([]ipam.Account, error) {
			return tx.Accounts(ipam.Everything, ipam.AccountFilter{Cloud: k.Account.Cloud}, p)
		}, byUID, func(a ipam.Account) error {
			k.Accounts[a.ExternalID] = true
			return nil
		})
		if err != nil {
			return k, err
		}
		err = change.EachPage(func(p ipam.Page) ([]ipam.Scope, error) { return tx.Scopes(ipam.Everything, false, p) }, func(s ipam.Scope) string { return string(s.UID) }, func(s ipam.Scope) error {
			k.Scopes[s.ID] = s.UID
			return nil
		})
		if err != nil {
			return k, err
		}
		if k.States, err = tx.SyncStates(k.Account.UID); err != nil {
			return k, err
		}
		k.Observations, err = tx.ObservationsOf(k.Account.UID)
		return k, err
	})
	return k, o.k.Now(), err
}

// atOnce is how many rows one transaction of a look changes, so that others have their turn between them.
const atOnce = 500

// Write writes what a look changes, under the lease of the context: with change.ErrLeaseLost nothing more is written. It may end
// between two transactions, since the next look comes to the same; how well was seen is written last, so that it is never better than
// what stands beside it.
func (o *Observer) Write(ctx context.Context, a ipam.Account, c Changes) error {
	var steps []func(*store.Tx) error
	for _, one := range c.Add {
		steps = append(steps, func(tx *store.Tx) error { return tx.InsertObservation(a.UID, one) })
	}
	for _, one := range c.Update {
		steps = append(steps, func(tx *store.Tx) error { return tx.UpdateObservation(one) })
	}
	for _, one := range c.Remove {
		steps = append(steps, func(tx *store.Tx) error { return tx.DeleteObservation(one) })
	}
	for _, one := range c.States {
		steps = append(steps, func(tx *store.Tx) error { return tx.SaveSyncState(a.UID, one) })
	}
	for _, one := range c.Forget {
		steps = append(steps, func(tx *store.Tx) error { return tx.DeleteSyncState(one) })
	}
	steps = append(steps, func(tx *store.Tx) error { return look(tx, a, c.States) })
	return o.inSteps(ctx, "observe "+string(a.UID), func(tx *store.Tx) error {
		_, err := tx.Account(ipam.Everything, a.ID) // or deleted meanwhile
		return err
	}, steps)
}

// inSteps makes changes, some in each transaction, so that others have their turn between them. First is what each begins with.
func (o *Observer) inSteps(ctx context.Context, lane string, first func(*store.Tx) error, steps []func(*store.Tx) error) error {
	for len(steps) > 0 {
		some := steps[:min(atOnce, len(steps))]
		steps = steps[len(some):]
		err := o.k.Work(ctx, lane, func(tx *store.Tx) error {
			if err := first(tx); err != nil {
				return err
			}
			for _, step := range some {
				if err := step(tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// look notes that a look at an account is over, and the end of the time after a restore, once all accounts have been seen completely.
func look(tx *store.Tx, a ipam.Account, states []ipam.SyncState) error {
	if len(states) == 0 {
		return nil
	}
	// All of an account had been seen when the oldest view of it began. Where there is one that never was whole, what was known before
	// stays.
	seen := states[0].Seen[0]
	for _, s := range states {
		if s.Seen[0].Before(seen) {
			seen = s.Seen[0]
		}
	}
	if err := tx.SaveLook(a.UID, states[0].TriedAt, seen); err != nil {
		return err
	}
	restored, err := tx.Restored(a.ScopeUID)
	if err != nil || restored.IsZero() {
		return err
	}
	unseen, err := tx.Unseen("", restored, 1)
	if err == nil && len(unseen) == 0 {
		err = tx.SetRestored(time.Time{})
	}
	return err
}

// Networks lists a page of the networks that clouds showed, with where the next page begins behind each.
func (o *Observer) Networks(ctx context.Context, see ipam.Visible, f ipam.NetworkFilter, p ipam.Page) (all []ipam.Network, cursors []string, err error) {
	all, err = change.Read(ctx, o.k, func(tx *store.Tx) (page []ipam.Network, err error) {
		page, cursors, err = tx.Networks(see, f, p)
		return page, err
	})
	return all, cursors, err
}

// States are how well the regions of an account have been seen; CodeNotFound where there is no such account.
func (o *Observer) States(ctx context.Context, see ipam.Visible, account string) ([]ipam.SyncState, error) {
	return change.Read(ctx, o.k, func(tx *store.Tx) ([]ipam.SyncState, error) {
		a, err := tx.Account(see, account)
		if err != nil {
			return nil, err
		}
		return tx.SyncStates(a.UID)
	})
}

// explained is an error in the words of a state.
func explained(err error) (code, detail, fix string) {
	var e *cloud.Error
	if errors.As(err, &e) {
		return string(e.Code), e.Detail, e.Fix
	}
	return string(cloud.CodeUnavailable), err.Error(), ""
}

// Accounts are all accounts, by age.
func (o *Observer) Accounts(ctx context.Context) (all []ipam.Account, err error) {
	err = change.EachPage(func(p ipam.Page) ([]ipam.Account, error) {
		return change.Get(ctx, o.k, func(tx *store.Tx) ([]ipam.Account, error) {
			return tx.Accounts(ipam.Everything, ipam.AccountFilter{}, p)
		})
	}, byUID, func(a ipam.Account) error {
		all = append(all, a)
		return nil
	})
	return all, err
}

func byUID(a ipam.Account) string { return string(a.UID) }
