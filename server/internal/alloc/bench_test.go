//go:build unix

package alloc

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/gaissmai/bart"
	"go4.org/netipx"
)

var sizes = []int{1_000, 100_000, 1_000_000}

type churn struct {
	load
	*rand.Rand
	tree *Tree
	held []netip.Prefix
}

// fill makes a pool in use: twice as many blocks of mixed lengths placed by
// best fit as are left, the others released at random, so that what is held
// lies in as many pieces as it can.
func (l load) fill(tb testing.TB, n int) *churn {
	c := &churn{load: l, Rand: rand.New(rand.NewPCG(1, 2)), tree: NewTree(l.root)}
	for range 2 * n {
		c.place(tb, BestFit)
	}
	for range n {
		c.release(tb)
	}
	return c
}

func (c *churn) place(tb testing.TB, s Strategy) {
	p, err := c.tree.Allocate(s, c.low+c.IntN(c.high-c.low+1))
	if err != nil {
		tb.Fatal(err)
	}
	c.held = append(c.held, p)
}

func (c *churn) release(tb testing.TB) {
	i, last := c.IntN(len(c.held)), len(c.held)-1
	p := c.held[i]
	c.held[i], c.held = c.held[last], c.held[:last]
	if err := c.tree.Release(p); err != nil {
		tb.Fatal(err)
	}
}

// batch is how many blocks go and come back at a time, so that the pool stays
// as full as the benchmark says.
const batch = 500

// cpu is the processor time of this process, the collector's included: what a
// placement costs on a machine that does other things too.
func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// report replaces the time per iteration by that of one side of the churn.
func report(b *testing.B, timed time.Duration, calls int) {
	b.ReportMetric(float64(timed.Nanoseconds())/float64(calls), "ns/op")
}

func benchmarkAllocate(b *testing.B, l load) {
	for _, n := range sizes {
		for _, s := range strategies {
			if s != BestFit && n != 1_000_000 {
				continue
			}
			b.Run(fmt.Sprintf("%s/%d", s, n), func(b *testing.B) {
				c := l.fill(b, n)
				var timed time.Duration
				calls := 0
				for b.Loop() {
					for range batch {
						c.release(b)
					}
					start := cpu(b)
					for range batch {
						c.place(b, s)
					}
					timed += cpu(b) - start
					calls += batch
				}
				report(b, timed, calls)
			})
		}
	}
}

func BenchmarkAllocateV4(b *testing.B) { benchmarkAllocate(b, loadV4) }
func BenchmarkAllocateV6(b *testing.B) { benchmarkAllocate(b, loadV6) }

func BenchmarkRelease(b *testing.B) {
	for _, l := range []load{loadV4, loadV6} {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/%d", l.name, n), func(b *testing.B) {
				c := l.fill(b, n)
				var timed time.Duration
				calls := 0
				for b.Loop() {
					start := cpu(b)
					for range batch {
						c.release(b)
					}
					timed += cpu(b) - start
					calls += batch
					for range batch {
						c.place(b, BestFit)
					}
				}
				report(b, timed, calls)
			})
		}
	}
}

func BenchmarkOverlaps(b *testing.B) {
	for _, l := range []load{loadV4, loadV6} {
		for _, n := range sizes {
			c := l.fill(b, n)
			var table bart.Lite
			for _, p := range c.held {
				table.Insert(p)
			}
			ask := make([]netip.Prefix, 1<<14)
			for i := range ask {
				if i%2 == 0 {
					ask[i] = c.held[c.IntN(n)]
					continue
				}
				k := keyOf(l.root.Addr()).or(key{c.Uint64(), c.Uint64()}.andNot(first(l.root.Bits())))
				bits := c.low + c.IntN(c.high-c.low+1)
				ask[i] = k.and(first(bits)).block(l.root.Addr().BitLen(), bits)
			}
			for _, side := range []struct {
				name     string
				overlaps func(netip.Prefix) bool
			}{{"tree", c.tree.Overlaps}, {"bart", table.OverlapsPrefix}} {
				b.Run(fmt.Sprintf("%s/%d/%s", l.name, n, side.name), func(b *testing.B) {
					for i := 0; b.Loop(); i++ {
						side.overlaps(ask[i%len(ask)])
					}
				})
			}
		}
	}
}

func BenchmarkDoesNotFit(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := loadV4.fill(b, n)
			for b.Loop() {
				if _, err := c.tree.Allocate(BestFit, 0); err == nil {
					b.Fatal("a pool in use has its root free")
				}
			}
		})
	}
}

// BenchmarkBytesPerBlock weighs trees with half their blocks released, and
// trees of blocks named at random, which is the worst that callers do.
func BenchmarkBytesPerBlock(b *testing.B) {
	const n = 1_000_000
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for _, l := range []load{loadV4, loadV6} {
		for name, fill := range map[string]func() *churn{
			"released": func() *churn { return l.fill(b, n) },
			"scattered": func() *churn {
				c := &churn{load: l, Rand: rand.New(rand.NewPCG(1, 2)), tree: NewTree(l.root)}
				for len(c.held) < n {
					k := keyOf(l.root.Addr()).or(key{c.Uint64(), c.Uint64()}.andNot(first(l.root.Bits())))
					p := k.and(first(l.high)).block(l.root.Addr().BitLen(), l.high)
					if c.tree.AllocateAt(p) == nil {
						c.held = append(c.held, p)
					}
				}
				return c
			},
		} {
			b.Run(l.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					before := heap()
					c := fill()
					c.held = nil
					b.ReportMetric(float64(heap()-before)/n, "B/block")
					runtime.KeepAlive(c)
				}
			})
		}
	}
}

// BenchmarkNetipxRemoveFreePrefix is the same placement by a set of ranges
// that is copied on every change.
func BenchmarkNetipxRemoveFreePrefix(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := loadV4.fill(b, n)
			var builder netipx.IPSetBuilder
			for p := range c.tree.Free() {
				builder.AddPrefix(p)
			}
			set, err := builder.IPSet()
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, _, ok := set.RemoveFreePrefix(uint8(loadV4.high)); !ok {
					b.Fatal("nothing is free")
				}
			}
		})
	}
}
