package drift_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudpam/cloudpam/server/internal/drift"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

var (
	long = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // ago
	now  = long.AddDate(0, 6, 0)
)

const (
	prod = "aws:111111111111"
	dev  = "aws:222222222222"
)

func pool(id, cidr string) drift.Desired {
	return drift.Desired{Key: "p-" + id, Kind: ipam.KindPool, Name: id, Scope: "corp", CIDR: netip.MustParsePrefix(cidr), Since: long}
}

func allocation(name, cidr string, at ...string) drift.Desired {
	d := drift.Desired{Key: "a-" + name, Kind: ipam.KindAllocation, Name: name, Scope: "corp", CIDR: netip.MustParsePrefix(cidr), Since: long}
	for i, where := range at {
		*[]*string{&d.Account, &d.Region, &d.Network}[i] = where
	}
	return d
}

func reservation(name, cidr string) drift.Desired {
	d := allocation(name, cidr)
	d.Kind = ipam.KindReservation
	return d
}

func observed(kind, id, cidr string) drift.Observed {
	return drift.Observed{ID: "aws:" + id, Kind: kind, Scope: "corp", CIDR: netip.MustParsePrefix(cidr), Account: prod, Region: "eu-west-1", Network: "aws:vpc-1", FirstSeen: long}
}

func subnet(id, cidr string) drift.Observed { return observed(drift.Subnet, id, cidr) }

func with(o drift.Observed, change func(*drift.Observed)) drift.Observed {
	change(&o)
	return o
}

// whole is a region that three complete views have shown by now.
func whole(account, region string) drift.View {
	return drift.View{Account: account, Region: region, Complete: now, Third: now.Add(-time.Hour)}
}

// TestWhatIsADrift is what the kinds mean.
func TestWhatIsADrift(t *testing.T) {
	corp := pool("corp", "10.0.0.0/8")
	for _, c := range []struct {
		name     string
		desired  []drift.Desired
		observed []drift.Observed
		views    []drift.View
		want     string // "kind block task pool", by block
	}{
		{name: "nothing is desired and nothing shown"},
		{name: "a subnet that was allocated", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24", prod)}, observed: []drift.Observed{subnet("s", "10.1.0.0/24")}},
		{name: "a subnet that nobody allocated", desired: []drift.Desired{corp}, observed: []drift.Observed{subnet("s", "10.1.0.0/24")}, want: "unmanaged 10.1.0.0/24 adopt corp"},
		{name: "the innermost pool is where it belongs", desired: []drift.Desired{corp, pool("eu", "10.1.0.0/16")}, observed: []drift.Observed{subnet("s", "10.1.0.0/24")}, want: "unmanaged 10.1.0.0/24 adopt eu"},
		{name: "a subnet outside of all pools", desired: []drift.Desired{corp}, observed: []drift.Observed{subnet("s", "172.16.0.0/24")}, want: "unmanaged 172.16.0.0/24 adopt "},
		{name: "a network that no scope is said of", desired: []drift.Desired{corp}, observed: []drift.Observed{with(subnet("s", "10.1.0.0/24"), func(o *drift.Observed) { o.Scope = "" })}},
		{name: "a network that is a pool's block", desired: []drift.Desired{corp, pool("vpc", "10.1.0.0/16")}, observed: []drift.Observed{observed(drift.Network, "vpc-1", "10.1.0.0/16")}},
		{name: "a network around a pool", desired: []drift.Desired{corp, pool("vpc", "10.1.0.0/16")}, observed: []drift.Observed{observed(drift.Network, "vpc-1", "10.0.0.0/14")}},
		{name: "a network around what was allocated in it", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24")}, observed: []drift.Observed{observed(drift.Network, "vpc-1", "10.1.0.0/16")}},
		{name: "a network in a pool that nobody knows", desired: []drift.Desired{corp}, observed: []drift.Observed{observed(drift.Network, "vpc-1", "10.1.0.0/16")}, want: "unmanaged 10.1.0.0/16 adopt corp"},
		{name: "a network's allocation, used in parts", desired: []drift.Desired{corp, allocation("vpc", "10.1.0.0/16", prod)}, observed: []drift.Observed{observed(drift.Network, "vpc-1", "10.1.0.0/16"), subnet("s", "10.1.7.0/24")}},
		{name: "another account", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24", dev)}, observed: []drift.Observed{subnet("s", "10.1.0.0/24")}, want: "misplaced 10.1.0.0/24  "},
		{name: "another region", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24", prod, "us-east-1")}, observed: []drift.Observed{subnet("s", "10.1.0.0/24")}, want: "misplaced 10.1.0.0/24  "},
		{name: "another network", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24", prod, "", "aws:vpc-2")}, observed: []drift.Observed{subnet("s", "10.1.0.0/24")}, want: "misplaced 10.1.0.0/24  "},
		{name: "ours, with another block", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24")}, observed: []drift.Observed{with(subnet("s", "10.2.0.0/24"), func(o *drift.Observed) { o.Mark = "a-app" })}, want: "mismatched 10.2.0.0/24  "},
		{name: "the mark of another CloudPAM's allocation", desired: []drift.Desired{corp}, observed: []drift.Observed{with(subnet("s", "10.2.0.0/24"), func(o *drift.Observed) { o.Mark = "a-gone" })}, want: "unmanaged 10.2.0.0/24 adopt corp"},
		{name: "a subnet across allocations", desired: []drift.Desired{corp, allocation("a", "10.1.0.0/25"), allocation("b", "10.1.0.128/25")}, observed: []drift.Observed{subnet("s", "10.1.0.0/24")}, want: "conflicting 10.1.0.0/24  "},
		{name: "a subnet in a reservation", desired: []drift.Desired{corp, reservation("keep", "10.1.0.0/16")}, observed: []drift.Observed{subnet("s", "10.1.0.0/24")}, want: "conflicting 10.1.0.0/24  "},
		{
			name: "one block in two networks of one scope", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24")},
			observed: []drift.Observed{subnet("s", "10.1.0.0/24"), with(subnet("t", "10.1.0.0/24"), func(o *drift.Observed) { o.Network = "aws:vpc-2" })}, want: "conflicting 10.1.0.0/24  ",
		},
		{
			name: "one block in two networks of two scopes", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24")},
			observed: []drift.Observed{subnet("s", "10.1.0.0/24"), with(subnet("t", "10.1.0.0/24"), func(o *drift.Observed) { o.Network, o.Scope = "aws:vpc-2", "lab" })}, want: "unmanaged 10.1.0.0/24 adopt ",
		},
		{name: "an allocation that no cloud has", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24", prod)}, views: []drift.View{whole(prod, "eu-west-1"), whole(prod, "us-east-1")}, want: "missing 10.1.0.0/24 release "},
		{name: "in the region that it is for", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24", prod, "eu-west-1")}, views: []drift.View{whole(prod, "eu-west-1"), {Account: prod, Region: "us-east-1"}}, want: "missing 10.1.0.0/24 release "},
		{name: "an allocation for nobody in particular", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24")}, views: []drift.View{whole(prod, "eu-west-1")}},
		{name: "an account that was never seen", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24", prod)}},
		{name: "a region that was not seen three times", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24", prod)}, views: []drift.View{whole(prod, "eu-west-1"), {Account: prod, Region: "us-east-1", Complete: now}}},
		{name: "seen by another account only", desired: []drift.Desired{corp, allocation("app", "10.1.0.0/24", prod)}, views: []drift.View{whole(dev, "eu-west-1")}},
		{
			name: "younger than the third last view", desired: []drift.Desired{corp, func() drift.Desired {
				d := allocation("app", "10.1.0.0/24", prod)
				d.Since = now.Add(-time.Minute)
				return d
			}()},
			views: []drift.View{whole(prod, "eu-west-1")},
		},
		{
			name: "a secondary range that was allocated", desired: []drift.Desired{corp, allocation("pods", "10.4.0.0/14", prod)},
			observed: []drift.Observed{observed(drift.Secondary, "s", "10.4.0.0/14")}, views: []drift.View{whole(prod, "eu-west-1")},
		},
		{name: "IPv6", desired: []drift.Desired{pool("six", "2001:db8::/32")}, observed: []drift.Observed{subnet("s", "2001:db8:1::/64")}, want: "unmanaged 2001:db8:1::/64 adopt six"},
	} {
		var got []string
		for _, d := range drift.Compare(c.desired, c.observed, c.views) {
			got = append(got, fmt.Sprint(d.Kind, " ", d.CIDR, " ", d.Task, " ", d.Pool))
			if d.Detail == "" || !strings.HasPrefix(d.ID, "drift_") || d.Facts == "" {
				t.Errorf("%s: %+v does not say what it is", c.name, d)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAnIDStaysWhileFactsChange(t *testing.T) {
	corp := pool("corp", "10.0.0.0/8")
	first := drift.Compare([]drift.Desired{corp}, []drift.Observed{subnet("s", "10.1.0.0/24")}, nil)[0]
	later := drift.Compare([]drift.Desired{corp, pool("eu", "10.1.0.0/16")}, []drift.Observed{subnet("s", "10.1.0.0/24"), subnet("t", "10.2.0.0/24")}, nil)[0]
	if first.ID != later.ID || first.Facts == later.Facts {
		t.Errorf("%+v\n%+v", first, later)
	}
	again := drift.Compare([]drift.Desired{corp}, []drift.Observed{with(subnet("s", "10.1.0.0/24"), func(o *drift.Observed) { o.FirstSeen = now; o.Name = "renamed" })}, nil)[0]
	if again.ID != first.ID || again.Facts != first.Facts {
		t.Errorf("nothing that it is about has changed: %+v\n%+v", first, again)
	}
}

func TestTheFirstRuleThatMatchesDecides(t *testing.T) {
	rules := []drift.Rule{
		{Labels: ipam.Labels{"cloudpam": "ignore"}, Action: drift.Ignore},
		{Kinds: []drift.Kind{drift.Unmanaged}, Scopes: []string{"lab"}, OlderBy: 24 * time.Hour, Action: drift.AutoAdopt},
		{Kinds: []drift.Kind{drift.Unmanaged}, Accounts: []string{dev}, Action: drift.Ignore},
	}
	for _, r := range rules {
		if err := r.Check(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		name string
		d    drift.Drift
		want drift.Action
		by   int
	}{
		{"labelled", drift.Drift{Kind: drift.Missing, Labels: ipam.Labels{"cloudpam": "ignore", "a": "b"}}, drift.Ignore, 0},
		{"labelled otherwise", drift.Drift{Kind: drift.Missing, Labels: ipam.Labels{"cloudpam": "show"}}, drift.Propose, -1},
		{"old enough", drift.Drift{Kind: drift.Unmanaged, Scope: "lab", Since: now.AddDate(0, 0, -2)}, drift.AutoAdopt, 1},
		{"too young", drift.Drift{Kind: drift.Unmanaged, Scope: "lab", Since: now.Add(-time.Hour)}, drift.Propose, -1},
		{"too young, but a later rule", drift.Drift{Kind: drift.Unmanaged, Scope: "lab", Account: dev, Since: now.Add(-time.Hour)}, drift.Ignore, 2},
		{"another kind", drift.Drift{Kind: drift.Misplaced, Scope: "lab", Account: dev, Since: long}, drift.Propose, -1},
	} {
		if got, by := drift.Decide(rules, c.d, now); got != c.want || by != c.by {
			t.Errorf("%s: %s by %d, want %s by %d", c.name, got, by, c.want, c.by)
		}
	}
	for what, r := range map[string]drift.Rule{
		"no action":                {},
		"adopt whatever it is":     {Action: drift.AutoAdopt},
		"adopt what is missing":    {Action: drift.AutoAdopt, Kinds: []drift.Kind{drift.Missing}},
		"a kind that there is not": {Action: drift.Ignore, Kinds: []drift.Kind{"odd"}},
		"an age below zero":        {Action: drift.Ignore, OlderBy: -1},
	} {
		if r.Check() == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

// TestCompareIsAFunctionOfItsFacts draws estates.
func TestCompareIsAFunctionOfItsFacts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		desired, seen := draw(t)
		views := []drift.View{whole(prod, "eu-west-1")}
		first := drift.Compare(desired, seen, views)
		ids := map[string]bool{}
		for _, d := range first {
			if ids[d.ID] {
				t.Fatalf("two drifts are %s", d.ID)
			}
			ids[d.ID] = true
		}
		mix := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed")))
		mix.Shuffle(len(desired), func(i, j int) { desired[i], desired[j] = desired[j], desired[i] })
		mix.Shuffle(len(seen), func(i, j int) { seen[i], seen[j] = seen[j], seen[i] })
		again := drift.Compare(desired, seen, views)
		if !slices.EqualFunc(first, again, func(a, b drift.Drift) bool { return a.ID == b.ID && a.Facts == b.Facts && a.Task == b.Task }) {
			t.Fatalf("the order counts:\n%+v\n%+v", first, again)
		}
		for _, d := range drift.Compare(desired, seen, nil) {
			if d.Kind == drift.Missing {
				t.Fatalf("missing in an account that nobody has seen: %+v", d)
			}
		}
		// Every subnet is either had by somebody, in whole or in parts, or is a drift.
		for _, o := range seen {
			told := slices.ContainsFunc(first, func(d drift.Drift) bool { return d.Observed == o.ID && d.CIDR == o.CIDR })
			had := slices.ContainsFunc(desired, func(d drift.Desired) bool {
				return d.Kind == ipam.KindAllocation && d.CIDR.Bits() <= o.CIDR.Bits() && d.CIDR.Contains(o.CIDR.Addr())
			})
			if !told && !had {
				t.Fatalf("%s %s is neither had nor told of", o.ID, o.CIDR)
			}
		}
		// What is adopted is no drift any more.
		for _, d := range first {
			if d.Kind == drift.Unmanaged {
				adopted := append(slices.Clone(desired), drift.Desired{Key: "adopted", Kind: ipam.KindAllocation, Name: "adopted", Scope: d.Scope, CIDR: d.CIDR, Account: d.Account, Region: d.Region, Since: now})
				for _, left := range drift.Compare(adopted, seen, views) {
					if left.ID == d.ID {
						t.Fatalf("it is adopted and still unmanaged: %+v", left)
					}
				}
			}
		}
	})
}

// draw draws disjoint allocations and any observations in 10.0.0.0/24.
func draw(t *rapid.T) (desired []drift.Desired, seen []drift.Observed) {
	desired = append(desired, pool("corp", "10.0.0.0/24"))
	block := rapid.Custom(func(t *rapid.T) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, rapid.Byte().Draw(t, "at")}), rapid.IntRange(25, 32).Draw(t, "bits")).Masked()
	})
	for i, p := range rapid.SliceOfN(block, 0, 6).Draw(t, "desired") {
		if !slices.ContainsFunc(desired[1:], func(d drift.Desired) bool { return d.CIDR.Overlaps(p) }) {
			desired = append(desired, allocation(fmt.Sprint(i), p.String(), prod))
		}
	}
	for i, p := range rapid.SliceOfN(block, 0, 6).Draw(t, "observed") {
		o := subnet(fmt.Sprint("s", i), p.String())
		o.Network = rapid.SampledFrom([]string{"aws:vpc-1", "aws:vpc-2"}).Draw(t, "network")
		seen = append(seen, o)
	}
	return desired, seen
}
