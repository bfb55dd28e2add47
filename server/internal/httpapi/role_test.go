package httpapi_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

var tokens atomic.Int64

// as makes a token with bindings, and is the header that sends it.
func (s lab) as(t testing.TB, bindings ...ipam.NewBinding) string {
	t.Helper()
	_, made, err := s.Access.CreateToken(t.Context(), actor, ipam.NewToken{Name: fmt.Sprintf("t%d", tokens.Add(1)), Bindings: bindings})
	if err != nil {
		t.Fatal(err)
	}
	return "Authorization: Bearer " + made
}

// land is two scopes, of which one has pools in pools.
type land struct{ a, b api.Allocation }

func (s lab) land(t testing.TB) land {
	t.Helper()
	post[api.Scope](t, s, "/scopes", `{"name":"mine"}`)
	post[api.Scope](t, s, "/scopes", `{"name":"theirs"}`)
	for _, p := range []string{
		`{"scope":"mine","name":"top","cidr":"10.0.0.0/16"}`, `{"scope":"mine","name":"team","parent":"mine.top","cidr":"10.0.0.0/20","labels":{"net":"yes"}}`,
		`{"scope":"mine","name":"other","parent":"mine.top","cidr":"10.0.16.0/20","labels":{"net":"yes"}}`, `{"scope":"mine","name":"web","parent":"mine.team","cidr":"10.0.0.0/24"}`,
		`{"scope":"theirs","name":"top","cidr":"10.0.0.0/16"}`,
	} {
		post[api.Pool](t, s, "/pools", p)
	}
	post[api.Allocation](t, s, "/allocations", `{"pool":"mine.other","name":"x","prefix_length":28}`)
	return land{post[api.Allocation](t, s, "/allocations", `{"pool":"mine.web","name":"a","prefix_length":28}`), post[api.Allocation](t, s, "/allocations", `{"pool":"theirs.top","name":"b","prefix_length":28}`)}
}

// ids are the ids of a list, in order.
func ids(t testing.TB, s lab, path, as string) (all []string) {
	t.Helper()
	a := s.send(t, "GET", "/api/v1"+path, "", as)
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	page := decode[struct{ Items []map[string]any }](t, a)
	for _, item := range page.Items {
		if pool, in := item["pool"].(map[string]any); in { // of a tree
			item = pool
		}
		all = append(all, fmt.Sprint(item["id"]))
	}
	slices.Sort(all)
	return all
}

func TestListsHaveWhatTheCallerSees(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		l := s.land(t)
		for who, c := range map[string]struct {
			binding     ipam.NewBinding
			pools, tree string
			allocations int
			scopes      string
		}{
			"a viewer of all":     {ipam.NewBinding{Role: ipam.Viewer}, "mine.other mine.team mine.top mine.web theirs.top", "mine.other mine.team mine.top mine.web", 3, "default mine theirs"},
			"one of a scope":      {ipam.NewBinding{Role: ipam.Viewer, Scope: "mine"}, "mine.other mine.team mine.top mine.web", "mine.other mine.team mine.top mine.web", 2, "mine"},
			"one of a pool":       {ipam.NewBinding{Role: ipam.Viewer, Pool: "mine.team"}, "mine.team mine.web", "mine.team mine.web", 1, "mine"},
			"one of another pool": {ipam.NewBinding{Role: ipam.Admin, Pool: "mine.other"}, "mine.other", "mine.other", 1, "mine"},
		} {
			as := s.as(t, c.binding)
			if got := strings.Join(ids(t, s, "/pools", as), " "); got != c.pools {
				t.Errorf("%s sees the pools %s, want %s", who, got, c.pools)
			}
			if got := strings.Join(ids(t, s, "/pool-tree?scope=mine", as), " "); got != c.tree {
				t.Errorf("%s sees the tree %s, want %s", who, got, c.tree)
			}
			if got := strings.Join(ids(t, s, "/scopes", as), " "); got != c.scopes {
				t.Errorf("%s sees the scopes %s, want %s", who, got, c.scopes)
			}
			for _, list := range []string{"/allocations", "/allocations?within=10.0.0.0/8", "/prefixes?kind=allocation", "/prefixes?kind=allocation&within=10.0.0.0/8"} {
				if got := ids(t, s, list, as); len(got) != c.allocations {
					t.Errorf("%s: %s sees %v, want %d", list, who, got, c.allocations)
				}
			}
		}
		if got := ids(t, s, "/events?object="+l.b.ID, s.as(t, ipam.NewBinding{Role: ipam.Admin, Scope: "mine"})); len(got) != 0 {
			t.Errorf("an admin of another scope sees the events %v", got)
		}
		if got := ids(t, s, "/events?object="+l.a.ID, s.as(t, ipam.NewBinding{Role: ipam.Viewer, Pool: "mine.team"})); len(got) != 1 {
			t.Errorf("a viewer of a pool sees the events %v of what is below", got)
		}
	})
}

func TestWhatOthersHaveAnswersAsIfItWereNotThere(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		l := s.land(t)
		as := s.as(t, ipam.NewBinding{Role: ipam.Admin, Scope: "mine"})
		missing := string(ipam.NewUID("alloc"))
		for theirs, none := range map[string]string{
			"GET /scopes/theirs":                   "GET /scopes/nobody",
			"PATCH /scopes/theirs {}":              "PATCH /scopes/nobody {}",
			"DELETE /scopes/theirs":                "DELETE /scopes/nobody",
			"GET /pools/theirs.top":                "GET /pools/theirs.none",
			"DELETE /pools/theirs.top":             "DELETE /pools/theirs.none",
			"GET /pools/theirs.top/space":          "GET /pools/theirs.none/space",
			"GET /allocations/" + l.b.ID:           "GET /allocations/" + missing,
			"DELETE /allocations/" + l.b.ID:        "DELETE /allocations/" + missing,
			"PATCH /allocations/" + l.b.ID + " {}": "PATCH /allocations/" + missing + " {}",
			`POST /allocations {"pool":"theirs.top","name":"x","prefix_length":28}`:                `POST /allocations {"pool":"theirs.none","name":"x","prefix_length":28}`,
			`POST /holds {"pool":"theirs.top","name":"x","prefix_length":28}`:                      `POST /holds {"pool":"theirs.none","name":"x","prefix_length":28}`,
			`POST /pools {"scope":"theirs","name":"top","cidr":"10.0.0.0/16"}`:                     `POST /pools {"scope":"nobody","name":"top","cidr":"10.0.0.0/16"}`,
			`POST /pools {"scope":"theirs","name":"top","parent":"theirs.top","prefix_length":20}`: `POST /pools {"scope":"theirs","name":"top","parent":"theirs.none","prefix_length":20}`,
		} {
			ask := func(what string) string {
				method, rest, _ := strings.Cut(what, " ")
				path, body, _ := strings.Cut(rest, " ")
				a := s.send(t, method, "/api/v1"+path, body, as, "X-Request-Id: the-same-id", "If-Match: *")
				return fmt.Sprint(a.status, " ", a.body)
			}
			got, want := ask(theirs), ask(none)
			want = strings.NewReplacer(missing, l.b.ID, "theirs.none", "theirs.top", "nobody", "theirs").Replace(want)
			if got != want || !strings.HasPrefix(got, "40") {
				t.Errorf("%s answers\n%s, and what is not there\n%s", theirs, got, want)
			}
		}
	})
}

func TestARefusalSaysWhichRoleIsNeededAndWhere(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		l := s.land(t)
		for what, c := range map[string]struct {
			binding       ipam.NewBinding
			ask, body     string
			role, because string
		}{
			"a viewer allocates":          {ipam.NewBinding{Role: ipam.Viewer, Scope: "mine"}, "POST /allocations", `{"pool":"mine.web","name":"x","prefix_length":28}`, "operator", "in pool mine.web"},
			"a planner allocates":         {ipam.NewBinding{Role: ipam.Planner, Scope: "mine"}, "POST /allocations", `{"pool":"mine.web","name":"x","prefix_length":28}`, "operator", "in pool mine.web"},
			"a viewer plans":              {ipam.NewBinding{Role: ipam.Viewer, Scope: "mine"}, "POST /holds", `{"pool":"mine.web","name":"x","prefix_length":28}`, "planner", "in pool mine.web"},
			"a planner releases":          {ipam.NewBinding{Role: ipam.Planner, Pool: "mine.team"}, "DELETE /allocations/" + l.a.ID, "", "operator", "in pool mine.web"},
			"an operator makes a pool":    {ipam.NewBinding{Role: ipam.Operator, Pool: "mine.team"}, "POST /pools", `{"scope":"mine","name":"x","parent":"mine.team","prefix_length":24}`, "admin", "in pool mine.team"},
			"a pool's admin makes a root": {ipam.NewBinding{Role: ipam.Admin, Pool: "mine.team"}, "POST /pools", `{"scope":"mine","name":"x","cidr":"10.9.0.0/24"}`, "admin", "in scope mine"},
			"a pool's admin resizes it":   {ipam.NewBinding{Role: ipam.Admin, Pool: "mine.team"}, "PATCH /pools/mine.team", `{"prefix_length":19}`, "admin", "in pool mine.top"},
			"a pool's admin deletes it":   {ipam.NewBinding{Role: ipam.Admin, Pool: "mine.team"}, "DELETE /pools/mine.team", "", "admin", "in pool mine.top"},
			"a pool's admin moves it":     {ipam.NewBinding{Role: ipam.Admin, Pool: "mine.team"}, "PATCH /pools/mine.web", `{"parent":"","cidr":"10.9.0.0/24"}`, "admin", "in scope mine"},
			"a scope's admin makes one":   {ipam.NewBinding{Role: ipam.Admin, Scope: "mine"}, "POST /scopes", `{"name":"x"}`, "admin", "everywhere"},
			"a scope's admin renames it":  {ipam.NewBinding{Role: ipam.Admin, Scope: "mine"}, "PATCH /scopes/mine", `{"name":"x"}`, "admin", "everywhere"},
			"a scope's admin deletes it":  {ipam.NewBinding{Role: ipam.Admin, Scope: "mine"}, "DELETE /scopes/mine", "", "admin", "everywhere"},
			"a selector of seen pools":    {ipam.NewBinding{Role: ipam.Viewer, Scope: "mine"}, "POST /allocations", `{"pool_selector":{"scope":"mine","family":"ipv4","labels":{"net":"yes"}},"name":"x","prefix_length":28}`, "operator", "in pool mine."},
		} {
			t.Run(what, func(t *testing.T) {
				method, path, _ := strings.Cut(c.ask, " ")
				p := wantProblemCode(t, s.send(t, method, "/api/v1"+path, c.body, s.as(t, c.binding), "If-Match: *"), http.StatusForbidden, "forbidden")
				if !strings.Contains(p.Detail, "the role "+c.role+" "+c.because) {
					t.Errorf("it says %q, not that it needs the role %s %s", p.Detail, c.role, c.because)
				}
			})
		}
		s.events(t)
	})
}

func TestARoleOfAPoolReachesWhatIsBelowIt(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		as := s.as(t, ipam.NewBinding{Role: ipam.Admin, Pool: "mine.team"})
		want := func(status int, method, path, body string) answer {
			t.Helper()
			a := s.send(t, method, "/api/v1"+path, body, as, "If-Match: *")
			if a.status != status {
				t.Errorf("%s %s %s: %d %s", method, path, body, a.status, a.body)
			}
			return a
		}
		want(201, "POST", "/pools", `{"scope":"mine","name":"deep","parent":"mine.web","cidr":"10.0.0.128/26"}`)
		want(201, "POST", "/allocations", `{"pool":"mine.deep","name":"x","prefix_length":28}`)
		want(200, "PATCH", "/pools/mine.team", `{"description":"ours"}`)
		want(200, "PATCH", "/pools/mine.deep", `{"prefix_length":25}`)
		want(404, "POST", "/allocations", `{"pool":"mine.other","name":"x","prefix_length":28}`)
		want(404, "GET", "/pools/mine.top", "")
		full := wantProblemCode(t, want(409, "POST", "/allocations", `{"pool":"mine.web","name":"y","prefix_length":24}`), 409, "pool_exhausted")
		if full.NearestPool == nil || *full.NearestPool != "mine.team" {
			t.Errorf("the nearest pool is %v, and of those that it sees mine.team", full.NearestPool)
		}
		a := want(201, "POST", "/allocations", `{"pool_selector":{"scope":"mine","family":"ipv4","labels":{"net":"yes"}},"name":"z","prefix_length":22}`)
		if in := decode[api.Allocation](t, a).Pool; in != "mine.team" {
			t.Errorf("the block is in %s", in)
		}
		s.events(t)
	})
}

func TestARoleIsNarrowedToSizesAndLabels(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		l := s.land(t)
		as := s.as(t, ipam.NewBinding{Role: ipam.Operator, Scope: "mine", Largest: new(27), Labels: ipam.Labels{"team": "pay"}})
		ask := func(method, path, body string) answer {
			return s.send(t, method, "/api/v1"+path, body, as, "If-Match: *")
		}
		for body, pointer := range map[string]string{
			`{"pool":"mine.web","name":"x","prefix_length":26,"labels":{"team":"pay"}}`:    "/prefix_length",
			`{"pool":"mine.web","name":"x","cidr":"10.0.0.64/26","labels":{"team":"pay"}}`: "/prefix_length",
			`{"pool":"mine.web","name":"x","prefix_length":28}`:                            "/labels",
			`{"pool":"mine.web","name":"x","prefix_length":28,"labels":{"team":"net"}}`:    "/labels",
		} {
			if p := wantProblemCode(t, ask("POST", "/allocations", body), 403, "forbidden"); len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
				t.Errorf("%s: %s, %v", body, p.Detail, p.Errors)
			}
		}
		made := ask("POST", "/allocations", `{"pool":"mine.web","name":"x","cidr":"10.0.0.64/28","labels":{"team":"pay","tier":"1"}}`)
		if made.status != 201 {
			t.Fatalf("%d %s", made.status, made.body)
		}
		mine := "/allocations/" + decode[api.Allocation](t, made).ID
		for what, a := range map[string]answer{
			"another's is released":        ask("DELETE", "/allocations/"+l.a.ID, ""),
			"another's is taken over":      ask("PATCH", "/allocations/"+l.a.ID, `{"labels":{"team":"pay"}}`),
			"its own loses the label":      ask("PATCH", mine, `{"labels":{"team":"net"}}`),
			"its own grows too large":      ask("PATCH", mine, `{"prefix_length":26}`),
			"a reservation has no label":   ask("POST", "/reservations", `{"pool":"mine.web","reason":"x","prefix_length":28}`),
			"a set has a member too large": ask("POST", "/allocation-sets", `{"pool":"mine.web","name":"s","labels":{"team":"pay"},"members":{"a":{"prefix_length":26}}}`),
			"a plan holds too much":        ask("POST", "/holds", `{"pool":"mine.web","name":"y","prefix_length":26}`),
		} {
			if p := wantProblemCode(t, a, 403, "forbidden"); !strings.Contains(p.Detail, "only for") {
				t.Errorf("%s: %s", what, p.Detail)
			}
		}
		if a := ask("POST", "/holds", `{"pool":"mine.web","name":"y","prefix_length":28}`); a.status != 200 && a.status != 201 {
			t.Errorf("a hold has no labels yet, and is refused: %s", a.body)
		}
		if a := ask("DELETE", mine, ""); a.status != 204 {
			t.Errorf("its own is not released: %s", a.body)
		}
		s.events(t)
	})
}

func TestATokenIsNeverWiderThanItsMaker(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		as := func(bindings ...ipam.NewBinding) ipam.Caller {
			t.Helper()
			secret := strings.TrimPrefix(s.as(t, bindings...), "Authorization: Bearer ")
			who, err := s.Access.Authenticate(t.Context(), netip.Addr{}, secret)
			if err != nil {
				t.Fatal(err)
			}
			return who
		}
		for what, c := range map[string]struct {
			maker   ipam.Caller
			binding ipam.NewBinding
			want    ipam.Code
		}{
			"a scope's admin in its scope": {as(ipam.NewBinding{Role: ipam.Admin, Scope: "mine"}), ipam.NewBinding{Role: ipam.Admin, Scope: "mine"}, ""},
			"in a pool of it":              {as(ipam.NewBinding{Role: ipam.Admin, Scope: "mine"}), ipam.NewBinding{Role: ipam.Operator, Pool: "mine.web"}, ""},
			"in another scope":             {as(ipam.NewBinding{Role: ipam.Admin, Scope: "mine"}), ipam.NewBinding{Role: ipam.Viewer, Scope: "theirs"}, ipam.CodeNotFound},
			"in one that it only sees":     {as(ipam.NewBinding{Role: ipam.Admin, Scope: "mine"}, ipam.NewBinding{Role: ipam.Operator, Scope: "theirs"}), ipam.NewBinding{Role: ipam.Viewer, Scope: "theirs"}, ipam.CodeForbidden},
			"everywhere":                   {as(ipam.NewBinding{Role: ipam.Admin, Scope: "mine"}), ipam.NewBinding{Role: ipam.Viewer}, ipam.CodeForbidden},
			"a pool's admin below":         {as(ipam.NewBinding{Role: ipam.Admin, Pool: "mine.team"}), ipam.NewBinding{Role: ipam.Admin, Pool: "mine.web"}, ""},
			"a pool's admin in the scope":  {as(ipam.NewBinding{Role: ipam.Admin, Pool: "mine.team"}), ipam.NewBinding{Role: ipam.Viewer, Scope: "mine"}, ipam.CodeForbidden},
			"a pool's admin beside":        {as(ipam.NewBinding{Role: ipam.Admin, Pool: "mine.team"}), ipam.NewBinding{Role: ipam.Viewer, Pool: "mine.other"}, ipam.CodeNotFound},
			"a role that is none":          {as(ipam.NewBinding{Role: ipam.Admin}), ipam.NewBinding{Role: "root"}, ipam.CodeInvalid},
			"a narrowed admin":             {as(ipam.NewBinding{Role: ipam.Admin}), ipam.NewBinding{Role: ipam.Admin, Largest: new(24)}, ipam.CodeInvalid},
			"a scope and a pool":           {as(ipam.NewBinding{Role: ipam.Admin}), ipam.NewBinding{Role: ipam.Viewer, Scope: "mine", Pool: "mine.top"}, ipam.CodeInvalid},
		} {
			_, _, err := s.Access.CreateToken(t.Context(), c.maker, ipam.NewToken{Name: fmt.Sprintf("t%d", tokens.Add(1)), Bindings: []ipam.NewBinding{c.binding}})
			if ipam.CodeOf(err) != c.want || c.want == "" && err != nil {
				t.Errorf("%s: %v, want %q", what, err, c.want)
			}
		}
		s.events(t)
	})
}
