package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5" //nolint:depguard // makes the databases that the servers share

	"github.com/cloudpam/cloudpam/server/internal/servertest"
)

// shared is a measurement of several servers on one PostgreSQL.
type shared struct {
	url     string // of an empty one, whose user may make databases
	servers []int
	pools   []int
}

// sharedResult adds to that of a measurement what its database had to do.
type sharedResult struct {
	result
	trips    float64 // round trips to PostgreSQL for one allocation
	database float64 // microseconds of PostgreSQL's processor for one
}

// onPostgres measures each number of servers on each number of pools, build by build in turns.
func onPostgres(ctx context.Context, p plan, dir string) error {
	fmt.Println("| build | servers | pools | clients | durable/s | p99 ms | allocations per commit | round trips each | servers' processor, µs each | PostgreSQL's |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	builds := map[string]string{"this": p.server}
	order := []string{"this"}
	if p.beside != "" {
		builds["beside"], order = p.beside, []string{"beside", "this"}
	}
	for _, pools := range p.shared.pools {
		for _, servers := range p.shared.servers {
			for _, clients := range p.clients {
				all := map[string][]sharedResult{}
				for range p.rounds {
					for _, name := range order {
						r, err := onePostgres(ctx, p, dir, builds[name], servers, pools, clients)
						if err != nil {
							return err
						}
						all[name] = append(all[name], r)
					}
				}
				for _, name := range order {
					show := func(figure func(sharedResult) float64) float64 {
						var values []float64
						for _, r := range all[name] {
							values = append(values, figure(r))
						}
						return median(values)
					}
					fmt.Printf("| %s | %d | %d | %d | %.0f | %.1f | %.1f | %.2f | %.0f | %.0f |\n", name, servers, pools, clients,
						show(func(r sharedResult) float64 { return r.rate }), show(func(r sharedResult) float64 { return r.p99 }),
						show(func(r sharedResult) float64 { return r.perCommit }), show(func(r sharedResult) float64 { return r.trips }),
						show(func(r sharedResult) float64 { return r.cpu }), show(func(r sharedResult) float64 { return r.database }))
				}
			}
		}
	}
	return nil
}

var databases atomic.Int64

func onePostgres(ctx context.Context, p plan, dir, binary string, servers, pools, clients int) (r sharedResult, err error) {
	admin, err := pgx.Connect(ctx, p.shared.url)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, admin.Close(ctx)) }()
	name := fmt.Sprintf("bench_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return r, err
	}
	defer func() {
		_, drop := admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		err = errors.Join(err, drop)
	}()
	counter, err := newCounter(p.shared.url, name)
	if err != nil {
		return r, err
	}
	defer counter.listener.Close()
	var all []*server
	defer func() {
		for _, s := range all {
			err = errors.Join(err, s.Stop(ctx))
		}
	}()
	for range servers {
		s, err := servertest.Launch(binary, dir, "CLOUDPAM_BOOTSTRAP_TOKEN="+secret, "CLOUDPAM_DATABASE_URL="+counter.url)
		if err != nil {
			return r, err
		}
		all = append(all, &server{s, ""})
		if err := s.Ready(ctx); err != nil {
			return r, err
		}
		all[len(all)-1].address = strings.TrimPrefix(s.URL, "http://")
	}
	for n := range pools {
		if err := createPool(ctx, all[0].address, poolOf(n), fmt.Sprintf("10.%d.0.0/16", n)); err != nil {
			return r, err
		}
	}
	var file string
	if err := admin.QueryRow(ctx, "SELECT pg_read_file('postmaster.pid')").Scan(&file); err != nil {
		return r, err
	}
	postmaster, _, _ := strings.Cut(file, "\n")
	trips, database := counter.trips.Load(), processorOfChildren(postmaster)
	r.result, err = loadAll(ctx, all, pools, clients, p.each)
	if err != nil {
		return r, err
	}
	r.trips = float64(counter.trips.Load()-trips) / r.made
	r.database = float64((processorOfChildren(postmaster) - database).Microseconds()) / r.made
	return r, nil
}

func poolOf(n int) string {
	if n == 0 {
		return poolID
	}
	return fmt.Sprintf("%s-%d", poolID, n)
}

// processorOfChildren is the time that the children of a process have had of the processors.
func processorOfChildren(parent string) (all time.Duration) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, after, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(after) // from the state on, which is the third
		if len(fields) < 13 || fields[1] != parent {
			continue
		}
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		all += time.Duration(user+system) * 10 * time.Millisecond
	}
	return all
}

// counter is a proxy before PostgreSQL that counts how often a connection was asked and has answered.
type counter struct {
	listener net.Listener
	url      string
	trips    atomic.Int64
}

func newCounter(address, database string) (*counter, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	c := &counter{}
	if c.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	u.Host, u.Path = c.listener.Addr().String(), "/"+database
	q := u.Query()
	q.Del("host")
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	c.url = u.String()
	network, to := pgconnAddress(config)
	go func() {
		for {
			client, err := c.listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial(network, to)
			if err != nil {
				client.Close()
				continue
			}
			go c.pass(client, upstream)
		}
	}()
	return c, nil
}

// pgconnAddress is where a PostgreSQL is reached, which may be a socket in a folder.
func pgconnAddress(c *pgx.ConnConfig) (network, address string) {
	if strings.HasPrefix(c.Host, "/") {
		return "unix", fmt.Sprintf("%s/.s.PGSQL.%d", c.Host, c.Port)
	}
	return "tcp", net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
}

func (c *counter) pass(client, upstream net.Conn) {
	var asked atomic.Bool
	var both sync.WaitGroup
	copyAll := func(to, from net.Conn, seen func()) {
		defer to.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := from.Read(buffer)
			if n > 0 {
				seen()
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					from.Close()
				}
				return
			}
		}
	}
	both.Go(func() { copyAll(upstream, client, func() { asked.Store(true) }) })
	both.Go(func() {
		copyAll(client, upstream, func() {
			if asked.Swap(false) {
				c.trips.Add(1)
			}
		})
	})
	both.Wait()
}

// loadAll lets clients allocate for a while, spread over servers and pools.
func loadAll(ctx context.Context, all []*server, pools, clients int, length time.Duration) (r result, err error) {
	total := func() (c counts, err error) {
		for _, s := range all {
			one, err := s.counts()
			if err != nil {
				return c, err
			}
			c.writes, c.commits, c.cpu = c.writes+one.writes, c.commits+one.commits, c.cpu+one.cpu
		}
		return c, nil
	}
	before, err := total()
	if err != nil {
		return r, err
	}
	took, wall, err := clientsAtWork(clients, length, func(i int, more func() bool) ([]time.Duration, error) {
		return allocateWhile(ctx, all[i%len(all)].address, poolOf(i/len(all)%pools), more)
	})
	if err != nil {
		return r, err
	}
	after, err := total()
	if err != nil {
		return r, err
	}
	return summary(took, wall, before, after), nil
}
