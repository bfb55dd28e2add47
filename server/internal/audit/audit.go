// Package audit answers what happened, and whether all that must be true still is. It only reads, and shares no code with
// placing: what checks the books does not keep them.
package audit

import (
	"context"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Auditor reads events and verifies the database. It is safe for concurrent use.
type Auditor struct{ k *change.Kernel }

// New makes an Auditor.
func New(k *change.Kernel) *Auditor { return &Auditor{k: k} }

// Events lists a page of events, the newest first unless the filter says otherwise. The object may be named as people know it:
// by the id of a pool, a scope or an account, also one that it has left, or by its key. Nothing is known of a name: no events.
func (a *Auditor) Events(ctx context.Context, see ipam.Visible, f ipam.EventFilter, p ipam.Page) ([]ipam.Event, error) {
	return change.Read(ctx, a.k, func(tx *store.Tx) ([]ipam.Event, error) {
		if f.Object != "" && ipam.UID(f.Object).Key() == 0 {
			found, err := tx.KeyNamed(see, f.Object)
			if err != nil || found == "" {
				return nil, err
			}
			f.Object = string(found)
		}
		return tx.Events(see, f, p)
	})
}

// Feed lists up to limit events of a chain behind a sequence number, in the order of commits: who reads on from the last one
// that it saw misses none. An unknown chain has no events.
func (a *Auditor) Feed(ctx context.Context, see ipam.Visible, chain ipam.UID, after int64, limit int) ([]ipam.Event, error) {
	return change.Read(ctx, a.k, func(tx *store.Tx) ([]ipam.Event, error) { return tx.EventsOfChain(see, chain, after, limit) })
}
