package registry_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// rest is a block, and until when nobody may have it but a name that released it, or an allocation that gave it up and goes on.
type rest struct {
	whose string
	cidr  netip.Prefix
	until time.Time
}

// ward is a random life of allocations in pools that keep what is released, with what must be true of it.
type ward struct {
	planner
	scope string
	rests []rest
	has   map[string]ipam.Allocation // by pool and name
	gone  []ipam.Allocation
	past  []moment
}

// moment is which allocations lived at a time.
type moment struct {
	at    time.Time
	lived []ipam.Allocation
}

const wardKeeps = 3 * time.Hour

// TestNothingIsHandedOutBeforeItHasRested walks every way by which a block changes hands.
func TestNothingIsHandedOutBeforeItHasRested(t *testing.T) {
	eachPlannerOnce(t, func(t *testing.T, r planner) {
		checks(t, map[bool]int{true: 60, false: 8}[r.url[0] == 's'])
		rapid.Check(t, func(t *rapid.T) {
			w := &ward{planner: r, scope: r.scope(t), has: map[string]ipam.Allocation{}}
			w.rootIn(t, w.scope, "root", "10.0.0.0/24", keeps(wardKeeps))
			t.Repeat(map[string]func(*rapid.T){
				"":         w.remember,
				"allocate": w.allocate, "release": w.releaseOne, "resize": w.resizeOne, "restore": w.restore, "rename": w.rename,
				"plan": w.plan, "throw away": w.throwAway, "child": w.childPool, "delete": w.deletePool, "early": w.early,
				"wait": func(t *rapid.T) { w.wait(time.Duration(rapid.IntRange(1, 200).Draw(t, "minutes")) * time.Minute) },
				"collect": func(t *rapid.T) {
					if _, err := w.EndQuarantines(context.Background()); err != nil {
						t.Fatal(err)
					}
				},
			})
			w.wantHistory(t)
			w.wantSound(t)
		})
	})
}

func eachPlannerOnce(t *testing.T, body func(t *testing.T, r planner)) {
	t.Helper()
	for name, url := range storetest.Engines(t) {
		t.Run(name, func(t *testing.T) {
			at, now := url(t), clock
			body(t, planner{lab: setUp(t, labOn(storetest.Open(t, at), at, func() time.Time { return now })), now: &now})
		})
	}
}

// used fails where what a name is given is not to be had yet.
func (w *ward) used(t *rapid.T, name, id string, cidr netip.Prefix, how string) {
	for _, r := range w.rests {
		if r.cidr.Overlaps(cidr) && w.now.Before(r.until) && r.whose != name && r.whose != id {
			for _, e := range w.chronicle(t) {
				t.Log(e)
			}
			t.Fatalf("%s: %s, %s, has %s, of which %s rests until %s for %s; it is %s", how, name, id, cidr, r.cidr, r.until, r.whose, *w.now)
		}
	}
}

// left notes what a name, or an allocation that goes on, has left. What it has back and leaves again rests anew.
func (w *ward) left(whose string, cidr netip.Prefix) {
	w.rests = append(w.rests, rest{whose, cidr, w.now.Add(wardKeeps)})
}

// takes notes what an allocation has by now: no longer does that rest for it.
func (w *ward) takes(t *rapid.T, name string, a ipam.Allocation, how string) {
	w.used(t, name, a.ID, a.CIDR, how)
	w.rests = slices.DeleteFunc(w.rests, func(r rest) bool { return a.CIDR.Overlaps(r.cidr) && (r.whose == name || r.whose == a.ID) })
}

func (w *ward) pools(t *rapid.T) []ipam.Pool {
	all, err := w.Pools(context.Background(), ipam.PoolFilter{Scope: w.scope}, ipam.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (w *ward) anyPool(t *rapid.T) ipam.Pool {
	all := w.pools(t)
	return all[rapid.IntRange(0, len(all)-1).Draw(t, "pool")]
}

func (w *ward) name(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name")
}

// want is a size, or a block somewhere in a pool.
func (w *ward) want(t *rapid.T, p ipam.Pool) string {
	bits := min(32, max(p.CIDR.Bits(), rapid.IntRange(25, 28).Draw(t, "bits")))
	if rapid.Bool().Draw(t, "by size") {
		return fmt.Sprintf("/%d", bits)
	}
	raw := p.CIDR.Addr().As4()
	raw[3] |= byte(rapid.IntRange(0, 255).Draw(t, "at")) & byte(1<<(32-p.CIDR.Bits())-1)
	return netip.PrefixFrom(netip.AddrFrom4(raw), bits).Masked().String()
}

func livesAs(p ipam.Pool, name string) string { return string(p.UID) + name }

// owner is a name as rests know it: of a pool by its name, since one that is made anew has what was its own.
func owner(p ipam.Pool, name string) string { return p.ID + "/" + name }

func (w *ward) allocate(t *rapid.T) {
	p, name := w.anyPool(t), w.name(t)
	a, err := w.try(p, name, w.want(t, p))
	if err != nil {
		w.refused(t, err)
		return
	}
	w.takes(t, owner(p, name), a, "allocate")
	w.has[livesAs(p, name)] = a
}

func (w *ward) refused(t *rapid.T, err error) {
	switch ipam.CodeOf(err) {
	case ipam.CodeNameTaken, ipam.CodeCIDRTaken, ipam.CodePoolExhausted, ipam.CodeOutsidePool, ipam.CodeHoldLost, ipam.CodeHoldConflict, ipam.CodePoolNotEmpty,
		ipam.CodePreconditionFailed, ipam.CodeNotFound, ipam.CodeInvalid:
	default:
		for _, e := range w.chronicle(t) {
			t.Log(e)
		}
		t.Fatal(err)
	}
}

func (w *ward) one(t *rapid.T) (string, ipam.Allocation, bool) {
	var keys []string
	for _, p := range w.pools(t) {
		for _, name := range []string{"a", "b", "c", "d"} {
			if _, has := w.has[livesAs(p, name)]; has {
				keys = append(keys, livesAs(p, name))
			}
		}
	}
	if len(keys) == 0 {
		return "", ipam.Allocation{}, false
	}
	k := rapid.SampledFrom(keys).Draw(t, "allocation")
	return k, w.has[k], true
}

func (w *ward) ownerOf(a ipam.Allocation) string { return a.Pool + "/" + a.Name }

func (w *ward) releaseOne(t *rapid.T) {
	k, a, some := w.one(t)
	if !some {
		return
	}
	w.release(t, a)
	delete(w.has, k)
	w.left(w.ownerOf(a), a.CIDR)
	w.gone = append(slices.DeleteFunc(w.gone, func(g ipam.Allocation) bool { return g.ID == a.ID }), a)
}

func (w *ward) resizeOne(t *rapid.T) {
	k, a, some := w.one(t)
	if !some {
		return
	}
	after, err := w.UpdateAllocation(context.Background(), alice, a.ID, ipam.AnyVersion, ipam.AllocationPatch{Length: ptr(rapid.IntRange(25, 29).Draw(t, "bits"))})
	if err != nil {
		w.refused(t, err)
		return
	}
	w.takes(t, w.ownerOf(a), after, "resize")
	if given, grows := alloc.Border(a.CIDR, after.CIDR); !grows {
		for _, b := range given {
			w.left(a.ID, b)
		}
	}
	w.has[k] = after
}

func (w *ward) rename(t *rapid.T) {
	k, a, some := w.one(t)
	if !some {
		return
	}
	to := w.name(t)
	after, err := w.UpdateAllocation(context.Background(), alice, a.ID, ipam.AnyVersion, ipam.AllocationPatch{Name: &to})
	if err != nil {
		w.refused(t, err)
		return
	}
	delete(w.has, k)
	w.has[string(a.PoolUID)+to] = after
}

func (w *ward) restore(t *rapid.T) {
	if len(w.gone) == 0 {
		return
	}
	a := w.gone[rapid.IntRange(0, len(w.gone)-1).Draw(t, "gone")]
	back, err := w.Restore(context.Background(), alice, a.ID)
	if err != nil {
		w.refused(t, err)
		return
	}
	if back.CIDR != a.CIDR || back.ID != a.ID || back.Name != a.Name {
		t.Fatalf("restored %+v, want %+v", back, a)
	}
	w.takes(t, w.ownerOf(back), back, "restore")
	w.has[string(back.PoolUID)+back.Name] = back
}

func (w *ward) plan(t *rapid.T) {
	p, name := w.anyPool(t), w.name(t)
	h, err := w.tryHold(alice, p.ID, name, w.want(t, p), func(in *ipam.NewHold) {
		in.Plan = ipam.Plan{Holder: "h", Run: fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "run")), TTL: time.Hour}
	})
	if err != nil {
		if code := ipam.CodeOf(err); code != ipam.CodePlanAgain && code != ipam.CodeReleasePending {
			w.refused(t, err)
		}
		return
	}
	if a, lives := w.has[livesAs(p, name)]; !lives || a.CIDR != h.CIDR {
		w.used(t, owner(p, name), a.ID, h.CIDR, "plan")
	}
}

func (w *ward) throwAway(t *rapid.T) {
	holds, err := w.Holds(context.Background(), ipam.HoldFilter{Scope: w.scope}, ipam.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range holds {
		if rapid.Bool().Draw(t, h.Name) {
			if err := w.ReleaseHold(context.Background(), alice, h.ID); err != nil {
				w.refused(t, err)
			}
		}
	}
}

func (w *ward) childPool(t *rapid.T) {
	parent, name := w.anyPool(t), rapid.SampledFrom([]string{"p", "q"}).Draw(t, "pool name")
	want := w.want(t, parent)
	if rapid.Bool().Draw(t, "planned") {
		in := ipam.NewPool{Scope: w.scope, Name: name, Parent: parent.ID}
		in.CIDR, in.Length = wanted(want)
		if _, err := w.DraftPool(context.Background(), alice, in, ipam.Plan{TTL: time.Hour}); err != nil {
			w.refused(t, err)
		}
		if rapid.Bool().Draw(t, "thrown away") {
			return
		}
	}
	if _, err := w.tryChild(parent, name, want); err != nil {
		w.refused(t, err)
	}
}

func (w *ward) deletePool(t *rapid.T) {
	p := w.anyPool(t)
	if p.Parent == "" && !rapid.Bool().Draw(t, "root") {
		return
	}
	if err := w.DeletePool(context.Background(), alice, p.ID, ipam.Exactly(p.ETag())); err != nil {
		w.refused(t, err)
		return
	}
	if p.Parent == "" {
		w.rootIn(t, w.scope, "root", "10.0.0.0/24", keeps(wardKeeps))
	}
}

// early makes a block free before its time, as somebody may.
func (w *ward) early(t *rapid.T) {
	all, err := w.Quarantines(context.Background(), ipam.Everything, ipam.QuarantineFilter{Scope: w.scope}, ipam.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		return
	}
	q := all[rapid.IntRange(0, len(all)-1).Draw(t, "quarantine")]
	if err := w.EndQuarantine(context.Background(), alice, q.ID); err != nil {
		t.Fatal(err)
	}
	var kept []rest
	for _, r := range w.rests {
		switch {
		case !r.cidr.Overlaps(q.CIDR):
			kept = append(kept, r)
		case r.cidr.Bits() < q.CIDR.Bits(): // all of it but this
			for _, part := range alloc.Buddies(r.cidr, q.CIDR) {
				kept = append(kept, rest{r.whose, part, r.until})
			}
		}
	}
	w.rests = kept
}

// chronicle is all that happened in the scope, for a failure to be understood.
func (w *ward) chronicle(t *rapid.T) (all []string) {
	events, err := w.Events(context.Background(), ipam.EventFilter{Scope: w.scope, OldestFirst: true}, ipam.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		all = append(all, fmt.Sprint(e.At.Format(time.TimeOnly), " ", e.Action, " ", e.ObjectID))
	}
	return all
}

// remember notes who lives now, at a time of its own.
func (w *ward) remember(t *rapid.T) {
	w.wait(time.Second)
	lived, err := w.Allocations(context.Background(), ipam.AllocationFilter{Scope: w.scope}, ipam.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	w.past = append(w.past, moment{*w.now, lived})
	w.wait(time.Second)
}

// wantHistory asks who had a block at each time, and wants exactly those who did.
func (w *ward) wantHistory(t *rapid.T) {
	within := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(0, 255).Draw(t, "asked"))}), rapid.IntRange(24, 32).Draw(t, "asked bits")).Masked()
	for _, m := range w.past {
		var got, want []string
		for next, more := int64(0), true; more; more = next != 0 {
			var spans []ipam.Span
			var err error
			if spans, next, err = w.History(context.Background(), ipam.Everything, w.scope, within, m.at, next, 3); err != nil {
				t.Fatal(err)
			}
			for _, s := range spans {
				if s.Kind == ipam.KindAllocation {
					got = append(got, fmt.Sprint(s.ID, s.Name, s.CIDR, s.Pool))
				}
			}
		}
		for _, a := range m.lived {
			if a.CIDR.Overlaps(within) {
				want = append(want, fmt.Sprint(a.ID, a.Name, a.CIDR, a.Pool))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%s had at %s\n%v, want\n%v", within, m.at, got, want)
		}
	}
}
