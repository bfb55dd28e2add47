package cloudtest

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
)

func everythingOnce(t *testing.T, b Bench) {
	want := b.fill(b.Region, b.Network, 12)
	if b.Aside != "" {
		other := b.Behind.AddNetwork(b.Account.ExternalID, b.Aside, "aside", netip.MustParsePrefix("10.8.0.0/16"), netip.MustParsePrefix("10.9.0.0/16"))
		want = append(want, b.fill(b.Aside, other, 6)...)
	}
	var got []string
	for _, s := range b.subnets(t) {
		got = append(got, s.ID)
		if len(s.CIDRs) != 1 || s.Region == "" || s.Network == "" || s.Owner != b.Account.ExternalID || s.Name == "" || !s.Mark.Zero() {
			t.Errorf("a subnet is not told as it is: %+v", s)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d subnets listed, %d are there:\n%v\n%v", len(got), len(want), got, want)
	}
	networks := b.Provider.Networks(t.Context(), b.Account)
	if err := networks.Err(); err != nil {
		t.Fatal(err)
	}
	for _, s := range b.subnets(t) {
		at := slices.IndexFunc(networks.Items, func(n cloud.Network) bool { return n.ID == s.Network })
		if at < 0 {
			t.Fatalf("subnet %s is in network %s, which is not listed", s.ID, s.Network)
		}
		if n := networks.Items[at]; n.Owner != b.Account.ExternalID || n.Default {
			t.Errorf("a network is not told as it is: %+v", n)
		}
	}
	if l := b.Provider.Ranges(t.Context(), b.Account); l.Err() != nil {
		t.Errorf("an account without ranges: %v", l.Err())
	}
}

func oneBlockInTwoNetworks(t *testing.T, b Bench) {
	block := netip.MustParsePrefix("10.8.1.0/24")
	other := b.Behind.AddNetwork(b.Account.ExternalID, b.Region, "twin", netip.MustParsePrefix("10.8.0.0/16"))
	want := []string{
		b.Behind.AddSubnet(b.Account.ExternalID, b.Region, b.Network, "one", block),
		b.Behind.AddSubnet(b.Account.ExternalID, b.Region, other, "two", block),
	}
	for _, id := range want {
		if s, found := b.find(t, id); !found || !s.Has(block) {
			t.Errorf("%s: found %t, %v", id, found, s.CIDRs)
		}
	}
}

// failingPage breaks each page of a listing of three in each way that does not pass.
func failingPage(t *testing.T, b Bench) {
	ids := b.fill(b.Region, b.Network, 12)
	for _, kind := range []fault.Kind{fault.Fail, fault.Throttle, fault.Reset, fault.Truncate, fault.Empty, fault.Denied, fault.Disabled, fault.RepeatPage} {
		for page := 1; page <= 3; page++ {
			if kind == fault.RepeatPage && page == 1 {
				continue // it was asked for with no token
			}
			b.Behind.Set(on(b.Actions.Subnets, b.listRegion(), page, 0, kind))
			l := b.Provider.Subnets(t.Context(), b.Account)
			if l.Whole(b.Region) {
				t.Errorf("page %d with fault %d: the view of %s is whole, with %d of %d subnets", page, kind, b.Region, len(l.Items), len(ids))
			}
			if l.Err() == nil {
				t.Errorf("page %d with fault %d: no error says so", page, kind)
			}
			if want := map[fault.Kind]cloud.Code{fault.Throttle: cloud.CodeThrottled, fault.Denied: cloud.CodeDenied, fault.Disabled: cloud.CodeDisabled}[kind]; want != "" {
				wantCode(t, "the view", l.Err(), want)
			}
		}
	}
	b.Behind.Set(nil)
	if got := len(b.subnets(t)); got != len(ids) {
		t.Errorf("after the faults %d of %d subnets are listed", got, len(ids))
	}
}

func otherRegion(t *testing.T, b Bench) {
	if b.Aside == "" {
		t.Skip("this cloud lists all regions in one go")
	}
	other := b.Behind.AddNetwork(b.Account.ExternalID, b.Aside, "aside", netip.MustParsePrefix("10.8.0.0/16"))
	b.fill(b.Region, b.Network, 7)
	b.fill(b.Aside, other, 8)
	for _, kind := range []fault.Kind{fault.Denied, fault.Disabled, fault.Fail} {
		b.Behind.Set(on(b.Actions.Subnets, b.Aside, 0, 0, kind))
		l := b.Provider.Subnets(t.Context(), b.Account)
		seen := 0
		for _, s := range l.Items {
			if s.Region == b.Region {
				seen++
			}
		}
		if !l.Whole(b.Region) || l.Whole(b.Aside) || seen != 7 {
			t.Errorf("fault %d in %s: %s whole %t with %d of 7, %s whole %t", kind, b.Aside, b.Region, l.Whole(b.Region), seen, b.Aside, l.Whole(b.Aside))
		}
	}
}

func passingFaults(t *testing.T, b Bench) {
	ids := b.fill(b.Region, b.Network, 12)
	for _, kind := range []fault.Kind{fault.Throttle, fault.Fail, fault.Reset} {
		for page := 1; page <= 3; page++ {
			b.Behind.Set(on(b.Actions.Subnets, b.listRegion(), page, 3, kind))
			l := b.Provider.Subnets(t.Context(), b.Account)
			if err := l.Err(); err != nil || len(l.Items) != len(ids) {
				t.Errorf("page %d fails three times with fault %d: %d of %d subnets, %v", page, kind, len(l.Items), len(ids), err)
			}
		}
	}
}

func hangs(t *testing.T, b Bench) {
	b.fill(b.Region, b.Network, 3)
	b.Behind.Set(func(c fault.Call) fault.Fault {
		if c.Action == b.Actions.Subnets {
			return fault.Fault{Delay: 24 * time.Hour}
		}
		return fault.Fault{}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	l := b.Provider.Subnets(ctx, b.Account)
	if took := time.Since(began); took > time.Minute || l.Whole(b.Region) || l.Err() == nil {
		t.Errorf("after %s: whole %t, %v", took, l.Whole(b.Region), l.Err())
	}
}

func missingPermission(t *testing.T, b Bench) {
	if err := b.Provider.Validate(t.Context(), b.Account); err != nil {
		t.Fatalf("all is well, and yet: %v", err)
	}
	for _, action := range []string{b.Actions.Networks, b.Actions.Subnets} {
		b.Behind.Set(on(action, "", 0, 0, fault.Denied))
		err := b.Provider.Validate(t.Context(), b.Account)
		wantCode(t, action+" is denied", err, cloud.CodeDenied)
		e, isCloud := errors.AsType[*cloud.Error](err)
		if !isCloud || e.Permission != action || e.Fix == "" {
			t.Errorf("%s is denied: %#v", action, err)
		}
	}
}
