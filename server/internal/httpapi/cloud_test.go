package httpapi_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fake"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// TestTheContractHasTheTargetsThatAreRegistered compares the one list that a contract must have of its own.
func TestTheContractHasTheTargetsThatAreRegistered(t *testing.T) {
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	var said, known []string
	for _, one := range spec.Components.Schemas["Target"].Value.Enum {
		said = append(said, fmt.Sprint(one))
	}
	for _, c := range ipam.Clouds() {
		for _, limits := range c.Targets {
			known = append(known, string(limits.Target))
		}
	}
	slices.Sort(said)
	slices.Sort(known)
	if !slices.Equal(said, known) {
		t.Errorf("the contract has %v, registered are %v", said, known)
	}
}

// aws is an account of a cloud in memory, with n subnets.
func (s lab) aws(t *testing.T, n int) (ids []string) {
	t.Helper()
	post[api.Account](t, s, "/accounts", `{"cloud":"aws","external_id":"111111111111","name":"payments"}`)
	vpc := s.cloud.AddNetwork("111111111111", "east", "main", netip.MustParsePrefix("10.0.0.0/16"))
	for i := range n {
		ids = append(ids, s.cloud.AddSubnet("111111111111", "east", vpc, fmt.Sprint("s", i), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24)))
	}
	return ids
}

func TestAnAccountIsLookedAtAndDiffers(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.aws(t, 12)
		post[api.Pool](t, s, "/pools", `{"name":"vpc","cidr":"10.0.0.0/16"}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"vpc","name":"known","cidr":"10.0.3.0/24"}`)
		out := post[api.SyncOutcome](t, s, "/accounts/aws:111111111111/sync", `{}`)
		if out.Added != 13 || out.Vanished != 0 || len(out.Views) != 4 {
			t.Errorf("%+v", out)
		}
		seen := get[api.AccountViews](t, s, "/accounts/aws:111111111111/sync")
		for _, v := range seen.Views {
			if v.Code != "" || v.SeenAt == nil {
				t.Errorf("%+v", v)
			}
		}
		at := get[api.ObservationPage](t, s, "/observations?contains=10.0.3.9&kind=subnet")
		if len(at.Items) != 1 || at.Items[0].Name != "s3" || at.Items[0].Scope != "default" || at.Items[0].Account != "aws:111111111111" {
			t.Errorf("%+v", at.Items)
		}
		listed, page := map[string]bool{}, "?limit=5"
		for pages := 0; page != ""; pages++ {
			d := get[api.DriftPage](t, s, "/drifts"+page)
			for _, one := range d.Items {
				if one.Kind != "unmanaged" || one.Task != "adopt" || one.Pool != "vpc" || listed[one.ID] {
					t.Errorf("%+v", one)
				}
				listed[one.ID] = true
			}
			page = ""
			if d.NextPageToken != nil {
				page = "?limit=5&page_token=" + *d.NextPageToken
			}
			if pages > 5 {
				t.Fatal("the list has no end")
			}
		}
		if len(listed) != 11 {
			t.Errorf("%d drifts of 11", len(listed))
		}
		if none := get[api.DriftPage](t, s, "/drifts?kind=missing"); len(none.Items) != 0 {
			t.Errorf("%+v", none.Items)
		}
		wantProblemCode(t, s.send(t, "GET", "/api/v1/drifts?scope=nowhere", ""), 404, "not_found")
		wantProblemCode(t, s.send(t, "POST", "/api/v1/accounts/aws:999999999999/sync", `{}`), 404, "not_found")
	})
}

func TestWhatIsWrongWithAnAccountIsNamedWithItsFix(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.aws(t, 1)
		post[api.Account](t, s, "/accounts", `{"cloud":"gcp","external_id":"my-project","name":"elsewhere"}`)
		check := func(account string) api.AccountCheck {
			return post[api.AccountCheck](t, s, "/accounts/"+account+"/check", "")
		}
		if c := check("aws:111111111111"); !c.Ok || c.Code != "" {
			t.Errorf("%+v", c)
		}
		s.cloud.Set(func(c fault.Call) fault.Fault {
			if c.Action == fake.ListSubnets {
				return fault.Fault{Kind: fault.Denied}
			}
			return fault.Fault{}
		})
		if c := check("aws:111111111111"); c.Ok || c.Code != "denied" || c.Permission != fake.ListSubnets || c.Fix == "" {
			t.Errorf("%+v", c)
		}
		if c := check("gcp:my-project"); c.Ok || c.Code != "unsupported" || c.Fix == "" {
			t.Errorf("%+v", c)
		}
		out := post[api.SyncOutcome](t, s, "/accounts/aws:111111111111/sync", `{}`)
		if out.Added != 1 || out.Views[2].Code != "denied" || out.Views[2].Fix == "" || out.Views[2].SeenAt != nil {
			t.Errorf("%+v", out)
		}
	})
}

func TestWhatVanishedWaitsForSomebody(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		ids := s.aws(t, 8)
		sync := func(body string) api.SyncOutcome {
			return post[api.SyncOutcome](t, s, "/accounts/aws:111111111111/sync", body)
		}
		sync(`{}`)
		for _, id := range ids[:4] {
			s.cloud.RemoveSubnet("111111111111", "east", id)
		}
		if out := sync(`{}`); out.Vanished != 4 || out.Updated+out.Removed != 0 || out.Views[0].Code != "vanished" {
			t.Errorf("%+v", out)
		}
		if out := sync(`{"accept_vanished":true}`); out.Vanished != 0 {
			t.Errorf("%+v", out)
		}
	})
}
