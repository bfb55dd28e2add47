package observe_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fake"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/observe"
)

var (
	schedules = flag.Int("observe.schedules", 2000, "how many schedules of faults are tried")
	firstSeed = flag.Uint64("observe.seed", 1, "the seed of the first of them")
)

var payments = ipam.Account{ID: "aws:111111111111", UID: ipam.NewUID("account"), Cloud: ipam.AWS, ExternalID: "111111111111", Scope: "default", ScopeUID: ipam.NewUID("scope")}

// book keeps what Decide says, as the tables do.
type book struct {
	rows   map[ipam.UID]ipam.Observation
	states map[string]ipam.SyncState
}

func (b *book) known() observe.Known {
	return observe.Known{
		Account: payments, Observations: slices.Collect(maps.Values(b.rows)), States: slices.Collect(maps.Values(b.states)),
		Accounts: map[string]bool{payments.ExternalID: true}, Scopes: map[string]ipam.UID{"default": payments.ScopeUID},
	}
}

func (b *book) apply(c observe.Changes) {
	for _, o := range slices.Concat(c.Add, c.Update) {
		b.rows[o.UID] = o
	}
	for _, o := range c.Remove {
		delete(b.rows, o.UID)
	}
	for _, s := range c.States {
		b.states[s.Kind+s.Region] = s
	}
}

func newBook() *book {
	return &book{map[ipam.UID]ipam.Observation{}, map[string]ipam.SyncState{}}
}

func look(t *testing.T, c cloud.Provider) observe.Look {
	began := time.Now()
	return observe.Look{Began: began, Networks: c.Networks(t.Context(), payments), Subnets: c.Subnets(t.Context(), payments)}
}

// pass is one look that is recorded.
func (b *book) pass(t *testing.T, c cloud.Provider, believe bool) observe.Changes {
	known := b.known() // before the cloud is asked
	changes := observe.Decide(known, look(t, c), believe)
	b.apply(changes)
	return changes
}

func (b *book) subnets() (ids []string) {
	for _, o := range b.rows {
		if o.Kind == ipam.ObservedSubnet {
			ids = append(ids, o.CloudID)
		}
	}
	slices.Sort(ids)
	return ids
}

func there(c *fake.Cloud) (ids []string) {
	for _, s := range c.There() {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return ids
}

var kinds = []fault.Kind{fault.Throttle, fault.Fail, fault.Reset, fault.Truncate, fault.Empty, fault.Denied, fault.Disabled, fault.RepeatPage}

// TestSchedulesOfFaults lets clouds fail in every way while subnets come and go, and looks after each pass at what was believed.
func TestSchedulesOfFaults(t *testing.T) {
	removed, vanished, partial := 0, 0, 0
	for seed := *firstSeed; seed < *firstSeed+uint64(*schedules); seed++ {
		synctest.Test(t, func(t *testing.T) {
			r, v, p := schedule(t, seed)
			removed, vanished, partial = removed+r, vanished+v, partial+p
		})
		if t.Failed() {
			t.Fatalf("-observe.seed %d", seed)
		}
	}
	if *schedules >= 1000 && (removed < 100 || vanished < 100 || partial < 100) {
		t.Errorf("the schedules removed %d, disbelieved %d passes and had %d partial views: they try too little", removed, vanished, partial)
	}
	t.Logf("%d schedules: %d removals, %d passes that were not believed, %d partial ones", *schedules, removed, vanished, partial)
}

func schedule(t *testing.T, seed uint64) (removals, disbelieved, partials int) {
	draw := rand.New(rand.NewPCG(seed, 0))
	c := fake.New(ipam.AWS, 5, "east", "west")
	b := newBook()
	network := map[string]string{}
	for _, region := range []string{"east", "west"} {
		network[region] = c.AddNetwork(payments.ExternalID, region, region, netip.MustParsePrefix("10.0.0.0/8"))
	}
	next := 0
	add := func() {
		next++
		region := []string{"east", "west"}[draw.IntN(2)]
		c.AddSubnet(payments.ExternalID, region, network[region], fmt.Sprint("s", next), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(next >> 8), byte(next), 0}), 24))
	}
	for range draw.IntN(40) {
		add()
	}
	// When each subnet was last in the cloud, and how many whole views of its region have begun since.
	sightings := map[string]int{}
	for range 12 {
		time.Sleep(time.Duration(draw.IntN(600)) * time.Second)
		c.Lag(draw.IntN(3))
		for range draw.IntN(3) {
			add()
		}
		if all := there(c); len(all) > 0 && draw.IntN(2) == 0 {
			for range 1 + draw.IntN(min(8, len(all))) {
				c.RemoveSubnet(payments.ExternalID, "", all[draw.IntN(len(all))])
			}
		}
		kind, region, page := kinds[draw.IntN(len(kinds))], []string{"east", "west", ""}[draw.IntN(3)], draw.IntN(4)
		faulty := draw.IntN(2) == 0
		c.Set(func(call fault.Call) fault.Fault {
			if faulty && (region == "" || call.Region == region) && (page == 0 || call.Page == page) {
				return fault.Fault{Kind: kind}
			}
			return fault.Fault{}
		})
		known := b.known()
		l := look(t, c)
		changes := observe.Decide(known, l, false)
		b.apply(changes)
		removals += len(changes.Remove)
		if len(changes.Vanished) > 0 {
			disbelieved++
			if len(changes.Add)+len(changes.Update)+len(changes.Remove) > 0 {
				t.Errorf("a pass that is not believed changes something: %+v", changes)
			}
		}
		if !l.Subnets.Whole("east") || !l.Subnets.Whole("west") {
			partials++
		}
		alive := there(c)
		shown := map[string]bool{}
		for _, s := range l.Subnets.Items {
			shown[s.ID] = true
		}
		for _, o := range known.Observations {
			switch {
			case o.Kind != ipam.ObservedSubnet:
			case shown[o.CloudID]:
				sightings[o.CloudID] = 0
			case l.Subnets.Whole(o.Region) && len(changes.Vanished) == 0:
				sightings[o.CloudID]++
			}
		}
		for _, o := range changes.Remove {
			if slices.Contains(alive, o.CloudID) {
				t.Errorf("%s is removed, and it is there", o.CloudID)
			}
			if o.Kind == ipam.ObservedSubnet && sightings[o.CloudID] < 3 {
				t.Errorf("%s is removed after %d complete views without it", o.CloudID, sightings[o.CloudID])
			}
			if !l.Subnets.Whole(o.Region) {
				t.Errorf("%s is removed by a partial view of %s", o.CloudID, o.Region)
			}
		}
		// Whatever a whole view showed is known.
		if len(changes.Vanished) == 0 {
			for id := range shown {
				if !slices.Contains(b.subnets(), id) {
					t.Errorf("%s was shown and is not known", id)
				}
			}
		}
	}
	// The faults stop, and somebody looks at what vanished.
	c.Set(nil)
	c.Lag(0)
	for range 3 {
		b.pass(t, c, true) // hidden ones and ghosts of lags come to their end
		time.Sleep(2 * time.Minute)
	}
	for range 3 {
		b.pass(t, c, true)
		time.Sleep(2 * time.Minute)
	}
	if got, want := b.subnets(), there(c); !slices.Equal(got, want) {
		t.Errorf("after the faults %v are known, %v are there", got, want)
	}
	if c := b.pass(t, c, false); len(c.Add)+len(c.Update)+len(c.Remove)+len(c.Vanished) > 0 {
		t.Errorf("a pass without changes changes %+v", c)
	}
	return removals, disbelieved, partials
}

// estate is an account with n subnets in one region, seen once.
func estate(t *testing.T, n int) (*fake.Cloud, *book, string) {
	c := fake.New(ipam.AWS, 5, "east")
	network := c.AddNetwork(payments.ExternalID, "east", "main", netip.MustParsePrefix("10.0.0.0/8"))
	for i := range n {
		c.AddSubnet(payments.ExternalID, "east", network, fmt.Sprint("s", i), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24))
	}
	b := newBook()
	b.pass(t, c, false)
	time.Sleep(2 * time.Minute)
	return c, b, network
}

func TestMuchThatIsGoneAtOnceIsNotBelieved(t *testing.T) {
	for _, c := range []struct {
		have, gone int
		believed   bool
	}{
		{1, 1, false}, {2, 1, true}, {3, 2, false}, {19, 1, true}, {19, 2, false}, {20, 2, true}, {30, 3, true}, {30, 4, false}, {100, 5, true}, {100, 6, false}, {100, 100, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f, b, _ := estate(t, c.have)
			for _, id := range there(f)[:c.gone] {
				f.RemoveSubnet(payments.ExternalID, "east", id)
			}
			got := b.pass(t, f, false)
			if len(got.Vanished) == 0 != c.believed || c.believed != (len(got.Update) == c.gone) {
				t.Errorf("%d of %d are gone: %d vanished, %d updates", c.gone, c.have, len(got.Vanished), len(got.Update))
			}
			if !c.believed {
				if s := got.States; s[0].Code != "vanished" || s[0].Seen != b.states["networkseast"].Seen {
					t.Errorf("the state does not say so: %+v", s)
				}
				if got := b.pass(t, f, true); len(got.Update) != c.gone {
					t.Errorf("somebody has looked, and still %+v", got)
				}
			}
		})
	}
}

func TestLooksThatFollowAtOnceCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, b, _ := estate(t, 30)
		f.RemoveSubnet(payments.ExternalID, "east", there(f)[0])
		for range 20 {
			b.pass(t, f, false)
			time.Sleep(time.Second)
		}
		if n := len(b.subnets()); n != 30 {
			t.Errorf("%d subnets are left after looks that one lag may have fooled", n)
		}
	})
}

func TestNetworksAreMappedToScopes(t *testing.T) {
	lab := ipam.NewUID("scope")
	k := newBook().known()
	k.Scopes["lab"] = lab
	network := func(id string, tags map[string]string) cloud.Network {
		return cloud.Network{ID: id, Owner: payments.ExternalID, Region: "east", CIDRs: []netip.Prefix{netip.MustParsePrefix("172.31.0.0/16")}, Tags: tags, Default: id == "standard"}
	}
	l := observe.Look{Began: time.Now(), Networks: cloud.Listing[cloud.Network]{Views: []cloud.View{{Region: "east"}}, Items: []cloud.Network{
		network("plain", nil), network("standard", nil), network("tagged", map[string]string{"cloudpam:scope": "lab"}), network("none", map[string]string{"cloudpam:scope": "-"}),
	}}, Subnets: cloud.Listing[cloud.Subnet]{Views: []cloud.View{{Region: "east"}}}}
	for _, id := range []string{"plain", "standard", "tagged", "none"} {
		l.Subnets.Items = append(l.Subnets.Items, cloud.Subnet{ID: "in-" + id, Owner: payments.ExternalID, Network: id, Region: "east", CIDRs: []netip.Prefix{netip.MustParsePrefix("172.31.0.0/20")}})
	}
	want := map[string]ipam.UID{"plain": payments.ScopeUID, "standard": "", "tagged": lab, "none": ""}
	got := observe.Decide(k, l, false)
	for _, o := range got.Add {
		if o.ScopeUID != want[o.Network] {
			t.Errorf("%s is in scope %q, want %q", o.CloudID, o.ScopeUID, want[o.Network])
		}
	}
	if len(got.Add) != 8 {
		t.Errorf("%d blocks, of which all overlap, are recorded of 8", len(got.Add))
	}
}

func TestASharedSubnetIsObservedOnce(t *testing.T) {
	k := newBook().known()
	l := observe.Look{Began: time.Now(), Networks: cloud.Listing[cloud.Network]{Views: []cloud.View{{Region: "east"}}}, Subnets: cloud.Listing[cloud.Subnet]{
		Views: []cloud.View{{Region: "east"}}, Items: []cloud.Subnet{{ID: "shared", Owner: "222222222222", Network: "vpc", Region: "east", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}},
	}}
	first := observe.Decide(k, l, false)
	if len(first.Add) != 1 {
		t.Fatalf("its owner is not known here, so who sees it tells of it: %+v", first)
	}
	k.Observations = first.Add
	k.Accounts["222222222222"] = true
	if c := observe.Decide(k, l, false); len(c.Add) != 0 || len(c.Remove) != 1 || len(c.Vanished) != 0 {
		t.Errorf("its owner tells of it by now: %+v", c)
	}
}
