package httpapi_test

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// estate is an account with a network of n subnets that has been looked at.
func (s lab) estate(t *testing.T, n int) []string {
	t.Helper()
	ids := s.aws(t, n)
	post[api.SyncOutcome](t, s, "/accounts/aws:111111111111/sync", `{}`)
	return ids
}

// books are what is desired and what happened.
func (s lab) books(t *testing.T) (all string) {
	for _, path := range []string{"/events", "/prefixes", "/allocations", "/pools"} {
		all += s.send(t, "GET", "/api/v1"+path+"?limit=1000", "").body
	}
	return all
}

const wholeAccount = `{"account":"aws:111111111111"}`

// verdicts are what became of things, by their blocks.
func verdicts(a api.Adoption) map[string]string {
	all := map[string]string{}
	for _, i := range a.Items {
		text := string(i.Verdict)
		switch {
		case i.Problem != nil:
			text += " " + i.Problem.Code
		case i.Kind != nil:
			text += " " + string(*i.Kind) + " " + strings.TrimPrefix(str(i.Pool)+"/"+str(i.Name), "/")
		}
		all[i.CIDR] = text
	}
	return all
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestAnAccountIsAdoptedWholeAndOnce(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.estate(t, 12)
		before := s.books(t)
		preview := post[api.Adoption](t, s, "/adoptions", `{"account":"aws:111111111111","dry_run":true}`)
		if after := s.books(t); before != after {
			t.Errorf("a dry run changed something:\n%s\n%s", before, after)
		}
		if len(get[api.DriftPage](t, s, "/drifts").Items) != 13 {
			t.Error("before, everything is unmanaged")
		}
		done := post[api.Adoption](t, s, "/adoptions", `{"account":"aws:111111111111","labels":{"team":"net"}}`)
		if fmt.Sprint(verdicts(preview)) != fmt.Sprint(verdicts(done)) {
			t.Errorf("the dry run said\n%v\nand it became\n%v", verdicts(preview), verdicts(done))
		}
		if done.Adopted != 13 || done.Refused+done.Already+done.Inside != 0 || done.Items[0].Observed != "network" {
			t.Errorf("%+v", done)
		}
		if v := verdicts(done); v["10.0.0.0/16"] != "adopted pool main" || v["10.0.3.0/24"] != "adopted allocation main/s3" {
			t.Errorf("%v", v)
		}
		made := get[api.AllocationPage](t, s, "/allocations?contains=10.0.3.9").Items[0]
		if made.CIDR != "10.0.3.0/24" || made.Account != "aws:111111111111" || made.Region != "east" || made.Labels["team"] != "net" || made.ID != str(done.Items[4].Object) {
			t.Errorf("%+v", made)
		}
		if left := get[api.DriftPage](t, s, "/drifts").Items; len(left) != 0 {
			t.Errorf("%+v", left)
		}
		event := get[api.EventPage](t, s, "/events?object="+made.ID).Items
		if len(event) != 1 || event[0].Action != "allocation.created" || !strings.HasPrefix(event[0].Reason, "adopts aws:subnet-") {
			t.Errorf("%+v", event)
		}
		before = s.books(t)
		if again := post[api.Adoption](t, s, "/adoptions", wholeAccount); again.Already != 13 || again.Adopted != 0 || str(again.Items[4].Object) != made.ID {
			t.Errorf("%+v", again)
		}
		if s.books(t) != before {
			t.Error("adopting again changed something")
		}
	})
}

func TestWhatCannotBeAdoptedIsRefusedAndTheRestIsAdopted(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.estate(t, 6)
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/8"}`)
		post[api.Pool](t, s, "/pools", `{"name":"vpc","cidr":"10.0.0.0/16","parent":"corp"}`)
		post[api.Reservation](t, s, "/reservations", `{"pool":"vpc","cidr":"10.0.1.0/24","reason":"merger"}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"vpc","name":"theirs","cidr":"10.0.2.0/24","account":"aws:222222222222"}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"vpc","name":"s4","cidr":"10.0.200.0/24"}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"vpc","name":"known","cidr":"10.0.5.0/24"}`)
		out := verdicts(post[api.Adoption](t, s, "/adoptions", wholeAccount))
		id := get[api.ObservationPage](t, s, "/observations?within=10.0.4.0/24").Items[0].ID
		for cidr, want := range map[string]string{
			"10.0.0.0/16": "already pool corp/vpc", "10.0.0.0/24": "adopted allocation vpc/s0", "10.0.1.0/24": "refused cidr_taken", "10.0.2.0/24": "refused cidr_taken",
			"10.0.3.0/24": "adopted allocation vpc/s3", "10.0.4.0/24": "adopted allocation vpc/s4/" + strings.TrimPrefix(id, "aws:"), "10.0.5.0/24": "already allocation vpc/known",
		} {
			if out[cidr] != want {
				t.Errorf("%s: %s, not %s", cidr, out[cidr], want)
			}
		}
		if n := len(get[api.AllocationPage](t, s, "/allocations?pool=vpc").Items); n != 6 {
			t.Errorf("%d allocations", n)
		}
		for _, e := range get[api.EventPage](t, s, "/events?action=allocation.created&within=10.0.1.0/24").Items {
			t.Errorf("what was refused left an event: %+v", e)
		}
	})
}

func TestOneThingIsAdoptedByItsID(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		ids := s.estate(t, 3)
		ask := func(ids ...string) api.Adoption {
			return post[api.Adoption](t, s, "/adoptions", `{"ids":["`+strings.Join(ids, `","`)+`"]}`)
		}
		if out := ask("aws:" + ids[0]); out.Refused != 1 || out.Items[0].Problem.Code != "outside_pool" {
			t.Errorf("%+v", out)
		}
		network := get[api.ObservationPage](t, s, "/observations?kind=network").Items[0]
		out := ask(network.ID, "aws:"+ids[1]+"@10.0.1.0/24", "aws:"+ids[1], "aws:subnet-none", "aws:"+ids[2]+"@10.0.9.0/24", "aws:"+ids[2]+"@nothing")
		if out.Adopted != 2 || out.Refused != 3 || len(out.Items) != 5 {
			t.Errorf("%+v", out)
		}
		if got := get[api.ObservationPage](t, s, "/observations?id=aws:"+ids[1]).Items; len(got) != 1 || got[0].CIDR != "10.0.1.0/24" {
			t.Errorf("%+v", got)
		}
	})
}

func TestTwoNetworksWithOneBlockAreNotAdoptedUnseen(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.aws(t, 1)
		other := s.cloud.AddNetwork("111111111111", "west", "other", netip.MustParsePrefix("10.0.0.0/16"))
		s.cloud.AddSubnet("111111111111", "west", other, "twin", netip.MustParsePrefix("10.0.0.0/24"))
		post[api.SyncOutcome](t, s, "/accounts/aws:111111111111/sync", `{}`)
		out := post[api.Adoption](t, s, "/adoptions", wholeAccount)
		if out.Refused != 4 || !strings.Contains(out.Items[0].Problem.Detail, "map one of the networks to another scope") {
			t.Errorf("%+v", out)
		}
		if one := post[api.Adoption](t, s, "/adoptions", `{"ids":["aws:`+other+`"]}`); one.Adopted != 1 {
			t.Errorf("%+v", one)
		}
	})
}

func TestAnOperatorAdoptsSubnetsAndNoPools(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.estate(t, 2)
		operator := s.as(t, ipam.NewBinding{Role: ipam.Operator, Scope: "default"})
		out := decode[api.Adoption](t, s.send(t, "POST", "/api/v1/adoptions", wholeAccount, operator))
		v := verdicts(out)
		if v["10.0.0.0/16"] != "refused forbidden" || v["10.0.0.0/24"] != "refused outside_pool" {
			t.Errorf("%v", v)
		}
		post[api.Pool](t, s, "/pools", `{"name":"vpc","cidr":"10.0.0.0/16"}`)
		if out := decode[api.Adoption](t, s.send(t, "POST", "/api/v1/adoptions", wholeAccount, operator)); out.Adopted != 2 || out.Already != 1 {
			t.Errorf("%+v", out)
		}
	})
}

func TestTheTerraformOfAnAccountIsWrittenOfWhatWasAdopted(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.estate(t, 3)
		post[api.Pool](t, s, "/pools", `{"name":"vpc","cidr":"10.0.0.0/16"}`)
		made := s.send(t, "POST", "/api/v1/allocations", `{"pool":"vpc","name":"managed","cidr":"10.0.1.0/24"}`, "Cloudpam-Source: terraform")
		if made.status != 201 {
			t.Fatal(made.body)
		}
		post[api.AllocationSet](t, s, "/allocation-sets", `{"pool":"vpc","name":"set","members":{"a":{"cidr":"10.0.2.0/24"}}}`)
		const path = "/terraform-modules?account=aws:111111111111"
		before := get[api.TerraformModules](t, s, path)
		post[api.Adoption](t, s, "/adoptions", wholeAccount)
		after := get[api.TerraformModules](t, s, path)
		var why []string
		for _, l := range before.LeftOut {
			why = append(why, l.CIDR+" "+l.Why)
		}
		if fmt.Sprint(why) != "[10.0.0.0/24 not_adopted 10.0.1.0/24 terraform 10.0.2.0/24 set]" || len(after.LeftOut) != 2 {
			t.Errorf("%v, then %+v", why, after.LeftOut)
		}
		text := ""
		for _, f := range after.Files {
			if !strings.HasPrefix(f.Path, "aws-111111111111/") {
				t.Errorf("%s", f.Path)
			}
			text += f.Content
		}
		for _, want := range []string{`resource "cloudpam_pool" "main"`, `resource "cloudpam_allocation" "s0"`, `resource "aws_subnet" "s0"`, `cidr_block = cloudpam_allocation.s0.cidr`} {
			if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
		if strings.Contains(text, "managed") || strings.Contains(text, `"s2"`) {
			t.Errorf("what is in a state already is imported\n%s", text)
		}
		archive := s.send(t, "GET", "/api/v1"+path+"&format=tar", "")
		in := tar.NewReader(strings.NewReader(archive.body))
		for n := 0; ; n++ {
			h, err := in.Next()
			if errors.Is(err, io.EOF) && n == len(after.Files) {
				break
			}
			if err != nil {
				t.Fatal(n, err)
			}
			if content, err := io.ReadAll(in); err != nil || h.Name != after.Files[n].Path || string(content) != after.Files[n].Content {
				t.Errorf("%s: %v", h.Name, err)
			}
		}
	})
}

// managers are what has what is observed, by its block: its kind and name, else the pool and the first name that adoption has for it.
func managers(items []api.Observation) map[string]string {
	all := map[string]string{}
	for _, o := range items {
		all[o.CIDR] = fmt.Sprintf("- %s/%s", o.Pool, o.SuggestedNames[0])
		if by := o.ManagedBy; by != nil {
			all[o.CIDR] = fmt.Sprintf("%s %s/%s %s", by.Kind, by.Pool, by.Name, by.CIDR)
		}
	}
	return all
}

func TestAnObservationSaysWhatHasItsBlock(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Scope](t, s, "/scopes", `{"name":"lab"}`)
		post[api.Pool](t, s, "/pools", `{"scope":"lab","name":"all","cidr":"10.0.0.0/8"}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"lab.all","name":"elsewhere","cidr":"10.0.0.0/24"}`)
		s.aws(t, 5)
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/8"}`)
		post[api.Pool](t, s, "/pools", `{"name":"vpc","cidr":"10.0.0.0/16","parent":"corp"}`)
		post[api.Pool](t, s, "/pools", `{"name":"inner","cidr":"10.0.0.0/16","parent":"vpc"}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"inner","name":"parts","cidr":"10.0.2.0/23"}`)
		post[api.Reservation](t, s, "/reservations", `{"pool":"inner","cidr":"10.0.4.0/24","reason":"merger"}`)
		post[api.SyncOutcome](t, s, "/accounts/aws:111111111111/sync", `{}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"inner","name":"app","cidr":"10.0.1.0/24"}`)
		want := map[string]string{
			"10.0.0.0/16": "pool vpc/inner 10.0.0.0/16", "10.0.0.0/24": "- inner/s0", "10.0.1.0/24": "allocation inner/app 10.0.1.0/24", "10.0.2.0/24": "allocation inner/parts 10.0.2.0/23",
			"10.0.3.0/24": "allocation inner/parts 10.0.2.0/23", "10.0.4.0/24": "- inner/s4",
		}
		all := get[api.ObservationPage](t, s, "/observations?account=aws:111111111111").Items
		if got := managers(all); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v, want %v", got, want)
		}
		for _, o := range all {
			if o.LastSeenAt == nil || o.LastSeenAt.Before(o.FirstSeenAt.Add(-time.Second)) {
				t.Errorf("%s was seen last at %v", o.CIDR, o.LastSeenAt)
			}
		}
		for _, managed := range []bool{true, false} { // page by page there is what there is at once, and nothing else
			page, found := fmt.Sprintf("?cloud=aws&managed=%v&limit=1", managed), map[string]bool{}
			for at, n := page, 0; at != ""; n++ {
				some := get[api.ObservationPage](t, s, "/observations"+at)
				if len(some.Items) > 1 || n > len(all) {
					t.Fatalf("page %d: %+v", n, some.Items)
				}
				for _, o := range some.Items {
					if (o.ManagedBy != nil) != managed {
						t.Errorf("managed=%v has %s, of %+v", managed, o.CIDR, o.ManagedBy)
					}
					found[o.CIDR] = true
				}
				if at = ""; some.NextPageToken != nil {
					at = page + "&page_token=" + *some.NextPageToken
				}
			}
			if want := map[bool]int{true: 4, false: 2}[managed]; len(found) != want {
				t.Errorf("managed=%v finds %v, want %d", managed, found, want)
			}
		}
		if other := get[api.ObservationPage](t, s, "/observations?cloud=gcp").Items; len(other) > 0 {
			t.Errorf("%+v", other)
		}
		if aws, gcp := get[api.NetworkPage](t, s, "/networks?cloud=aws").Items, get[api.NetworkPage](t, s, "/networks?cloud=gcp").Items; len(aws) != 1 || len(gcp) != 0 {
			t.Errorf("%+v, %+v", aws, gcp)
		}
	})
}
