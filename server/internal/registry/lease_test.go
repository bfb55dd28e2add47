package registry_test

import (
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// Of several servers on one database one does the periodic work, and another when that one is gone.
func TestALeaseHasOneHolder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := clock
		server := func() *change.Kernel { return change.New(db, time.Now).Pretend(func() time.Time { return now }) }
		one, two := server(), server()
		want := func(k *change.Kernel, work string, mine bool) {
			t.Helper()
			got, err := k.Lease(t.Context(), work, time.Hour)
			if err != nil || got != mine {
				t.Errorf("%s: %v, %v, want %v", work, got, err, mine)
			}
		}
		want(one, "sweep", true)
		want(two, "sweep", false)
		want(two, "other", true)
		now = now.Add(30 * time.Minute)
		want(one, "sweep", true) // its own, for another hour
		now = now.Add(59 * time.Minute)
		want(two, "sweep", false)
		now = now.Add(time.Minute)
		want(two, "sweep", true)
		want(one, "sweep", false)
	})
}
