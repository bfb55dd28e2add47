package powercut

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/insight"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/registry"
)

// op is one change that a client asked for, and what it made of what the client has: the block of each thing, "" when it was
// given back.
type op struct {
	client int
	made   map[string]string
}

// client asks for one change after the other, so at a cut at most one of its changes is neither answered nor unasked.
type client struct {
	n    int
	pool string
	draw *rand.Rand
	made int

	allocations  []ipam.Allocation
	reservations []ipam.Reservation
	holds        []ipam.Hold
	sets         []ipam.AllocationSet
}

var by = ipam.System("powercut")

func (c *client) name() string {
	c.made++
	return fmt.Sprintf("c%d-%d", c.n, c.made)
}

func allocated(name string) string { return "allocation " + name }

// change does the next thing, and says what it came to.
func (c *client) change(r *registry.Registry) (made map[string]string, err error) {
	ctx, length := context.Background(), 28
	switch n := c.draw.IntN(20); {
	case n < 3 && len(c.allocations) > 0:
		a := take(c.draw, &c.allocations)
		return map[string]string{allocated(a.Name): ""}, r.Release(ctx, by, a.ID, ipam.Match{})
	case n < 5 && len(c.allocations) > 0:
		a := take(c.draw, &c.allocations)
		half := netip.PrefixFrom(a.CIDR.Addr(), min(a.CIDR.Bits()+1, 32))
		a, err = r.UpdateAllocation(ctx, by, a.ID, ipam.AnyVersion, ipam.AllocationPatch{CIDR: &half})
		c.allocations = append(c.allocations, a)
		return map[string]string{allocated(a.Name): a.CIDR.String()}, err
	case n < 7:
		v, err := r.Reserve(ctx, by, ipam.NewReservation{Pool: c.pool, Length: &length, Reason: c.name()})
		c.reservations = append(c.reservations, v)
		return map[string]string{"reservation " + v.Reason: v.CIDR.String()}, err
	case n < 8 && len(c.reservations) > 0:
		v := take(c.draw, &c.reservations)
		return map[string]string{"reservation " + v.Reason: ""}, r.ReleaseReservation(ctx, by, v.ID, ipam.AnyVersion)
	case n < 10:
		h, err := r.Promise(ctx, by, ipam.NewHold{Pool: c.pool, Name: c.name(), BlockSize: ipam.BlockSize{Length: &length}})
		c.holds = append(c.holds, h)
		return map[string]string{"hold " + h.Name: h.CIDR.String()}, err
	case n < 12 && len(c.holds) > 0:
		h := take(c.draw, &c.holds)
		a, err := r.Allocate(ctx, by, ipam.NewAllocation{Pool: c.pool, Name: h.Name, BlockSize: ipam.BlockSize{Length: &length}})
		if err == nil && a.CIDR != h.CIDR {
			err = fmt.Errorf("%s was promised %s and got %s", h.Name, h.CIDR, a.CIDR)
		}
		c.allocations = append(c.allocations, a)
		return map[string]string{"hold " + h.Name: "", allocated(a.Name): a.CIDR.String()}, err
	case n < 14:
		set, err := r.AllocateSet(ctx, by, ipam.NewAllocationSet{Pool: c.pool, Name: c.name(), SetSizes: ipam.SetSizes{
			Members: map[string]ipam.BlockSize{"a": {Length: &length}, "b": {Length: &length}, "c": {Length: &length}},
		}})
		c.sets = append(c.sets, set)
		return members(set, netip.Prefix.String), err
	case n < 15 && len(c.sets) > 0:
		set := take(c.draw, &c.sets)
		return members(set, func(netip.Prefix) string { return "" }), r.ReleaseSet(ctx, by, set.ID, ipam.AnyVersion)
	}
	a, err := r.Allocate(ctx, by, ipam.NewAllocation{Pool: c.pool, Name: c.name(), BlockSize: ipam.BlockSize{Length: &length}})
	c.allocations = append(c.allocations, a)
	return map[string]string{allocated(a.Name): a.CIDR.String()}, err
}

func members(set ipam.AllocationSet, block func(netip.Prefix) string) map[string]string {
	made := map[string]string{}
	for _, m := range set.Members {
		made[allocated(ipam.MemberName(set.Name, m.Key))] = block(m.CIDR)
	}
	return made
}

// take draws one of what a client has, and takes it from there.
func take[T any](draw *rand.Rand, from *[]T) T {
	i := draw.IntN(len(*from))
	one := (*from)[i]
	*from = append((*from)[:i:i], (*from)[i+1:]...)
	return one
}

// known is what a server has of what clients make.
func known(t testing.TB, k *change.Kernel) map[string]string {
	t.Helper()
	r, ctx, found := insight.New(k), context.Background(), map[string]string{}
	fail := func(err error) {
		if err != nil {
			t.Fatalf("read what is there: %v", err)
		}
	}
	fail(change.EachPage(func(p ipam.Page) ([]ipam.Allocation, error) {
		return r.Allocations(ctx, ipam.Everything, ipam.AllocationFilter{}, p)
	},
		func(a ipam.Allocation) string { return a.ID }, func(a ipam.Allocation) error {
			found[allocated(a.Name)] = a.CIDR.String()
			return nil
		}))
	fail(change.EachPage(func(p ipam.Page) ([]ipam.Reservation, error) {
		return r.Reservations(ctx, ipam.Everything, ipam.ReservationFilter{}, p)
	}, func(v ipam.Reservation) string { return v.ID }, func(v ipam.Reservation) error {
		found["reservation "+v.Reason] = v.CIDR.String()
		return nil
	}))
	fail(change.EachPage(func(p ipam.Page) ([]ipam.Hold, error) { return r.Holds(ctx, ipam.Everything, ipam.HoldFilter{}, p) },
		func(h ipam.Hold) string { return h.ID }, func(h ipam.Hold) error {
			found["hold "+h.Name] = h.CIDR.String()
			return nil
		}))
	return found
}

// ledger is what clients were told up to a point, and what each is waiting for there.
type ledger struct {
	ops  []op
	has  map[string]string
	open map[int]op // by client
}

func (l *ledger) apply(e entry) {
	switch o := l.ops[e.op]; e.what {
	case begins:
		l.open[o.client] = o
	case answers:
		delete(l.open, o.client)
		enter(l.has, o)
	}
}

func enter(has map[string]string, o op) {
	for thing, block := range o.made {
		if has[thing] = block; block == "" {
			delete(has, thing)
		}
	}
}

// differences are what a server has lost, and what it has and nobody asked for. A change that was not answered may be done or
// not, but not by half.
func (l *ledger) differences(found map[string]string) (all []string) {
	want := maps.Clone(l.has)
	for _, o := range l.open {
		done := 0
		for thing, block := range o.made {
			if found[thing] == block {
				done++
			}
		}
		switch {
		case done == len(o.made):
			enter(want, o)
		case done > 0:
			all = append(all, fmt.Sprintf("half of %v is done", o.made))
		}
	}
	for thing, block := range want {
		if found[thing] != block {
			all = append(all, fmt.Sprintf("%s: %s was acknowledged, and it has %q", thing, block, found[thing]))
		}
		delete(found, thing)
	}
	for thing, block := range found {
		all = append(all, fmt.Sprintf("%s %s is there; it was given back, or nobody was given it", thing, block))
	}
	return all
}
