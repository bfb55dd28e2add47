package store

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// TakeLease takes a lease for a holder until a time, if nobody has it, it has run out by now or is the holder's own, and reports
// whether it did. The epoch tells this taking from every other.
func (tx *Tx) TakeLease(name, holder string, now, until time.Time) (epoch int64, taken bool, err error) {
	epoch, err = tx.rows.TakeLease(tx.ctx, query.TakeLeaseParams{Name: name, Holder: holder, Until: micros(until), Now: micros(now)})
	if noRows(err) {
		return 0, false, nil
	}
	return epoch, err == nil, err
}

// LeaseTaken reports whether another than a holder has a lease that has not run out by now. It locks nothing.
func (tx *Tx) LeaseTaken(name, holder string, now time.Time) (bool, error) {
	return tx.rows.LeaseTaken(tx.ctx, query.LeaseTakenParams{Name: name, Holder: holder, Now: micros(now)})
}

// EndLeases ends all leases: nobody can have one who is still there.
func (tx *Tx) EndLeases() error { return tx.rows.EndLeases(tx.ctx) }

// HoldLease reports whether nobody has taken a lease since, and lets nobody take it before the transaction ends.
func (tx *Tx) HoldLease(name string, epoch int64) (bool, error) {
	n, err := tx.rows.HoldLease(tx.ctx, query.HoldLeaseParams{Name: name, Epoch: epoch})
	return n == 1, err
}
