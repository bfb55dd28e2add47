package change

import (
	"context"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Lease reports whether this server does a piece of work for the time given: of several on one database, one does.
func (k *Kernel) Lease(ctx context.Context, work string, length time.Duration) (mine bool, err error) {
	err = k.DB.Write(ctx, "lease "+work, func(tx *store.Tx) (err error) {
		now, _ := k.at(tx)
		mine, err = tx.TakeLease(work, k.id, now, now.Add(length))
		return err
	})
	return mine, err
}
