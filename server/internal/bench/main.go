// Command bench measures what a durable allocation costs: through HTTP on the real server, next to a bare loop that writes
// the same rows with the same driver, next to the disk alone. All three run in turns on one disk, so that their ratios mean
// something on any machine; the absolute figures mean something on this one only.
//
//	go run ./internal/bench [-rounds 3] [-for 2s] [-existing 0,10000,200000] [-clients 1,8,64] [-pools 1000] [-beside /path/of/another/build]
//	go run ./internal/bench -postgres postgres://… [-servers 1,3] [-in 1,16] [-clients 48] [-beside /path/of/another/build]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/servertest"
)

type plan struct {
	rounds   int
	each     time.Duration
	existing []int
	clients  []int
	dir      string // for the files; must be on a disk, not in memory
	server   string // the server's binary; "" builds it
	beside   string // another build's, measured in turns with it
	others   int    // pools besides the one that is allocated from
	shared   shared
}

func main() {
	var p plan
	existing := flag.String("existing", "0,10000,200000", "how many allocations there are before the measurement")
	clients := flag.String("clients", "1,8,64", "how many clients allocate at once")
	flag.IntVar(&p.rounds, "rounds", 3, "measurements of each cell; their median is shown")
	flag.DurationVar(&p.each, "for", 2*time.Second, "length of one measurement")
	flag.StringVar(&p.dir, "dir", os.TempDir(), "where the databases are made")
	flag.StringVar(&p.server, "server", "", "the server's binary; built where it is not given")
	flag.StringVar(&p.beside, "beside", "", "another build's binary, to be measured in turns with the server")
	flag.IntVar(&p.others, "pools", 0, "pools there are besides the one that is allocated from, up to 4000")
	flag.StringVar(&p.shared.url, "postgres", "", "an empty PostgreSQL, to measure several servers on it instead; its user may make databases")
	servers := flag.String("servers", "1,3", "how many servers share PostgreSQL")
	in := flag.String("in", "1,16", "how many pools they allocate from on PostgreSQL")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	for text, into := range map[*string]*[]int{existing: &p.existing, clients: &p.clients, servers: &p.shared.servers, in: &p.shared.pools} {
		var failure error
		*into, failure = numbers(*text)
		err = errors.Join(err, failure)
	}
	if err == nil {
		err = run(ctx, p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func numbers(text string) ([]int, error) {
	var out []int
	for _, field := range strings.Split(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil {
			return nil, fmt.Errorf("%q is not a list of numbers", text)
		}
		out = append(out, n)
	}
	return out, nil
}

// cell is one line of the table: all rounds with so many allocations there and so many clients.
type cell struct {
	existing, clients int
	served, bare      []result
	beside            []result // of the other build, where one is given
}

// of gives one figure of all rounds.
func of(results []result, figure func(result) float64) []float64 {
	out := make([]float64, len(results))
	for i, r := range results {
		out[i] = figure(r)
	}
	return out
}

func rate(r result) float64      { return r.rate }
func p50(r result) float64       { return r.p50 }
func p99(r result) float64       { return r.p99 }
func perCommit(r result) float64 { return r.perCommit }
func cpu(r result) float64       { return r.cpu }

func run(ctx context.Context, p plan) error {
	dir, err := os.MkdirTemp(p.dir, "cloudpam-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if p.server == "" {
		if p.server, err = servertest.Build(ctx, dir, false); err != nil {
			return err
		}
	}
	if p.shared.url != "" {
		return onPostgres(ctx, p, dir)
	}
	var disk []float64
	probe := func() error {
		rate, err := flushRate(dir, p.each)
		disk = append(disk, rate)
		return err
	}
	if err := probe(); err != nil {
		return err
	}
	var cells []*cell
	for _, n := range p.existing {
		seed, err := newSeed(ctx, dir, n, p.others)
		if err != nil {
			return err
		}
		if p.beside != "" {
			if seed.beside, err = besideSeed(ctx, dir, p.beside, n, p.others); err != nil {
				return err
			}
		}
		group := make([]*cell, len(p.clients))
		for i, clients := range p.clients {
			group[i] = &cell{existing: n, clients: clients}
		}
		for round := range p.rounds {
			for _, c := range group {
				if err := measure(ctx, p, seed, c); err != nil {
					return err
				}
				fmt.Fprintf(os.Stderr, "%d existing, %d clients, round %d: %.0f/s through HTTP, %.0f/s bare, %.1f per commit\n",
					n, c.clients, round+1, c.served[round].rate, c.bare[round].rate, c.served[round].perCommit)
			}
		}
		cells = append(cells, group...)
		if err := probe(); err != nil {
			return err
		}
	}
	show(cells, disk)
	return nil
}

// measure runs one round of a cell: the other build, the server, then at once the bare loop in batches as large as the server's were.
func measure(ctx context.Context, p plan, seed *seed, c *cell) error {
	if seed.beside != nil {
		result, err := serve(ctx, p.beside, seed.beside, "beside", c.clients, p.each)
		if err != nil {
			return err
		}
		c.beside = append(c.beside, result)
	}
	result, err := serve(ctx, p.server, seed, "served", c.clients, p.each)
	if err != nil {
		return err
	}
	c.served = append(c.served, result)
	bare, err := seed.fresh("bare")
	if err != nil {
		return err
	}
	result, err = bareLoop(ctx, bare, max(1, int(result.perCommit+0.5)), p.each)
	c.bare = append(c.bare, result)
	return err
}

func serve(ctx context.Context, binary string, from *seed, side string, clients int, length time.Duration) (result, error) {
	path, err := from.fresh(side)
	if err != nil {
		return result{}, err
	}
	s, err := startServer(ctx, binary, path)
	if err != nil {
		return result{}, err
	}
	r, err := load(ctx, s, clients, length)
	return r, errors.Join(s.Stop(ctx), err)
}

func show(cells []*cell, disk []float64) {
	fmt.Printf("Disk: %.0f flushes a second (4 KiB, preallocated; %s)\n\n", median(disk), list(disk))
	fmt.Println("| existing | clients | HTTP, durable/s | p50 ms | p99 ms | allocations per fsync | bare loop/s | HTTP ÷ bare | ÷ rate when empty | processor, µs each | bare loop's |")
	fmt.Println("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	empty := map[int]float64{}
	for _, c := range cells {
		middle := median(of(c.served, rate))
		if _, known := empty[c.clients]; !known {
			empty[c.clients] = middle
		}
		fmt.Printf("| %d | %d | %.0f | %.2f | %.2f | %.1f | %.0f | %.2f | %.2f | %.0f | %.0f |\n", c.existing, c.clients, middle, median(of(c.served, p50)),
			median(of(c.served, p99)), median(of(c.served, perCommit)), median(of(c.bare, rate)), median(ratios(of(c.served, rate), of(c.bare, rate))),
			middle/empty[c.clients], median(of(c.served, cpu)), median(of(c.bare, cpu)))
	}
	for i, c := range cells {
		if c.beside == nil {
			return
		}
		if i == 0 {
			fmt.Println("\n| existing | clients | the other build, durable/s | p99 ms | processor, µs each | HTTP ÷ the other build | processor ÷ the other build's |")
			fmt.Println("|---:|---:|---:|---:|---:|---:|---:|")
		}
		fmt.Printf("| %d | %d | %.0f | %.2f | %.0f | %.2f | %.2f |\n", c.existing, c.clients, median(of(c.beside, rate)), median(of(c.beside, p99)),
			median(of(c.beside, cpu)), median(ratios(of(c.served, rate), of(c.beside, rate))), median(ratios(of(c.served, cpu), of(c.beside, cpu))))
	}
}

// ratios compares what was measured one right after the other.
func ratios(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return out
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}

func list(values []float64) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprintf("%.0f", v)
	}
	return strings.Join(texts, ", ")
}
