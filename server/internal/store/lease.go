package store

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// TakeLease reports whether a holder has a lease until a time: it took one that nobody has or that has run out by now, or kept
// its own.
func (tx *Tx) TakeLease(name, holder string, now, until time.Time) (bool, error) {
	n, err := tx.rows.TakeLease(tx.ctx, query.TakeLeaseParams{Name: name, Holder: holder, Until: micros(until), Now: micros(now)})
	return n == 1, err
}
