package httpapi_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func (s lab) search(t testing.TB, q, as string) api.SearchResult {
	t.Helper()
	a := s.send(t, "GET", "/api/v1/search?q="+url.QueryEscape(q), "", as)
	if a.status != 200 {
		t.Fatalf("search %q: %d %s", q, a.status, a.body)
	}
	return decode[api.SearchResult](t, a)
}

// told is the places of a search in one line each.
func told(r api.SearchResult) string {
	var all []string
	for _, p := range r.Places {
		line := p.Scope + " " + string(p.Status)
		for _, pool := range p.Pools {
			line += " > " + pool.Name
		}
		if p.Holder != nil {
			line += fmt.Sprintf(" > %s %s by %s", p.Holder.Kind, p.Holder.Name, p.Holder.Owner)
		}
		if p.Free != nil {
			line += " in " + *p.Free
		}
		for _, x := range p.Inside {
			line += " + " + x.CIDR
		}
		for _, o := range p.Observations {
			line += " seen " + o.CIDR
		}
		all = append(all, line)
	}
	return strings.Join(all, "; ")
}

func hits(r api.SearchResult) string {
	var all []string
	for _, h := range r.Hits {
		all = append(all, string(h.Kind)+" "+h.Name)
	}
	return strings.Join(all, ", ")
}

func TestAnAddressIsAnsweredWithItsChainInEachScope(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.aws(t, 4) // 10.0.0.0/16 with 10.0.0.0/24 to 10.0.3.0/24
		post[api.SyncOutcome](t, s, "/accounts/aws:111111111111/sync", `{}`)
		post[api.Scope](t, s, "/scopes", `{"name":"lab"}`)
		for _, p := range []string{
			`{"name":"corp","cidr":"10.0.0.0/8"}`, `{"name":"prod","parent":"corp","cidr":"10.4.0.0/14","quarantine_seconds":3600}`, `{"name":"web","parent":"prod","cidr":"10.4.0.0/20"}`,
			`{"name":"empty","parent":"corp","cidr":"10.64.0.0/16"}`, `{"scope":"lab","name":"bench","cidr":"10.4.0.0/16"}`, `{"name":"six","cidr":"2001:db8::/32"}`,
		} {
			post[api.Pool](t, s, "/pools", p)
		}
		post[api.Allocation](t, s, "/allocations", `{"pool":"web","name":"shop","cidr":"10.4.1.0/24","owner":"payments","account":"aws:1"}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"six","name":"v6","cidr":"2001:db8:0:7::/64","owner":"net"}`)
		post[api.Reservation](t, s, "/reservations", `{"pool":"web","cidr":"10.4.2.0/24","reason":"merger","owner":"ana"}`)
		post[api.Hold](t, s, "/holds", `{"pool":"web","name":"next","cidr":"10.4.3.0/24","holder":"ws"}`)
		gone := post[api.Allocation](t, s, "/allocations", `{"pool":"web","name":"old","cidr":"10.4.4.0/24","owner":"bob"}`)
		s.send(t, "DELETE", "/api/v1/allocations/"+gone.ID, "")
		post[map[string]any](t, s, "/pool-drafts", `{"pool":{"name":"soon","parent":"web","cidr":"10.4.5.0/24"},"holder":"ws"}`)
		for q, want := range map[string]string{
			"10.4.1.7":             "default allocated > corp > prod > web > allocation shop by payments; lab free > bench in 10.4.0.0/16",
			"10.4.1.0/24":          "default allocated > corp > prod > web > allocation shop by payments; lab free > bench in 10.4.0.0/16",
			"10.4.1.128/25":        "default allocated > corp > prod > web > allocation shop by payments; lab free > bench in 10.4.0.0/16",
			"10.4.2.1":             "default reserved > corp > prod > web > reservation merger by ana; lab free > bench in 10.4.0.0/16",
			"10.4.3.1":             "default held > corp > prod > web > hold next by ws; lab free > bench in 10.4.0.0/16",
			"10.4.4.1":             "default quarantined > corp > prod > web > quarantine old by bob; lab free > bench in 10.4.0.0/16",
			"10.4.5.1":             "default held > corp > prod > web > pool soon by ; lab free > bench in 10.4.0.0/16",
			"10.4.9.1":             "default free > corp > prod > web in 10.4.8.0/21; lab free > bench in 10.4.0.0/16",
			"10.4.9.77/24":         "default free > corp > prod > web in 10.4.8.0/21; lab free > bench in 10.4.0.0/16", // host bits do no harm
			"10.4.0.0/22":          "default mixed > corp > prod > web + 10.4.1.0/24 + 10.4.2.0/24 + 10.4.3.0/24; lab free > bench in 10.4.0.0/16",
			"10.64.0.0/16":         "default free > corp > empty in 10.64.0.0/16",
			"10.0.3.9":             "default guarded > corp seen 10.0.0.0/16 seen 10.0.3.0/24",
			"10.0.2.0/23":          "default guarded > corp seen 10.0.0.0/16 seen 10.0.2.0/24 seen 10.0.3.0/24",
			"::ffff:10.64.0.1":     "default free > corp > empty in 10.64.0.0/16",
			"2001:DB8:0:7:0:0:0:1": "default allocated > six > allocation v6 by net",
			"2001:db8:1::/48":      "default free > six in 2001:db8:1::/48",
			"2001:db8::/31":        "default mixed + 2001:db8::/32 + 2001:db8:0:7::/64",
			"192.0.2.1":            "",
			" 10.64.0.1 ":          "default free > corp > empty in 10.64.0.0/16",
		} {
			if got := told(s.search(t, q, bearer(secret))); got != want {
				t.Errorf("%s:\n%s\nwant\n%s", q, got, want)
			}
		}
		if h := s.search(t, "10.4.1.7", bearer(secret)).Places[0].Holder; h == nil || h.Account != "aws:1" || *h.Pool != "web" || h.CIDR != "10.4.1.0/24" || !strings.HasPrefix(h.ID, "alloc_") {
			t.Errorf("%+v", h)
		}
		t.Run("as far as one sees", func(t *testing.T) {
			ofWeb, ofLab := s.as(t, ipam.NewBinding{Role: ipam.Viewer, Pool: "web"}), s.as(t, ipam.NewBinding{Role: ipam.Viewer, Scope: "lab"})
			for _, c := range []struct{ as, q, want string }{
				{ofWeb, "10.4.1.7", "default allocated > web > allocation shop by payments"},
				{ofWeb, "10.64.0.1", ""},
				{ofWeb, "10.4.0.0/14", "default mixed + 10.4.1.0/24 + 10.4.2.0/24 + 10.4.3.0/24 + 10.4.4.0/24 + 10.4.5.0/24"},
				{ofLab, "10.4.1.7", "lab free > bench in 10.4.0.0/16"},
			} {
				if got := told(s.search(t, c.q, c.as)); got != c.want {
					t.Errorf("%s: %s\nwant %s", c.q, got, c.want)
				}
			}
			if got := hits(s.search(t, "payments", ofLab)); got != "" {
				t.Errorf("another scope's: %s", got)
			}
			if got := hits(s.search(t, "payments", ofWeb)); got != "allocation shop" {
				t.Errorf("of the pool: %s", got)
			}
		})
	})
}

func TestWordsFindEveryKindAndTheBestComesFirst(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.aws(t, 2)
		post[api.Scope](t, s, "/scopes", `{"name":"partner","description":"Networks of Zebra Ltd"}`)
		for _, p := range []string{
			`{"name":"corp","cidr":"10.0.0.0/8","owner":"netops"}`, `{"name":"prod-euw1","parent":"corp","cidr":"10.4.0.0/14","region":"eu-west-1","environment":"prod"}`,
			`{"scope":"partner","name":"zebra","cidr":"10.0.0.0/8"}`,
		} {
			post[api.Pool](t, s, "/pools", p)
		}
		for _, a := range []string{
			`{"pool":"prod-euw1","name":"payments","prefix_length":24,"owner":"Team Blue","region":"eu-west-1","labels":{"team":"blue","größe":"MÜLL"}}`,
			`{"pool":"prod-euw1","name":"payments-db","prefix_length":24,"account":"aws:111111111111"}`,
			`{"pool":"prod-euw1","name":"web/payments","prefix_length":24}`, `{"pool":"prod-euw1","name":"x","prefix_length":24,"owner":"payments"}`,
			`{"pool":"prod-euw1","name":"y","prefix_length":24,"description":"for the payments people 100% _sure_"}`, `{"pool":"partner.zebra","name":"stripe","prefix_length":24}`,
		} {
			post[api.Allocation](t, s, "/allocations", a)
		}
		post[api.AllocationSet](t, s, "/allocation-sets", `{"pool":"prod-euw1","name":"azs","purpose":"zebra crossing","members":{"a":{"prefix_length":26}}}`)
		post[api.Reservation](t, s, "/reservations", `{"pool":"prod-euw1","name":"spare","reason":"zebra","prefix_length":24}`)
		post[api.Hold](t, s, "/holds", `{"pool":"prod-euw1","name":"zebra-next","prefix_length":24,"holder":"ws-blue"}`)
		post[api.SyncOutcome](t, s, "/accounts/aws:111111111111/sync", `{}`)
		for q, want := range map[string]string{
			"payments":            "account payments, allocation payments, allocation payments-db, allocation web/payments, allocation x, allocation y",
			"PAYMENTS blue":       "allocation payments",
			"team blue":           "allocation payments",
			"prod eu-west-1":      "pool prod-euw1", // two words, each somewhere
			"zebra":               "pool zebra, hold zebra-next, scope partner, allocation_set azs, allocation azs/a, reservation spare",
			"zebra ltd":           "scope partner",
			"müll":                "allocation payments",
			"GRÖSSE":              "",
			"aws:111111111111":    "account payments, allocation payments-db, observation main, observation s0, observation s1",
			"100% _sure_":         "allocation y",
			"100%_":               "",
			"ws-blue":             "hold zebra-next",
			`"team":"blue"`:       "allocation payments",
			"s1 east":             "observation s1",
			"nothing of the kind": "",
		} {
			got := hits(s.search(t, q, bearer(secret)))
			if q == "aws:111111111111" {
				got = strings.ReplaceAll(got, "observation s1, observation s0", "observation s0, observation s1")
			}
			if got != want {
				t.Errorf("%s:\n%s\nwant\n%s", q, got, want)
			}
		}
		few := get[api.SearchResult](t, s, "/search?q=payments&limit=2")
		if hits(few) != "account payments, allocation payments" || !few.More {
			t.Errorf("%s, more: %v", hits(few), few.More)
		}
		if all := get[api.SearchResult](t, s, "/search?q=payments"); all.More || all.CIDR != nil || len(all.Places) != 0 {
			t.Errorf("%+v", all)
		}
		if p := wantProblemCode(t, s.send(t, "GET", "/api/v1/search?q=%20", ""), 400, "invalid"); !strings.Contains(p.Detail, "address") {
			t.Errorf("%+v", p)
		}
		if got := names(t, s, "/pools?q=prod+eu-west-1"); len(got) != 1 { // lists take words alike
			t.Errorf("%v", got)
		}
	})
}
