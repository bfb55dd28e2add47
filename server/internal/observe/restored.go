package observe

import (
	"context"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Begin is for the start of a server, before it answers anybody: it takes in that the database is a backup that was brought back. Then
// no pool hands anything out until each account that is looked at has been seen completely, those of the clouds among them that were
// never looked at before.
func (o *Observer) Begin(ctx context.Context, clouds ...ipam.Cloud) error {
	return o.k.Work(ctx, "restored", func(tx *store.Tx) error {
		fresh, err := tx.TakeRestored()
		if err != nil {
			return err
		}
		if fresh {
			if err := tx.SetRestored(o.k.Now()); err != nil {
				return err
			}
		}
		restored, err := tx.Restored("")
		if err != nil || restored.IsZero() {
			return err
		}
		return change.EachPage(func(p ipam.Page) ([]ipam.Account, error) {
			return tx.Accounts(ipam.Everything, ipam.AccountFilter{}, p)
		}, byUID, func(a ipam.Account) error {
			if !slices.Contains(clouds, a.Cloud) {
				return nil
			}
			return tx.ExpectLook(a.UID)
		})
	})
}

// Looks are the accounts that are looked at, with when each was seen completely last.
func (o *Observer) Looks(ctx context.Context) ([]ipam.Unseen, error) {
	return change.Get(ctx, o.k, func(tx *store.Tx) ([]ipam.Unseen, error) { return tx.Unseen("", o.k.Now().AddDate(1, 0, 0), mostLooks) })
}

// mostLooks bounds the metrics.
const mostLooks = 10_000

// mostWaiting is how many accounts an answer names.
const mostWaiting = 100

// Restoration says when the database was brought back from a backup, zero where it was not or all has been seen since, and which
// accounts that somebody sees are waited for.
func (o *Observer) Restoration(ctx context.Context, see ipam.Visible) (at time.Time, waiting []ipam.Unseen, err error) {
	waiting, err = change.Read(ctx, o.k, func(tx *store.Tx) ([]ipam.Unseen, error) {
		if at, err = tx.Restored(""); err != nil || at.IsZero() {
			return nil, err
		}
		unseen, err := tx.Unseen("", at, 10*mostWaiting)
		unseen = slices.DeleteFunc(unseen, func(u ipam.Unseen) bool { return !see.In(u.Account.ScopeUID, nil) })
		return unseen[:min(len(unseen), mostWaiting)], err
	})
	return at, waiting, err
}

// EndRestoration lets pools hand out before all accounts have been seen; where they do it changes nothing. It takes admin everywhere:
// CodeForbidden.
func (o *Observer) EndRestoration(ctx context.Context, by ipam.Caller) error {
	_, err := change.Write(ctx, o.k, by, "system", func(c change.Change) (none struct{}, err error) {
		if err := c.Tx.LockSystem(); err != nil {
			return none, err
		}
		if err := c.May(ipam.In{}); err != nil {
			return none, err
		}
		at, err := c.Tx.Restored("")
		if err != nil {
			return none, err
		}
		if at.IsZero() {
			return none, nil
		}
		if err := c.Tx.SetRestored(time.Time{}); err != nil {
			return none, err
		}
		was := struct {
			RestoredAt time.Time `json:"restored_at"`
		}{at}
		return none, c.Record(change.Object{Kind: "restoration", ID: change.NewID("restoration")}, "ended", was, nil)
	})
	return err
}
