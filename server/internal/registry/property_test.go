package registry_test

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// checks sets how many sequences rapid tries in this test: PostgreSQL answers more slowly. A -rapid.checks by hand counts
// instead.
func checks(t *testing.T, n int) {
	t.Helper()
	setting := flag.Lookup("rapid.checks")
	byHand := false
	flag.Visit(func(f *flag.Flag) { byHand = byHand || f.Name == setting.Name })
	if byHand {
		return
	}
	before := setting.Value.String()
	if err := setting.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = setting.Value.Set(before) })
}

func TestTheRegistryBehavesAsTheModel(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		checks(t, map[bool]int{true: 40, false: 8}[r.url[0] == 's'])
		rapid.Check(t, func(t *rapid.T) {
			run := &run{lab: r, model: newModel(), scope: r.scope(t)}
			t.Repeat(map[string]func(*rapid.T){
				"":               run.compare,
				"create root":    run.createRoot,
				"create child":   run.createChild,
				"delete pool":    run.deletePool,
				"allocate":       run.allocate,
				"allocate again": run.allocate, // twice as often as the rest
				"allocate named": run.allocateNamed,
				"release":        run.release,
				"resize":         run.resize,
				"regrow":         run.regrow,
				"move":           run.move,
				"enclose":        run.enclose,
				"dissolve":       run.dissolve,
				"reserve":        run.reserve,
				"unreserve":      run.unreserve,
			})
			r.wantSound(t)
		})
	})
}

// run is one sequence of changes, in a scope of its own.
type run struct {
	lab
	model *model
	scope string
}

var (
	rootNames = rapid.SampledFrom([]string{"r0", "r1", "r2"})
	rootCIDRs = rapid.SampledFrom([]string{"10.0.0.0/24", "10.0.1.0/24", "10.0.0.0/23", "0.0.0.0/0", "2001:db8::/120", "2001:db8::/112", "::/0", "255.255.255.252/30"})
	childs    = rapid.SampledFrom([]string{"c0", "c1", "c2", "c3"})
	names     = rapid.SampledFrom([]string{"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"})
	ways      = rapid.SampledFrom([]alloc.Strategy{alloc.BestFit, alloc.FirstFit, alloc.LargestFit, alloc.Sparse})
)

// pool is any pool. Where there is none it is made first: rapid gives up on a run in which too many actions in a row are skipped.
func (s *run) pool(t *rapid.T) *modelPool {
	if len(s.model.ids()) == 0 {
		s.createRoot(t)
	}
	return s.model.pools[rapid.SampledFrom(s.model.ids()).Draw(t, "pool")]
}

func length(t *rapid.T, p *modelPool) int {
	return rapid.IntRange(p.CIDR.Bits(), min(p.CIDR.Bits()+6, p.CIDR.Addr().BitLen())).Draw(t, "length")
}

// block is a block inside the pool, at random.
func block(t *rapid.T, p *modelPool) netip.Prefix {
	at := p.CIDR
	for n := length(t, p); at.Bits() < n; {
		lower, upper := halves(at)
		at = map[bool]netip.Prefix{true: upper, false: lower}[rapid.Bool().Draw(t, "upper")]
	}
	return at
}

func (s *run) add(p ipam.Pool) {
	s.model.pools[p.ID] = &modelPool{Pool: p, taken: map[holder]netip.Prefix{}, ids: map[string]string{}}
}

func (s *run) createRoot(t *rapid.T) {
	name, cidr := rootNames.Draw(t, "name"), netip.MustParsePrefix(rootCIDRs.Draw(t, "cidr"))
	wantErr := s.model.pools[ipam.PoolID(s.scope, name)] != nil
	for _, other := range s.model.roots {
		wantErr = wantErr || other.CIDR.Overlaps(cidr)
	}
	p, err := s.CreatePool(context.Background(), alice, ipam.NewPool{Scope: s.scope, Name: name, CIDR: cidr, Strategy: ways.Draw(t, "strategy")})
	if (err != nil) != wantErr {
		t.Fatalf("create root %s %s: %v, want an error: %v", name, cidr, err, wantErr)
	}
	if err == nil {
		s.add(p)
		s.model.roots[name] = s.model.pools[p.ID]
	}
}

func (s *run) createChild(t *rapid.T) {
	parent, name := s.pool(t), childs.Draw(t, "name")
	bits, way := length(t, parent), ways.Draw(t, "strategy")
	who := holder{ipam.KindPool, name}
	at, fits := s.model.pick(parent, who, bits)
	p, err := s.tryChild(parent.Pool, name, fmt.Sprint("/", bits), strategy(way))
	switch {
	case s.model.pools[ipam.PoolID(s.scope, name)] != nil:
		wantCode(t, err, ipam.CodeNameTaken)
	case !fits:
		wantCode(t, err, ipam.CodePoolExhausted)
	case err != nil || p.CIDR != at:
		t.Fatalf("create %s /%d in %s: %s, %v, want %s", name, bits, parent.ID, p.CIDR, err, at)
	default:
		parent.taken[who] = at
		s.add(p)
	}
}

func (s *run) deletePool(t *rapid.T) {
	p := s.pool(t)
	err := s.DeletePool(context.Background(), alice, p.ID, ipam.Exactly(p.ETag()))
	if len(p.taken) > 0 {
		wantCode(t, err, ipam.CodePoolNotEmpty)
		return
	}
	if err != nil {
		t.Fatalf("delete %s: %v", p.ID, err)
	}
	if parent := s.model.around(p); parent != nil {
		s.model.leave(parent, holder{ipam.KindPool, p.Name})
	}
	delete(s.model.roots, p.Name)
	delete(s.model.pools, p.ID)
}

func (s *run) allocate(t *rapid.T) {
	p, name := s.pool(t), names.Draw(t, "name")
	bits, who := length(t, p), holder{ipam.KindAllocation, name}
	at, fits := s.model.pick(p, who, bits)
	a, err := s.try(p.Pool, name, fmt.Sprint("/", bits))
	switch {
	case p.ids[name] != "":
		wantCode(t, err, ipam.CodeNameTaken)
	case !fits:
		e := wantCode(t, err, ipam.CodePoolExhausted)
		wantLargest(t, e, p.free())
	case err != nil || a.CIDR != at:
		t.Fatalf("allocate %s /%d in %s: %s, %v, want %s", name, bits, p.ID, a.CIDR, err, at)
	default:
		p.taken[who], p.ids[name] = at, a.ID
	}
}

func (s *run) allocateNamed(t *rapid.T) {
	p, name := s.pool(t), names.Draw(t, "name")
	at := block(t, p)
	a, err := s.try(p.Pool, name, at.String())
	switch {
	case p.ids[name] != "":
		wantCode(t, err, ipam.CodeNameTaken)
	case !p.isFree(at):
		e := wantCode(t, err, ipam.CodeCIDRTaken)
		if len(e.Holders) == 0 || !e.Holders[0].CIDR.Overlaps(at) {
			t.Fatalf("holders of %s = %+v", at, e.Holders)
		}
	case err != nil || a.CIDR != at:
		t.Fatalf("allocate %s %s in %s: %s, %v", name, at, p.ID, a.CIDR, err)
	default:
		p.taken[holder{ipam.KindAllocation, name}], p.ids[name] = at, a.ID
	}
}

func (s *run) release(t *rapid.T) {
	p, name := s.pool(t), names.Draw(t, "name")
	if p.ids[name] == "" {
		t.Skip("no such allocation")
	}
	s.lab.release(t, ipam.Allocation{ID: p.ids[name], Name: name})
	delete(p.ids, name)
	s.model.leave(p, holder{ipam.KindAllocation, name})
}

func (s *run) reserve(t *rapid.T) {
	p, reason := s.pool(t), names.Draw(t, "reason")
	who := holder{ipam.KindReservation, reason}
	if p.taken[who].IsValid() {
		t.Skip("the model tells reservations apart by their reason")
	}
	ask := block(t, p).String()
	var at netip.Prefix
	var fits bool
	if rapid.Bool().Draw(t, "placed") {
		bits := length(t, p)
		ask = fmt.Sprint("/", bits)
		at, fits = s.model.pick(p, who, bits)
	} else {
		at = netip.MustParsePrefix(ask)
		fits = p.isFree(at)
	}
	v, err := s.tryReserve(p.Pool, reason, ask)
	if (err == nil) != fits || fits && v.CIDR != at {
		t.Fatalf("reserve %s in %s: %s, %v, want %s: %v", ask, p.ID, v.CIDR, err, at, fits)
	}
	if fits {
		p.taken[who], p.ids[reservation(reason)] = at, v.ID
	}
}

func (s *run) unreserve(t *rapid.T) {
	p, reason := s.pool(t), names.Draw(t, "reason")
	id := p.ids[reservation(reason)]
	if id == "" {
		t.Skip("no such reservation")
	}
	if err := s.ReleaseReservation(context.Background(), alice, id, ipam.Match{}); err != nil {
		t.Fatalf("release %s in %s: %v", reason, p.ID, err)
	}
	delete(p.ids, reservation(reason))
	delete(p.taken, holder{ipam.KindReservation, reason}) // nobody comes back for a reservation's block
}

// reservation is the key of a reservation's id among those of allocations.
func reservation(reason string) string { return "reserved: " + reason }

func (s *run) resize(t *rapid.T) {
	p := s.pool(t)
	to := netip.PrefixFrom(p.CIDR.Addr(), max(0, p.CIDR.Bits()-rapid.IntRange(1, 3).Draw(t, "bits"))).Masked()
	if rapid.Bool().Draw(t, "shrink") {
		to = block(t, p)
	}
	may := s.model.mayBecome(p, to)
	resized, err := s.lab.resize(p.Pool, to.String())
	if (err == nil) != may {
		t.Fatalf("resize %s from %s to %s: %v, want success: %v", p.ID, p.CIDR, to, err, may)
	}
	if err != nil {
		return
	}
	p.Pool = resized
	if parent := s.model.around(p); parent != nil {
		parent.taken[holder{ipam.KindPool, p.Name}] = to
	}
}

func (s *run) regrow(t *rapid.T) {
	p, name := s.pool(t), names.Draw(t, "name")
	if p.ids[name] == "" {
		t.Skip("no such allocation")
	}
	who := holder{ipam.KindAllocation, name}
	to := block(t, p)
	if from := p.taken[who]; rapid.Bool().Draw(t, "grow") {
		to = netip.PrefixFrom(from.Addr(), max(p.CIDR.Bits(), from.Bits()-rapid.IntRange(1, 3).Draw(t, "bits"))).Masked()
	}
	may := s.model.mayRegrow(p, who, to)
	now, err := s.Allocation(context.Background(), p.ids[name])
	if err == nil {
		_, err = s.lab.regrow(now, to.String())
	}
	if (err == nil) != may {
		t.Fatalf("resize %s in %s from %s to %s: %v, want success: %v", name, p.ID, p.taken[who], to, err, may)
	}
	if err == nil && to != p.taken[who] {
		s.model.leave(p, who)
		p.taken[who] = to
	}
}

func (s *run) move(t *rapid.T) {
	p, to := s.pool(t), s.pool(t)
	if to.ID == p.Parent {
		t.Skip("it is there")
	}
	bits, who := length(t, to), holder{ipam.KindPool, p.Name}
	at, fits := s.model.pick(to, who, bits)
	moved, err := s.rehome(p.Pool, to.ID, fmt.Sprint("/", bits))
	switch {
	case to == p:
		wantCode(t, err, ipam.CodeInvalid)
	case len(p.taken) > 0:
		wantCode(t, err, ipam.CodePoolNotEmpty)
	case ipam.Family(p.CIDR) != ipam.Family(to.CIDR):
		wantCode(t, err, ipam.CodeInvalid)
	case !fits:
		wantCode(t, err, ipam.CodePoolExhausted)
	case err != nil || moved.CIDR != at:
		t.Fatalf("move %s to %s /%d: %s, %v, want %s", p.ID, to.ID, bits, moved.CIDR, err, at)
	default:
		if parent := s.model.around(p); parent != nil {
			s.model.leave(parent, who)
		}
		delete(s.model.roots, p.Name)
		to.taken[who], p.Pool = at, moved
	}
}

// compare is done after every step.
func (s *run) compare(t *rapid.T) {
	for _, id := range s.model.ids() {
		p := s.model.pools[id]
		if got, want := fmt.Sprint(s.free(t, p.Pool)), fmt.Sprint(p.free()); got != want {
			t.Fatalf("free in %s = %s, want %s", id, got, want)
		}
	}
}

func wantLargest(t tb, e *ipam.Error, free []netip.Prefix) {
	t.Helper()
	largest := -1
	for _, block := range free {
		if largest < 0 || block.Bits() < largest {
			largest = block.Bits()
		}
	}
	if got := e.LargestFree; (got == nil) != (largest < 0) || got != nil && *got != largest {
		t.Errorf("largest free = %v, want %d", got, largest)
	}
}
