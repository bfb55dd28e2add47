package registry_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// kinds of what expires, in the order to take them.
const (
	keptOut = iota
	held
	drafted
	standing // never expires
)

// occupant is something in a pool, and when it runs out.
type occupant struct {
	kind int
	id   string
	cidr netip.Prefix
	ends time.Time
}

// occupy puts something in a pool that runs out after a while.
func (r planner) occupy(pool ipam.Pool, kind int, name, want string, ttl time.Duration) (occupant, error) {
	ends := r.now.Add(ttl)
	switch kind {
	case keptOut:
		v, err := r.tryReserve(pool, name, want, ends)
		return occupant{kind, v.ID, v.CIDR, ends}, err
	case held:
		h, err := r.tryHold(alice, pool.ID, name, want, func(in *ipam.NewHold) { in.Plan.TTL = ttl })
		return occupant{kind, h.ID, h.CIDR, ends}, err
	case drafted:
		in := ipam.NewPool{Scope: pool.Scope, Name: name, Parent: pool.ID}
		in.CIDR, in.Length = wanted(want)
		p, err := r.DraftPool(context.Background(), alice, in, ipam.Plan{TTL: ttl})
		return occupant{kind, p.ID, p.CIDR, ends}, err
	default:
		a, err := r.try(pool, name, want)
		return occupant{kind, a.ID, a.CIDR, ends}, err
	}
}

// there reports whether an occupant still has its space.
func (r planner) there(t tb, o occupant) bool {
	t.Helper()
	ctx, is := context.Background(), true
	var err error
	switch o.kind {
	case keptOut:
		_, err = r.Reservation(ctx, o.id)
	case held:
		var h ipam.Hold
		h, err = r.Hold(ctx, o.id)
		is = h.Kept
	case drafted:
		var all []ipam.Pool
		all, err = r.Drafts(ctx, "", ipam.Page{Limit: 1000})
		is = slices.ContainsFunc(all, func(p ipam.Pool) bool { return p.ID == o.id })
	default:
		_, err = r.Allocation(ctx, o.id)
	}
	if err != nil && ipam.CodeOf(err) != ipam.CodeNotFound {
		t.Fatalf("look for %s: %v", o.cidr, err)
	}
	return err == nil && is
}

// The block is that of a pool whose expired things are given back one by one, the oldest first, until something fits; only
// what stood in that block is gone.
func TestOfWhatExpiredTheOldestThatHelpsIsTakenAndNothingElse(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		checks(t, map[bool]int{true: 60, false: 20}[r.url[0] == 's'])
		rapid.Check(t, func(t *rapid.T) {
			cidr := rapid.SampledFrom([]string{"10.0.0.0/24", "0.0.0.0/24", "255.255.255.0/24", "2001:db8::/120", "::/120"}).Draw(t, "pool")
			way := ways.Draw(t, "strategy")
			pool := r.root(t, cidr, func(in *ipam.NewPool) { in.Strategy = way })
			root := pool.CIDR.Bits()

			free := alloc.NewTree(pool.CIDR)
			var all []occupant
			for i := range rapid.IntRange(0, 24).Draw(t, "things") {
				kind := rapid.SampledFrom([]int{keptOut, held, held, drafted, standing}).Draw(t, "kind")
				length := root + rapid.IntRange(1, 6).Draw(t, "length")
				ttl := time.Minute * time.Duration(1+rapid.IntRange(0, 40).Draw(t, "ends")*100+i) // no two alike
				o, err := r.occupy(pool, kind, fmt.Sprint("n", i), fmt.Sprint("/", length), ttl)
				if ipam.CodeOf(err) == ipam.CodePoolExhausted {
					continue
				}
				if err != nil {
					t.Fatalf("occupy a /%d: %v", length, err)
				}
				if err := free.AllocateAt(o.cidr); err != nil {
					t.Fatal(err)
				}
				all = append(all, o)
			}
			r.wait(time.Duration(rapid.IntRange(1, 4100).Draw(t, "minutes")) * time.Minute)

			want := root + rapid.IntRange(0, 6).Draw(t, "want")
			expired := slices.DeleteFunc(slices.Clone(all), func(o occupant) bool { return o.kind == standing || r.now.Before(o.ends) })
			slices.SortFunc(expired, func(a, b occupant) int { return cmp.Or(cmp.Compare(a.kind, b.kind), a.ends.Compare(b.ends)) })
			at, fits := free.Allocate(way, want)
			for _, o := range expired {
				if fits == nil {
					break
				}
				if err := free.Release(o.cidr); err != nil {
					t.Fatal(err)
				}
				at, fits = free.Allocate(way, want)
			}

			a, err := r.try(pool, "new", fmt.Sprint("/", want))
			if errors.Is(fits, alloc.ErrNoFit) {
				e := wantCode(t, err, ipam.CodePoolExhausted)
				largest, some := free.Largest()
				if some != (e.LargestFree != nil) || some && *e.LargestFree != largest {
					t.Errorf("the largest that could be had is said to be %v, and is /%d (%v): %s", e.LargestFree, largest, some, e.Detail)
				}
				at = netip.Prefix{}
			} else if err != nil || a.CIDR != at {
				t.Errorf("got %s, %v; want %s", a.CIDR, err, at)
			}
			for _, o := range all {
				if taken := at.IsValid() && at.Overlaps(o.cidr); r.there(t, o) == taken {
					t.Errorf("%s (%d) is there: %v, and %s was placed", o.cidr, o.kind, !taken, at)
				}
			}
		})
	})
}

// A statement that wrote would fail here, and the request with another code.
func TestWhatCannotHelpIsNotTouched(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24")
		for i := range 8 {
			kind := []int{keptOut, held, drafted}[i%3]
			if _, err := r.occupy(pool, kind, fmt.Sprint("n", i), fmt.Sprintf("10.0.0.%d/28", 32*i), time.Hour); err != nil {
				t.Fatal(err)
			}
			r.take(t, pool, fmt.Sprint("stands", i), fmt.Sprintf("10.0.0.%d/28", 32*i+16))
		}
		r.wait(2 * time.Hour)
		r.forbid(t, "DELETE", "prefixes", "OLD.kind <> ''")
		_, err := r.try(pool, "large", "/27")
		wantCode(t, err, ipam.CodePoolExhausted)
		_, err = r.try(pool, "there", "10.0.0.0/25")
		wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "stands0", "stands1", "stands2", "stands3")
	})
}

// forbid has the database fail, and not for a reason that the server knows, when a row of a table is deleted or updated.
func (r lab) forbid(t *testing.T, verb, table, row string) {
	t.Helper()
	on := fmt.Sprintf("CREATE TRIGGER forbidden BEFORE %s ON %s FOR EACH ROW WHEN (%s) ", verb, table, row)
	if r.url[0] == 's' {
		r.raw(t, on+"BEGIN UPDATE scopes SET version = NULL; END")
		return
	}
	r.raw(t, "CREATE FUNCTION forbidden() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'forbidden'; END $$", on+"EXECUTE FUNCTION forbidden()")
}
