package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// state is a state as it is sent, with subnets as "address=id".
func state(name, lineage string, serial int, subnets ...string) string {
	var all []string
	for _, s := range subnets {
		address, id, _ := strings.Cut(s, "=")
		all = append(all, fmt.Sprintf(`{"address":%q,"id":%q}`, address, id))
	}
	return fmt.Sprintf(`{"name":%q,"lineage":%q,"serial":%d,"resources":[%s]}`, name, lineage, serial, strings.Join(all, ","))
}

// joined are the places of each subnet, by what is behind the "aws:" of its id, and what is gone.
func (s lab) joined(t *testing.T, states ...string) (all map[string]string, gone []string) {
	t.Helper()
	out := post[api.StateJoin](t, s, "/state-joins", `{"states":[`+strings.Join(states, ",")+`]}`)
	place := func(p api.StatePlace) string { return p.State + ":" + p.Address }
	all = map[string]string{}
	for _, i := range out.Items {
		all[strings.TrimPrefix(i.ID, "aws:")] = strings.TrimSpace(string(i.Managed) + " " + strings.Join(places(i.By, place), " "))
	}
	return all, places(out.Gone, place)
}

func places(all []api.StatePlace, text func(api.StatePlace) string) (lines []string) {
	for _, p := range all {
		lines = append(lines, text(p))
	}
	return lines
}

func TestAStateJoinSaysWhoManagesEachSubnet(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		ids := s.estate(t, 3)
		aws := func(n int) string { return "aws:" + ids[n] }
		before := s.books(t)
		for name, c := range map[string]struct {
			states []string
			want   []string // of each subnet
			gone   []string
		}{
			"no state":                 {nil, []string{"no", "no", "no"}, nil},
			"a state without subnets":  {[]string{state("x", "one", 1)}, []string{"no", "no", "no"}, nil},
			"one has it":               {[]string{state("x", "one", 1, "a="+aws(0))}, []string{"once x:a", "no", "no"}, nil},
			"two have it":              {[]string{state("y", "two", 1, "b="+aws(0)), state("x", "one", 1, "a="+aws(0), "c="+aws(1))}, []string{"twice x:a y:b", "once x:c", "no"}, nil},
			"one state has it twice":   {[]string{state("x", "one", 1, "b="+aws(0), "a="+aws(0))}, []string{"twice x:a x:b", "no", "no"}, nil},
			"a copy of a state":        {[]string{state("x", "one", 4, "a="+aws(0)), state("copy", "one", 4, "a="+aws(0))}, []string{"once x:a", "no", "no"}, nil},
			"an older serial before":   {[]string{state("old", "one", 3, "a="+aws(0), "gone=aws:subnet-old"), state("x", "one", 4, "b="+aws(1))}, []string{"no", "once x:b", "no"}, nil},
			"an older serial behind":   {[]string{state("x", "one", 4, "b="+aws(1)), state("old", "one", 3, "a="+aws(0))}, []string{"no", "once x:b", "no"}, nil},
			"states without a lineage": {[]string{state("x", "", 1, "a="+aws(0)), state("y", "", 2, "a="+aws(0))}, []string{"twice x:a y:a", "no", "no"}, nil},
			"none that a cloud shows":  {[]string{state("x", "one", 1, "b=aws:subnet-gone", "a=gcp:p/r/s")}, []string{"no", "no", "no"}, []string{"x:a", "x:b"}},
			"another cloud's id":       {[]string{state("x", "one", 1, "a=gcp:"+ids[0])}, []string{"no", "no", "no"}, []string{"x:a"}},
		} {
			got, gone := s.joined(t, c.states...)
			for n, want := range c.want {
				if got[ids[n]] != want {
					t.Errorf("%s: of subnet %d it says %q, want %q", name, n, got[ids[n]], want)
				}
			}
			if len(got) != 3 || !slices.Equal(gone, c.gone) {
				t.Errorf("%s: %v, gone %v, want %v", name, got, gone, c.gone)
			}
		}
		if s.books(t) != before {
			t.Error("a join has changed something")
		}
	})
}

func TestAStateThatIsNoneIsRefusedAndNotShownAgain(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.estate(t, 1)
		const hidden = "hunter2"
		for name, c := range map[string]struct{ body, says string }{
			"no JSON":                 {`{"states":[{"name":"` + hidden, "body"},
			"a state as it is stored": {`{"states":[{"name":"x","version":4,"serial":1,"lineage":"one","resources":[],"outputs":{"password":{"value":"` + hidden + `"}}}]}`, "/states/0"},
			"resources as stored":     {`{"states":[{"name":"x","resources":[{"address":"a","id":"aws:b","attributes":{"password":"` + hidden + `"}}]}]}`, "/states/0/resources/0"},
			"no id":                   {`{"states":[{"name":"x","resources":[{"address":"` + hidden + `"}]}]}`, "/states/0/resources/0"},
			"no resources":            {`{"states":[{"name":"` + hidden + `"}]}`, "/states/0"},
			"a serial that is a text": {`{"states":[{"name":"` + hidden + `","serial":"7","resources":[]}]}`, "serial"},
			"no states":               {`{}`, "states"},
		} {
			a := s.send(t, "POST", "/api/v1/state-joins", c.body)
			if p := wantProblemCode(t, a, http.StatusBadRequest, "invalid"); !strings.Contains(a.body, c.says) || strings.Contains(a.body, hidden) {
				t.Errorf("%s: %+v of %s", name, p, a.body)
			}
		}
		if strings.Contains(s.log.String(), hidden) {
			t.Error("the log shows what was sent")
		}
		for _, of := range []string{`"account":"aws:999999999999"`, `"scope":"nowhere"`} {
			wantProblemCode(t, s.send(t, "POST", "/api/v1/state-joins", `{"states":[],`+of+`}`), http.StatusNotFound, "not_found")
		}
	})
}

func TestAHugeStateIsJoinedOrRefusedWhole(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		ids := s.estate(t, 2)
		huge := func(n int) string {
			all := []string{"here=aws:" + ids[1]}
			for i := len(all); i < n; i++ {
				all = append(all, fmt.Sprintf("module.m[%d].aws_subnet.s=aws:subnet-gone-%d", i, i))
			}
			return state("huge", "one", 1, all...)
		}
		const most = 30_000 // longer than other requests may be
		got, gone := s.joined(t, huge(most))
		if got[ids[0]] != "no" || got[ids[1]] != "once huge:here" || len(gone) != most-1 || !slices.IsSorted(gone) {
			t.Errorf("%v, and %d are gone", got, len(gone))
		}
		a := s.send(t, "POST", "/api/v1/state-joins", `{"states":[`+huge(200_000)+`]}`)
		wantProblemCode(t, a, http.StatusRequestEntityTooLarge, "body_too_large")
	})
}

func TestAStateJoinTellsNothingOfOtherScopes(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		ids := s.estate(t, 1)
		post[api.Scope](t, s, "/scopes", `{"name":"lab"}`)
		stranger := s.as(t, ipam.NewBinding{Role: ipam.Viewer, Scope: "lab"})
		a := s.send(t, "POST", "/api/v1/state-joins", `{"states":[`+state("x", "one", 1, "a=aws:"+ids[0])+`]}`, stranger)
		if out := decode[api.StateJoin](t, a); a.status != http.StatusOK || len(out.Items) != 0 || len(out.Gone) != 1 {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}
