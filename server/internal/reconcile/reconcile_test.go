package reconcile_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/account"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fake"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
	"github.com/cloudpam/cloudpam/server/internal/drift"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/observe"
	"github.com/cloudpam/cloudpam/server/internal/reconcile"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const number = "111111111111"

var alice = ipam.Caller{Principal: ipam.Principal{UID: ipam.NewUID("principal"), Kind: "token", Name: "alice"}, Rights: ipam.AllRights}

// lab is a reconciler on a real database, with a cloud in memory.
type lab struct {
	*reconcile.Reconciler
	*observe.Observer
	registry *registry.Registry
	accounts *account.Book
	cloud    *fake.Cloud
	network  string
	db       *store.DB
	now      *atomic.Int64
}

func each(t *testing.T, body func(t *testing.T, l lab)) {
	t.Helper()
	for name, url := range storetest.Engines(t) {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, url(t))
			l := labOn(db, new(atomic.Int64), fake.New(ipam.AWS, 5, "east", "west"))
			l.now.Store(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).Unix())
			if _, err := access.New(change.New(db, time.Now)).SetUp(t.Context(), strings.Repeat("s", ipam.MinSecret)); err != nil {
				t.Fatal(err)
			}
			if err := db.Write(t.Context(), "", func(tx *store.Tx) error { return tx.InsertPrincipal(alice.Principal, time.Now()) }); err != nil {
				t.Fatal(err)
			}
			l.network = l.cloud.AddNetwork(number, "east", "main", netip.MustParsePrefix("10.0.0.0/16"))
			if _, err := l.accounts.CreateAccount(t.Context(), alice, ipam.Account{Cloud: ipam.AWS, ExternalID: number, Name: "payments"}); err != nil {
				t.Fatal(err)
			}
			body(t, l)
			report, err := audit.New(change.New(db, time.Now)).Verify(t.Context())
			if err != nil || len(report.Findings) > 0 {
				t.Errorf("verify: %+v, %v", report.Findings, err)
			}
		})
	}
}

// labOn is another server on a database.
func labOn(db *store.DB, now *atomic.Int64, c *fake.Cloud) lab {
	k := change.New(db, time.Now).Pretend(func() time.Time { return time.Unix(now.Load(), 0) })
	o := observe.New(k)
	return lab{reconcile.New(k, o, slog.New(slog.DiscardHandler), c), o, registry.New(k), account.New(k), c, "", db, now}
}

func (l lab) wait(d time.Duration) { l.now.Add(int64(d / time.Second)) }

func (l lab) sync(t *testing.T) reconcile.Outcome {
	t.Helper()
	l.wait(10 * time.Minute)
	out, err := l.Sync(t.Context(), alice, "aws:"+number, reconcile.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (l lab) add(n int) (ids []string) {
	for i := range n {
		ids = append(ids, l.cloud.AddSubnet(number, "east", l.network, fmt.Sprint("s", i), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24)))
	}
	return ids
}

func (l lab) observed(t *testing.T, f ipam.ObservationFilter) (all []ipam.Observation) {
	t.Helper()
	page, _, err := l.Observations(t.Context(), ipam.Everything, f, nil, ipam.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range page {
		all = append(all, shown.Observation)
	}
	return all
}

func TestWhatACloudShowsIsRecordedOnce(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		ids := l.add(12)
		l.cloud.AddSecondary(number, "east", ids[0], "pods", netip.MustParsePrefix("10.0.64.0/18"))
		if out := l.sync(t); out.Added != 14 || out.Updated+out.Removed != 0 {
			t.Errorf("first: %+v", out)
		}
		if out := l.sync(t); out.Added+out.Updated+out.Removed != 0 {
			t.Errorf("nothing has changed, and yet: %+v", out)
		}
		for filter, want := range map[ipam.ObservationKind]int{ipam.ObservedNetwork: 1, ipam.ObservedSubnet: 12, ipam.ObservedSecondary: 1, "": 14} {
			if got := l.observed(t, ipam.ObservationFilter{Kind: filter, Scope: "default", Account: "aws:" + number}); len(got) != want {
				t.Errorf("%d of kind %q, want %d", len(got), filter, want)
			}
		}
		at := l.observed(t, ipam.ObservationFilter{Around: ipam.Around{Contains: netip.MustParsePrefix("10.0.3.7/32")}})
		if len(at) != 2 || at[0].Kind != ipam.ObservedNetwork || at[1].Name != "s3" || at[1].ID() != "aws:"+ids[3] || at[1].Account != "aws:"+number || at[1].Scope != "default" {
			t.Errorf("around 10.0.3.7: %+v", at)
		}
		l.cloud.RemoveSubnet(number, "east", ids[5])
		for i, want := range []reconcile.Outcome{{Updated: 1}, {Updated: 1}, {Removed: 1}, {}} {
			if out := l.sync(t); out.Updated != want.Updated || out.Removed != want.Removed {
				t.Errorf("pass %d without it: %+v", i+1, out)
			}
		}
	})
}

func TestARegionThatIsDeniedSaysSoAndLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		ids := l.add(3)
		l.sync(t)
		l.cloud.RemoveSubnet(number, "east", ids[0])
		l.cloud.Set(func(c fault.Call) fault.Fault {
			if c.Region == "east" && c.Action == fake.ListSubnets {
				return fault.Fault{Kind: fault.Denied}
			}
			return fault.Fault{}
		})
		for range 5 {
			if out := l.sync(t); out.Added+out.Updated+out.Removed != 0 {
				t.Errorf("a region that is denied changes something: %+v", out)
			}
		}
		states, err := l.States(t.Context(), ipam.Everything, "aws:"+number)
		if err != nil || len(states) != 4 {
			t.Fatalf("%+v, %v", states, err)
		}
		for _, s := range states {
			denied := s.Region == "east" && s.Kind == "subnets"
			if denied != (s.Code == "denied") || denied && (s.Fix == "" || s.Seen[0].IsZero() || !s.Seen[0].Before(s.TriedAt)) || !denied && s.Seen[2].IsZero() {
				t.Errorf("%+v", s)
			}
		}
	})
}

func TestALookThatCouldNotBeginIsForgottenOnceOneCan(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		deaf := reconcile.New(change.New(l.db, time.Now).Pretend(func() time.Time { return time.Unix(l.now.Load(), 0) }), l.Observer, slog.New(slog.DiscardHandler))
		if _, err := deaf.Sync(t.Context(), alice, "aws:"+number, reconcile.Ask{}); err != nil {
			t.Fatal(err)
		}
		states, err := l.States(t.Context(), ipam.Everything, "aws:"+number)
		if err != nil || len(states) != 2 || states[0].Region != "" || states[0].Code != "unsupported" || states[0].Fix == "" {
			t.Fatalf("%+v, %v", states, err)
		}
		l.wait(time.Hour)
		l.sync(t)
		states, err = l.States(t.Context(), ipam.Everything, "aws:"+number)
		if err != nil || len(states) != 4 || states[0].Region == "" || states[0].Code != "" {
			t.Errorf("%+v, %v", states, err)
		}
	})
}

func TestAServerThatWasFrozenPastItsLeaseWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		other := labOn(l.db, l.now, l.cloud)
		l.add(3)
		arrived, thaw := make(chan struct{}, 8), make(chan struct{})
		l.cloud.Set(func(c fault.Call) fault.Fault {
			if c.Action == fake.ListNetworks && c.Region == "east" {
				arrived <- struct{}{}
				<-thaw
			}
			return fault.Fault{}
		})
		done := make(chan error, 1)
		go func() {
			_, err := l.Sync(t.Context(), alice, "aws:"+number, reconcile.Ask{})
			done <- err
		}()
		<-arrived
		if _, err := other.Sync(t.Context(), alice, "aws:"+number, reconcile.Ask{}); !errors.Is(err, reconcile.ErrBusy) {
			t.Errorf("two look at one account at once: %v", err)
		}
		if _, err := l.Sync(t.Context(), alice, "aws:"+number, reconcile.Ask{}); !errors.Is(err, reconcile.ErrBusy) {
			t.Errorf("one looks twice at once: %v", err)
		}
		l.wait(time.Hour) // the lease is over
		l.cloud.Set(nil)
		if out, err := other.Sync(t.Context(), alice, "aws:"+number, reconcile.Ask{}); err != nil || out.Added != 4 {
			t.Errorf("who takes over: %+v, %v", out, err)
		}
		close(thaw)
		if err := <-done; !errors.Is(err, change.ErrLeaseLost) {
			t.Errorf("the frozen one: %v", err)
		}
		if got := l.observed(t, ipam.ObservationFilter{}); len(got) != 4 {
			t.Errorf("%d rows of 4", len(got))
		}
	})
}

func TestDriftIsWhatIsShownAndNotAllocated(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.add(3)
		ctx := t.Context()
		cidr := netip.MustParsePrefix("10.0.0.0/16")
		if _, err := l.registry.CreatePool(ctx, alice, ipam.NewPool{Name: "vpc", CIDR: cidr}); err != nil {
			t.Fatal(err)
		}
		take := func(name, block string) {
			if _, err := l.registry.Allocate(ctx, alice, ipam.NewAllocation{Pool: "vpc", Name: name, BlockSize: ipam.BlockSize{CIDR: netip.MustParsePrefix(block)}, Details: ipam.Details{Account: "aws:" + number}}); err != nil {
				t.Fatal(err)
			}
		}
		take("known", "10.0.0.0/24")
		take("gone", "10.0.99.0/24")
		for range 5 {
			l.sync(t)
		}
		drifts, err := l.Drifts(ctx, ipam.Everything, "default")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range drifts {
			got = append(got, fmt.Sprint(d.Kind, " ", d.CIDR, " ", d.Task, " ", d.Pool))
		}
		want := []string{"unmanaged 10.0.1.0/24 adopt vpc", "unmanaged 10.0.2.0/24 adopt vpc", "missing 10.0.99.0/24 release "}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q, want %q", got, want)
		}
		if drifts[0].Kind != drift.Unmanaged || drifts[0].Account != "aws:"+number {
			t.Errorf("%+v", drifts[0])
		}
	})
}

func TestAnAccountThatGoesTakesItsObservations(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.add(3)
		l.sync(t)
		a, err := l.accounts.Account(t.Context(), ipam.Everything, "aws:"+number)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.accounts.DeleteAccount(t.Context(), alice, a.ID, ipam.Exactly(a.ETag())); err != nil {
			t.Fatal(err)
		}
		if left := l.observed(t, ipam.ObservationFilter{}); len(left) != 0 {
			t.Errorf("%d observations of nobody", len(left))
		}
		if _, err := l.Sync(t.Context(), alice, a.ID, reconcile.Ask{}); ipam.CodeOf(err) != ipam.CodeNotFound {
			t.Errorf("sync: %v", err)
		}
	})
}

func TestOneAccountThatHangsDelaysNoOther(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.add(2)
		const stuck = "222222222222"
		if _, err := l.accounts.CreateAccount(t.Context(), alice, ipam.Account{Cloud: ipam.AWS, ExternalID: stuck, Name: "stuck"}); err != nil {
			t.Fatal(err)
		}
		thaw := make(chan struct{})
		l.cloud.Set(func(c fault.Call) fault.Fault {
			if c.Account == stuck {
				<-thaw
			}
			return fault.Fault{}
		})
		done := make(chan int64, 1)
		go func() {
			n, _ := l.All(t.Context())
			done <- n
		}()
		for len(l.observed(t, ipam.ObservationFilter{Account: "aws:" + number})) < 3 { // until it is there, or the tests' own time is over
		}
		close(thaw)
		if n := <-done; n != 2 {
			t.Errorf("%d accounts were looked at", n)
		}
	})
}
