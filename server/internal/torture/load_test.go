package torture

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

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
				database := engine.database(t)
				var urls []string
				for range engine.servers {
					urls = append(urls, start(t, database).url)
				}
				load(t, urls, pools)
				verify(t, database)
			})
		}
	}
}

// load lets the clients loose on the servers and compares what they hold with what the servers know.
func load(t *testing.T, urls []string, pools int) {
	admin := newClient("admin")
	admin.createPools(t, urls[0], netip.MustParsePrefix("10.0.0.0/14"), pools)
	var held ledger
	var all tally
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range loadClients {
		wg.Go(func() {
			draw := rand.New(rand.NewPCG(uint64(pools), uint64(i)))
			c := newClient(fmt.Sprintf("client-%02d", i))
			defer c.http.CloseIdleConnections()
			if err := churn(c, urls[i%len(urls)], draw, pools, &held, &all); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	t.Logf("%d clients, %d requests in %s: %.0f a second; %d blocks held at the end",
		loadClients, loadClients*loadRequests, took.Round(time.Millisecond), loadClients*loadRequests/took.Seconds(), len(held.held))
	for _, url := range urls {
		held.compare(t, admin.everything(t, url)) // every server sees the same
	}
	if pools > 1 {
		all.report(t)
	}
}

// churn does everything that a client can.
func churn(c *client, url string, draw *rand.Rand, pools int, held *ledger, all *tally) error {
	var mine []asset
	for range loadRequests {
		r, about := c.next(draw, mine, pools)
		if about >= 0 {
			mine = slices.Delete(mine, about, about+1)
		}
		if err := held.change(r.of.blocks, r.during); err != nil {
			return err
		}
		a, err := c.send(url, r)
		if err != nil {
			return err
		}
		after, refused, err := r.after(a)
		if err != nil {
			return err
		}
		if err := held.change(r.during, after.blocks); err != nil {
			return fmt.Errorf("%s: %w", r.what, err)
		}
		all.count(r, refused)
		if len(after.blocks) > 0 {
			mine = append(mine, after)
		}
	}
	return nil
}
