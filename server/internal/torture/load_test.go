package torture

import (
	"fmt"
	"math/rand/v2"
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
	for i := range pools {
		admin.createPool(t, urls[0], poolName(i), fmt.Sprintf("10.%d.0.0/12", i*16))
	}
	var held ledger
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range loadClients {
		wg.Go(func() {
			draw := rand.New(rand.NewPCG(uint64(pools), uint64(i)))
			c := newClient(fmt.Sprintf("client-%02d", i))
			defer c.http.CloseIdleConnections()
			if err := churn(c, urls[i%len(urls)], draw, pools, &held); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	t.Logf("%d clients, %d requests in %s: %.0f a second; %d blocks held at the end",
		loadClients, loadClients*loadRequests, took.Round(time.Millisecond), loadClients*loadRequests/took.Seconds(), len(held.held))
	for _, url := range urls {
		held.compare(t, admin.list(t, url)) // every server sees the same
	}
}

// churn allocates and releases; two of five requests are releases.
func churn(c *client, url string, draw *rand.Rand, pools int, held *ledger) error {
	var mine []allocation
	for range loadRequests {
		r := c.asks(poolName(draw.IntN(pools)), 24+draw.IntN(7))
		if len(mine) > 0 && draw.IntN(5) < 2 {
			i := draw.IntN(len(mine))
			r = releases(mine[i])
			mine[i] = mine[len(mine)-1]
			mine = mine[:len(mine)-1]
			held.let(r.of)
		}
		a, err := c.send(url, r)
		if err != nil {
			return err
		}
		if a.status != r.expected() {
			return fmt.Errorf("%s %s of %q answers %d: %s", r.method, r.path, r.of.Name, a.status, a.body)
		}
		if r.method == "DELETE" {
			continue
		}
		got, err := decode(a)
		if err != nil {
			return err
		}
		if err := held.hold(got); err != nil {
			return err
		}
		mine = append(mine, got)
	}
	return nil
}
