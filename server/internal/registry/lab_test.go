package registry_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/account"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/govern"
	"github.com/cloudpam/cloudpam/server/internal/insight"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/quarantine"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/scope"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	clock = time.Date(2030, 1, 2, 3, 4, 5, 678000, time.UTC)
	alice = ipam.Caller{Principal: ipam.Principal{UID: ipam.NewUID("principal"), Kind: "token", Name: "alice"}, Rights: ipam.AllRights, RequestID: "req-alice"}
	bob   = ipam.Caller{Principal: ipam.Principal{UID: ipam.NewUID("principal"), Kind: "token", Name: "bob"}, Rights: ipam.AllRights, RequestID: "req-bob"}
)

// tb is what testing.T and rapid.T share.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// lab is a registry on a real database, with a fixed clock.
type lab struct {
	*registry.Registry
	*access.Gate
	*accountBook
	*scopeBook
	*audit.Auditor
	*insight.Viewer
	*quarantine.Ward
	*policyBook
	db  *store.DB
	url string
}

type (
	accountBook = account.Book
	scopeBook   = scope.Book
	policyBook  = govern.Book
)

// labOn is a lab on an open database; now tells its time.
func labOn(db *store.DB, url string, now func() time.Time) lab {
	k := change.New(db, time.Now).Pretend(now)
	r := registry.New(k)
	return lab{r, access.New(k), account.New(k), scope.New(k, r.DropRootDrafts), audit.New(k), insight.New(k), quarantine.New(k), govern.New(k), db, url}
}

var scopes atomic.Int64

// each runs a test on both engines. Whatever the test did, Verify must find nothing afterwards.
func each(t *testing.T, body func(t *testing.T, r lab)) {
	t.Helper()
	for name, url := range storetest.Engines(t) {
		t.Run(name, func(t *testing.T) {
			r := open(t, url(t))
			t.Cleanup(func() { r.wantSound(t) })
			body(t, r)
		})
	}
}

func open(t *testing.T, url string) lab {
	t.Helper()
	db := storetest.Open(t, url)
	return setUp(t, labOn(db, url, func() time.Time { return clock }))
}

// setUp readies a fresh database, in which alice and bob may act.
func setUp(t *testing.T, r lab) lab {
	t.Helper()
	if _, err := r.SetUp(t.Context(), strings.Repeat("s", ipam.MinSecret)); err != nil {
		t.Fatal(err)
	}
	r.known(t, alice)
	r.known(t, bob)
	return r
}

// known makes a caller one whom the database knows.
func (r lab) known(t tb, who ipam.Caller) {
	t.Helper()
	if err := r.db.Write(context.Background(), "system", func(tx *store.Tx) error { return tx.InsertPrincipal(who.Principal, clock) }); err != nil {
		t.Fatalf("add %s: %v", who, err)
	}
}

// caller is somebody new.
func (r lab) caller(t tb, name string) ipam.Caller {
	t.Helper()
	who := ipam.Caller{Principal: ipam.Principal{UID: ipam.NewUID("principal"), Kind: "token", Name: name}, Rights: ipam.AllRights, RequestID: "req-" + name}
	r.known(t, who)
	return who
}

func (r lab) wantSound(t tb) {
	t.Helper()
	report, err := r.Verify(context.Background())
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	for _, f := range report.Findings {
		t.Errorf("verify found %s: %s", f.Object, f.Detail)
	}
}

// raw runs statements as hands in the database would.
func (r lab) raw(t *testing.T, statements ...string) {
	t.Helper()
	driver, address := "pgx", r.url
	if path, ok := strings.CutPrefix(r.url, "sqlite://"); ok {
		driver, address = "sqlite", "file:"+path+"?_pragma=busy_timeout(600000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// scope makes a scope that no other part of the test uses.
func (r lab) scope(t tb) string {
	t.Helper()
	s, err := r.CreateScope(context.Background(), alice, ipam.Scope{ID: fmt.Sprintf("s%d", scopes.Add(1))})
	if err != nil {
		t.Fatalf("create a scope: %v", err)
	}
	return s.ID
}

// at is the If-Match of a version of an object.
func at(of interface{ ETag() string }, version int64) ipam.Match {
	uid := of.ETag()
	return ipam.Exactly(fmt.Sprint(uid[:strings.LastIndexByte(uid, '.')+1], version))
}

// atScope is the If-Match of a version of a scope; of one that is not there, any.
func (r lab) atScope(t tb, id string, version int64) ipam.Match {
	t.Helper()
	s, err := r.Scope(context.Background(), id)
	if err != nil {
		return ipam.AnyVersion
	}
	return at(s, version)
}

type tweak func(*ipam.NewPool)

// root makes a root pool in a scope of its own.
func (r lab) root(t tb, cidr string, tweaks ...tweak) ipam.Pool {
	t.Helper()
	return r.rootIn(t, r.scope(t), "root", cidr, tweaks...)
}

func (r lab) rootIn(t tb, scope, name, cidr string, tweaks ...tweak) ipam.Pool {
	t.Helper()
	in := ipam.NewPool{Scope: scope, Name: name, CIDR: netip.MustParsePrefix(cidr)}
	for _, change := range tweaks {
		change(&in)
	}
	p, err := r.CreatePool(context.Background(), alice, in)
	if err != nil {
		t.Fatalf("create pool %s %s: %v", name, cidr, err)
	}
	return p
}

// wanted reads "/24", "10.0.0.0/24" or "".
func wanted(text string) (cidr netip.Prefix, length *int) {
	if n, ok := strings.CutPrefix(text, "/"); ok {
		bits, err := strconv.Atoi(n)
		if err != nil {
			panic(err)
		}
		return cidr, &bits
	}
	if text != "" {
		cidr = netip.MustParsePrefix(text)
	}
	return cidr, nil
}

func (r lab) tryChild(parent ipam.Pool, name, want string, tweaks ...tweak) (ipam.Pool, error) {
	in := ipam.NewPool{Scope: parent.Scope, Name: name, Parent: parent.ID}
	in.CIDR, in.Length = wanted(want)
	for _, change := range tweaks {
		change(&in)
	}
	return r.CreatePool(context.Background(), alice, in)
}

func (r lab) child(t tb, parent ipam.Pool, name, want string, tweaks ...tweak) ipam.Pool {
	t.Helper()
	p, err := r.tryChild(parent, name, want, tweaks...)
	if err != nil {
		t.Fatalf("create pool %s %s in %s: %v", name, want, parent.ID, err)
	}
	return p
}

func (r lab) try(pool ipam.Pool, name, want string) (ipam.Allocation, error) {
	in := ipam.NewAllocation{Pool: pool.ID, Name: name}
	in.CIDR, in.Length = wanted(want)
	return r.Allocate(context.Background(), alice, in)
}

func (r lab) take(t tb, pool ipam.Pool, name, want string) ipam.Allocation {
	t.Helper()
	a, err := r.try(pool, name, want)
	if err != nil {
		t.Fatalf("allocate %s %s in %s: %v", name, want, pool.ID, err)
	}
	return a
}

func (r lab) release(t tb, a ipam.Allocation) {
	t.Helper()
	if err := r.Release(context.Background(), alice, a.ID, ipam.Match{}); err != nil {
		t.Fatalf("release %s: %v", a.Name, err)
	}
}

func (r lab) resize(p ipam.Pool, to string) (ipam.Pool, error) {
	var patch ipam.PoolPatch
	cidr, length := wanted(to)
	if patch.Length = length; length == nil {
		patch.CIDR = &cidr
	}
	return r.UpdatePool(context.Background(), alice, p.ID, ipam.Exactly(p.ETag()), patch)
}

func (r lab) drop(t tb, p ipam.Pool) {
	t.Helper()
	if err := r.DeletePool(context.Background(), alice, p.ID, ipam.Exactly(p.ETag())); err != nil {
		t.Fatalf("delete pool %s: %v", p.ID, err)
	}
}

func (r lab) events(t tb, object string) []ipam.Event {
	t.Helper()
	events, err := r.Events(context.Background(), ipam.EventFilter{Object: object}, ipam.Page{Limit: 1000})
	if err != nil {
		t.Fatalf("events of %s: %v", object, err)
	}
	return events
}

func (r lab) eventCount(t tb) int {
	t.Helper()
	report, err := r.Verify(context.Background())
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return report.Events
}

func (r lab) free(t tb, pool ipam.Pool) []netip.Prefix {
	t.Helper()
	var free []netip.Prefix
	page := ipam.Page{Limit: 7} // so that it has to turn pages
	for {
		blocks, err := r.Space(context.Background(), pool.ID, page)
		if err != nil {
			t.Fatalf("space of %s: %v", pool.ID, err)
		}
		for _, b := range blocks {
			if b.Prefix == nil {
				free = append(free, b.CIDR)
			}
			page.After.Prefix = b.CIDR
		}
		if len(blocks) < page.Limit {
			return free
		}
	}
}

func wantCIDR(t tb, what string, got netip.Prefix, want string) {
	t.Helper()
	if got.String() != want {
		t.Errorf("%s got %s, want %s", what, got, want)
	}
}

// wantCode asserts the code of an error and returns the error for a look at its extras.
func wantCode(t tb, err error, code ipam.Code) *ipam.Error {
	t.Helper()
	e, ok := errors.AsType[*ipam.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("got %v (%s), want the code %s", err, ipam.CodeOf(err), code)
	}
	return e
}

func wantPointer(t tb, e *ipam.Error, pointer string) {
	t.Helper()
	if len(e.Fields) != 1 || e.Fields[0].Pointer != pointer || e.Fields[0].Detail == "" {
		t.Errorf("fields = %+v, want one at %s", e.Fields, pointer)
	}
}

func wantHolders(t tb, e *ipam.Error, names ...string) {
	t.Helper()
	var got []string
	for _, h := range e.Holders {
		got = append(got, h.Name)
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("holders = %v, want %v", got, names)
	}
}

func ptr[T any](v T) *T { return &v }

func (r lab) cidr(text string) netip.Prefix { return netip.MustParsePrefix(text) }

// only is the one allocation of a pool.
func (r lab) only(t tb, pool ipam.Pool) ipam.Allocation {
	t.Helper()
	all, err := r.Allocations(context.Background(), ipam.AllocationFilter{Pool: pool.ID}, ipam.Page{Limit: 2})
	if err != nil || len(all) != 1 {
		t.Fatalf("allocations of %s: %v, %v", pool.ID, all, err)
	}
	return all[0]
}
