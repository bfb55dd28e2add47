package torture

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

var (
	seed  = flag.Uint64("torture.seed", 7, "what the clients draw their requests from")
	times = flag.Int("torture.times", 1, "how many times as long the load and the kills go on")
)

// tightPools are so small that requests are refused there and what has expired is taken back.
const tightPools = 4

// world is what the workers of a test share.
type world struct {
	held     ledger
	database string
	roomy    int
}

// newWorld makes the pools that all use. Seeds are printed first: whatever fails then, they stand above it.
func newWorld(t testing.TB, server, database string, roomy, bits int) *world {
	t.Helper()
	t.Logf("-torture.seed=%d -torture.times=%d", *seed, *times)
	admin := newClient("admin")
	for i := range roomy {
		from := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i << max(0, 16-bits) & 255), 0, 0}), bits)
		admin.createPool(t, server, poolName(i), from.String(), "roomy")
	}
	for i := range tightPools {
		admin.createPool(t, server, tightName(i), fmt.Sprintf("172.16.%d.0/23", 2*i), "tight")
	}
	admin.createPool(t, server, spare, "172.20.0.0/16", "spare")
	return &world{database: database, roomy: roomy}
}

// spare is where pools can always move, and come from.
const spare = "pool-spare"

func tightName(i int) string { return fmt.Sprintf("tight-%d", i) }

// worker is one client with what it has: only it changes that, so it knows what each answer must be.
type worker struct {
	*client
	*world
	draw *rand.Rand
	// open is the request that no answer came to. Nothing else is sent before it is cleared up.
	open *request
	told map[string]told // by what was asked
	fail error           // of an act that is no request

	allocations  []noun
	sets         []set
	reservations []noun
	holds        []promise
	plans        []setPlan
	drafts       []draft
	children     []noun
}

func (w *world) workers(n int, label string) []*worker {
	out := make([]*worker, n)
	for i := range out {
		out[i] = &worker{client: newClient(fmt.Sprintf("%s-%02d", label, i)), world: w, told: map[string]told{}, draw: rand.New(rand.NewPCG(*seed, uint64(i)))}
	}
	return out
}

// acts are what a worker does, each as often as its weight says. One that has nothing to work on draws again.
var acts = []struct {
	weight int
	what   string // "" where time passes and nothing is asked
	act    func(*worker) *request
}{
	{24, "allocate", (*worker).allocate},
	{16, "release", (*worker).release},
	{6, "grow or shrink an allocation", (*worker).resize},
	{5, "make a set", (*worker).createSet},
	{7, "change a set", (*worker).changeSet},
	{3, "release a set", (*worker).releaseSet},
	{4, "reserve", (*worker).reserve},
	{2, "extend a reservation", (*worker).extend},
	{3, "release a reservation", (*worker).unreserve},
	{6, "hold", (*worker).hold},
	{5, "allocate what is held", (*worker).convert},
	{2, "renew a hold", (*worker).renew},
	{1, "release a hold", (*worker).unhold},
	{3, "", (*worker).age},
	{3, "plan a set", (*worker).planSet},
	{3, "apply the plan of a set", (*worker).applySet},
	{3, "draft a pool", (*worker).draft},
	{2, "hold in a draft", (*worker).holdInDraft},
	{3, "create what is drafted", (*worker).createDraft},
	{1, "release a draft", (*worker).dropDraft},
	{1, "", (*worker).ageDraft},
	{2, "make a pool", (*worker).createChild},
	{3, "grow or shrink a pool", (*worker).resizeChild},
	{2, "move a pool", (*worker).moveChild},
	{1, "delete a pool", (*worker).deleteChild},
}

// deck has the index of each act as often as its weight says.
var deck = func() (all []int) {
	for i, a := range acts {
		all = append(all, slices.Repeat([]int{i}, a.weight)...)
	}
	return all
}()

// one sends the next request.
func (w *worker) one(server string) error {
	var r *request
	for r == nil {
		act := acts[deck[w.draw.IntN(len(deck))]]
		if r = act.act(w); w.fail != nil {
			return w.fail
		}
		if r != nil {
			r.what = act.what
		}
	}
	r.key = fmt.Sprintf("%s-%016x", w.label, w.draw.Uint64())
	for _, b := range r.gives {
		w.held.let(b)
	}
	return w.try(server, r, nil)
}

// try sends one request, and keeps it open when no answer comes.
func (w *worker) try(server string, r *request, replays *tally) error {
	a, err := w.send(server, *r)
	if err != nil {
		w.http.CloseIdleConnections()
		w.open = r
		return nil
	}
	w.open = nil
	if replays != nil && a.replayed {
		replays.done++
	} else if replays != nil {
		replays.undone++
	}
	if err := w.enter(r, a); err != nil {
		return fmt.Errorf("%s %s %s (sent again: %t) answers %d %s: %w", r.method, r.path, r.body, replays != nil, a.status, a.body, err)
	}
	return nil
}

func (w *worker) enter(r *request, a answer) error {
	if a.status == r.status {
		w.count(r.what, told{done: 1})
		got, err := decode(a)
		if err != nil || r.done == nil {
			return err
		}
		return r.done(got)
	}
	if !slices.Contains(r.refusals, a.code()) {
		return fmt.Errorf("which is not expected")
	}
	w.count(r.what, told{refused: 1})
	r.leaves = max(0, r.leaves-1) // it made nothing
	if r.method == http.MethodDelete {
		r.made = ""
	}
	for _, b := range r.gives { // the server refused, so all that the worker had is its own still
		if err := w.held.hold(b); err != nil {
			return err
		}
	}
	if r.refused == nil {
		return nil
	}
	return r.refused(a.code())
}

// clearUp sends the open request again with its key, which must be answered whatever became of the first one, and must have
// had one effect.
func (w *worker) clearUp(t *testing.T, server string, replays *tally) {
	t.Helper()
	if w.open == nil {
		return
	}
	r := w.open
	if err := w.try(server, r, replays); err != nil {
		t.Fatal(err)
	}
	if w.open != nil {
		t.Fatalf("no answer to %s %s, sent again to a running server", r.method, r.path)
	}
	if r.made == "" {
		return
	}
	a := w.must(t, server, request{method: http.MethodGet, path: r.made, status: http.StatusOK})
	var page struct{ Items []noun }
	if err := json.Unmarshal(a.body, &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != r.leaves {
		t.Fatalf("%s %s %s, sent twice, left %d, want %d", r.method, r.path, r.body, len(page.Items), r.leaves)
	}
}

// compare demands that a server knows what the workers have, and nothing else.
func (w *world) compare(t *testing.T, all []*worker, server string) {
	t.Helper()
	admin := newClient("admin")
	defer admin.http.CloseIdleConnections()
	w.held.compare(t, admin.blocks(t, server))
	sets := map[string]noun{}
	for _, s := range items[noun](t, admin, server, "/allocation-sets?") {
		sets[s.ID] = s
	}
	single, members := map[string]noun{}, map[string]noun{}
	for _, a := range items[noun](t, admin, server, "/allocations?") {
		if a.Set == "" {
			single[a.ID] = a
		} else {
			members[a.ID] = a
		}
	}
	for _, one := range all {
		for _, a := range one.allocations {
			has := single[a.ID]
			if has.CIDR != a.CIDR || has.Name != a.Name || has.Pool != a.Pool || has.Version != a.Version {
				t.Errorf("allocation %+v was acknowledged; the server has %+v", a, has)
			}
			delete(single, a.ID)
		}
		for _, s := range one.everySet() {
			if has := sets[s.ID]; has.Version != s.Version || !slices.Equal(has.Members, s.Members) {
				t.Errorf("set %+v was acknowledged; the server has %+v", s.noun, has)
			}
			delete(sets, s.ID)
			for _, m := range s.Members {
				if a := members[m.Allocation]; a.Set != s.ID || a.SetKey != m.Key || a.CIDR != m.CIDR || a.Name != s.Name+"/"+m.Key {
					t.Errorf("member %+v of %s was acknowledged; the server has %+v", m, s.ID, a)
				}
				delete(members, m.Allocation)
			}
		}
	}
	if len(single)+len(members)+len(sets) > 0 {
		t.Errorf("the server has what nobody has: %v %v %v", single, members, sets)
	}
}

// comparePast compares the events of the test with what the workers did.
func (w *world) comparePast(t *testing.T, server string) {
	t.Helper()
	admin := newClient("admin")
	defer admin.http.CloseIdleConnections()
	w.held.compareEvents(t, admin.events(t, server))
}

// told counts answers.
type told struct{ done, refused int }

func (w *worker) count(what string, more told) {
	sum := w.told[what]
	w.told[what] = told{sum.done + more.done, sum.refused + more.refused}
}

// report prints how often each act was carried out and refused, and sums that up. A run in which one never succeeds, or in
// which no pool was ever full, proves less than it says.
func report(t *testing.T, all []*worker) (sum told) {
	t.Helper()
	by := map[string]told{}
	for _, w := range all {
		for what, n := range w.told {
			by[what] = told{by[what].done + n.done, by[what].refused + n.refused}
			sum = told{sum.done + n.done, sum.refused + n.refused}
		}
	}
	var lines []string
	for _, a := range acts {
		if a.what == "" {
			continue
		}
		if by[a.what].done == 0 && !raced { // with the race detector there are too few requests for that
			t.Errorf("no attempt to %s succeeded", a.what)
		}
		lines = append(lines, fmt.Sprintf("%s %d (%d)", a.what, by[a.what].done, by[a.what].refused))
	}
	if sum.refused == 0 && !raced {
		t.Error("no pool was ever full")
	}
	t.Logf("carried out (refused): %s", strings.Join(lines, ", "))
	return sum
}

// anyPool draws a pool to allocate from: most have room.
func (w *worker) anyPool() string {
	if w.draw.IntN(4) == 0 {
		return tightName(w.draw.IntN(tightPools))
	}
	return poolName(w.draw.IntN(w.roomy))
}

// pool names a pool in a request, or the labels that it has.
func (w *worker) pool(body object) object {
	switch w.draw.IntN(6) {
	case 0:
		body["pool_selector"] = object{"labels": object{"tier": "tight"}}
	case 1:
		body["pool_selector"] = object{"labels": object{"tier": "roomy"}}
	default:
		body["pool"] = w.anyPool()
	}
	return body
}

// named is the list that has what a request names, wherever it stands.
func named(list, name string) string { return list + "?name=" + url.QueryEscape(name) }

// pick draws one of what a worker has; false when it has none.
func pick[T any](w *worker, from []T) (int, bool) {
	if len(from) == 0 {
		return 0, false
	}
	return w.draw.IntN(len(from)), true
}

// take draws one of what a worker has and takes it from there, until a request about it is answered.
func take[T any](w *worker, from *[]T) (T, bool) {
	i, found := pick(w, *from)
	if !found {
		var none T
		return none, false
	}
	one := (*from)[i]
	*from = slices.Delete(*from, i, i+1)
	return one, true
}

// beside changes rows as time would.
func (w *worker) beside(query string, args ...any) {
	if err := storetest.Exec(w.database, query, args...); err != nil {
		w.fail = err
	}
}
