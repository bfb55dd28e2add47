package torture

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// unhurried lets writes wait for locks as long as a busy machine takes, where the default would refuse them.
func unhurried(database string) string {
	if strings.HasPrefix(database, "postgres") {
		return database + "&lock_timeout=10min"
	}
	return database
}

const (
	loadClients  = 64
	loadRequests = 200 // of each client
)

func TestNoAddressIsHeldTwiceUnderLoad(t *testing.T) {
	for _, engine := range []struct {
		name     string
		database func(testing.TB) string
		servers  int
	}{{"SQLite with one server", storetest.SQLite, 1}, {"PostgreSQL with three servers", storetest.Postgres, 3}} {
		for _, pools := range []int{1, 16} {
			t.Run(fmt.Sprintf("%s, %d pools", engine.name, pools), func(t *testing.T) {
				database := unhurried(engine.database(t))
				var urls []string
				for range engine.servers {
					urls = append(urls, start(t, database).URL)
				}
				load(t, database, urls, pools)
				verify(t, database)
			})
		}
	}
}

// load lets the clients loose on the servers and compares what they hold with what the servers know.
func load(t *testing.T, database string, urls []string, pools int) {
	shared := newWorld(t, urls[0], database, pools, 12)
	all := shared.workers(loadClients, "client")
	var wg sync.WaitGroup
	begin := time.Now()
	for i, w := range all {
		wg.Go(func() {
			defer w.http.CloseIdleConnections()
			for range share(loadRequests) * *times {
				err := w.one(urls[i%len(urls)])
				if err == nil && w.open != nil {
					err = fmt.Errorf("no answer to %s %s", w.open.method, w.open.path)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	stop := tidyBeside(t, database)
	wg.Wait()
	took := time.Since(begin)
	stop()
	if t.Failed() {
		t.FailNow()
	}
	sum := report(t, all)
	t.Logf("%d clients, %d requests in %s: %.0f a second, %d of them refused for want of room or time; %d blocks held at the end",
		loadClients, sum.done+sum.refused, took.Round(time.Millisecond), float64(sum.done+sum.refused)/took.Seconds(), sum.refused, shared.held.size())
	for _, url := range urls {
		shared.compare(t, all, url) // every server sees the same
	}
	shared.comparePast(t, urls[0])
}

// tidyBeside does what a server does once an hour, over and over, as one more replica would, until it is stopped.
func tidyBeside(t *testing.T, database string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			if err := tidy(database); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// tidy ends what has run out. A database that is busy says so after some seconds, and is asked again.
func tidy(database string) error {
	for {
		if err := tryTidy(database); ipam.CodeOf(err) != ipam.CodeOverloaded {
			return err
		}
	}
}

func tryTidy(database string) error {
	ctx := context.Background()
	db, err := store.Open(ctx, database, store.Options{NoServerLock: true})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Start(ctx); err != nil {
		return err
	}
	r := registry.New(change.New(db, time.Now))
	if _, err := r.EndReservations(ctx); err != nil {
		return fmt.Errorf("end reservations: %w", err)
	}
	if _, err := r.ForgetPlans(ctx); err != nil {
		return fmt.Errorf("forget plans: %w", err)
	}
	return nil
}
