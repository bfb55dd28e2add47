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

// Events lists a page of events, the newest first.
func (a *Auditor) Events(ctx context.Context, f ipam.EventFilter, p ipam.Page) ([]ipam.Event, error) {
	return change.Read(ctx, a.k, func(tx *store.Tx) ([]ipam.Event, error) { return tx.Events(f, p) })
}
