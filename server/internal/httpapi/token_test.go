package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func bearer(secret string) string { return "Authorization: Bearer " + secret }

func TestTheSecretOfATokenIsToldOnceAndStoredNowhere(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		const body = `{"name":"ci","bindings":[{"role":"operator","pool":"mine.team","largest_prefix_length":26}]}`
		first := s.send(t, "POST", "/api/v1/tokens", body, "Idempotency-Key: make-a-token")
		made := decode[api.CreatedToken](t, first)
		if first.status != http.StatusCreated || made.Secret == nil || len(made.Token.Bindings) != 1 || *made.Token.Bindings[0].Pool != "mine.team" {
			t.Fatalf("%d %s", first.status, first.body)
		}
		if a := s.send(t, "GET", "/api/v1/pools/mine.web", "", bearer(*made.Secret)); a.status != http.StatusOK {
			t.Errorf("it does not let anybody in: %s", a.body)
		}
		again := s.send(t, "POST", "/api/v1/tokens", body, "Idempotency-Key: make-a-token")
		repeated := decode[api.CreatedToken](t, again)
		if again.status != http.StatusCreated || repeated.Secret != nil || repeated.Token.ID != made.Token.ID || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("the repeat answers %d %s", again.status, again.body)
		}
		_, random, _ := strings.Cut(strings.TrimPrefix(*made.Secret, "cpam_"), "_")
		for _, where := range []string{
			s.send(t, "GET", "/api/v1/tokens", "").body, s.send(t, "GET", "/api/v1/events?limit=1000", "").body, s.send(t, "GET", "/metrics", "").body, s.log.String(), s.dump(t),
		} {
			if strings.Contains(where, random) {
				t.Errorf("the secret is in\n%s", where)
			}
		}
		s.events(t)
	})
}

func TestTokensAreListedAndEndedByWhoIsAdminOfAllThatTheyMay(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		mine, team := s.as(t, ipam.NewBinding{Role: ipam.Admin, Scope: "mine"}), s.as(t, ipam.NewBinding{Role: ipam.Admin, Pool: "mine.team"})
		make := func(name, bindings, as string) string {
			t.Helper()
			a := s.send(t, "POST", "/api/v1/tokens", `{"name":"`+name+`","bindings":[`+bindings+`]}`, as)
			if a.status != http.StatusCreated {
				t.Fatalf("%s: %d %s", name, a.status, a.body)
			}
			return decode[api.CreatedToken](t, a).Token.ID
		}
		inScope := make("scope", `{"role":"viewer","scope":"mine"}`, mine)
		inPool := make("pool", `{"role":"viewer","pool":"mine.web"}`, team)
		both := make("both", `{"role":"viewer","pool":"mine.web"},{"role":"viewer","scope":"theirs"}`, bearer(secret))
		theirs := make("scope", `{"role":"viewer","scope":"theirs"}`, bearer(secret)) // a name of another scope is free
		wantProblemCode(t, s.send(t, "POST", "/api/v1/tokens", `{"name":"scope","bindings":[{"role":"viewer","pool":"mine.web"}]}`, mine), 409, "name_taken")
		for who, c := range map[string]struct {
			as   string
			sees []string
		}{"the scope's admin": {mine, []string{inScope, inPool}}, "the pool's": {team, []string{inPool}}} {
			got := ids(t, s, "/tokens", c.as)
			for _, id := range []string{inScope, inPool, both, theirs} {
				if slices.Contains(got, id) != slices.Contains(c.sees, id) {
					t.Errorf("%s sees %v; of %s wanted is %v", who, got, id, slices.Contains(c.sees, id))
				}
			}
		}
		for _, id := range []string{both, theirs, string(ipam.NewUID("token"))} {
			a := wantProblemCode(t, s.send(t, "DELETE", "/api/v1/tokens/"+id, "", mine), 404, "not_found")
			if a.Detail != fmt.Sprintf("there is no token %q that still lets anyone in", id) {
				t.Errorf("it says %q", a.Detail)
			}
		}
		if a := s.send(t, "DELETE", "/api/v1/tokens/"+inPool, "", mine); a.status != http.StatusNoContent {
			t.Errorf("%d %s", a.status, a.body)
		}
		if got := ids(t, s, "/tokens?living=true", team); slices.Contains(got, inPool) {
			t.Errorf("the living are %v", got)
		}
		make("pool", `{"role":"viewer","pool":"mine.web"}`, team) // the name of one that ended is free
		viewer := s.as(t, ipam.NewBinding{Role: ipam.Operator})
		if got := ids(t, s, "/tokens", viewer); len(got) != 0 {
			t.Errorf("an operator of everything sees the tokens %v", got)
		}
		wantProblemCode(t, s.send(t, "POST", "/api/v1/tokens", `{"name":"x","bindings":[{"role":"viewer"}]}`, viewer), 403, "forbidden")
		s.events(t)
	})
}

func TestARoleIsGivenAndTakenWithinASecond(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		made := post[api.CreatedToken](t, s, "/tokens", `{"name":"ci","bindings":[{"role":"viewer","scope":"mine"}]}`)
		as := bearer(*made.Secret)
		allocate := func(name string) answer {
			return s.send(t, "POST", "/api/v1/allocations", `{"pool":"mine.web","name":"`+name+`","prefix_length":28}`, as)
		}
		wantProblemCode(t, allocate("a1"), 403, "forbidden")
		given := post[api.Binding](t, s, "/bindings", fmt.Sprintf(`{"principal":%q,"role":"operator","pool":"mine.team"}`, made.Token.Principal))
		if a := allocate("a2"); a.status != http.StatusCreated {
			t.Errorf("it is not given: %s", a.body)
		}
		me := decode[api.Me](t, s.send(t, "GET", "/api/v1/principals/me", "", as))
		if me.Actor != "token:ci" || me.Principal != made.Token.Principal || len(me.Bindings) != 2 || me.Bindings[1].ID != given.ID {
			t.Errorf("me: %+v", me)
		}
		if got := get[api.BindingPage](t, s, "/bindings?principal="+me.Principal); len(got.Items) != 2 {
			t.Errorf("bindings: %+v", got)
		}
		admin := s.as(t, ipam.NewBinding{Role: ipam.Admin, Pool: "mine.other"})
		wantProblemCode(t, s.send(t, "DELETE", "/api/v1/bindings/"+given.ID, "", admin), 404, "not_found")
		wantProblemCode(t, s.send(t, "POST", "/api/v1/bindings", fmt.Sprintf(`{"principal":%q,"role":"viewer","pool":"mine.other"}`, made.Token.Principal), admin), 404, "not_found")
		if a := s.send(t, "DELETE", "/api/v1/bindings/"+given.ID, ""); a.status != http.StatusNoContent {
			t.Fatalf("%d %s", a.status, a.body)
		}
		wantProblemCode(t, allocate("a3"), 403, "forbidden")
		s.events(t)
	})
}

func TestTheFirstTokenAlwaysMayDoEverythingAndIsLoud(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		me := get[api.Me](t, s, "/principals/me")
		p := wantProblemCode(t, s.send(t, "DELETE", "/api/v1/bindings/"+me.Bindings[0].ID, ""), 400, "invalid")
		if !strings.Contains(p.Detail, "always") {
			t.Errorf("it says %q", p.Detail)
		}
		wantProblemCode(t, s.send(t, "POST", "/api/v1/tokens", `{"name":"bootstrap","bindings":[{"role":"viewer"}]}`), 400, "invalid")
		if log := s.log.String(); strings.Count(log, "the first token is in use") != 1 {
			t.Errorf("the log is\n%s", log)
		}
	})
}

func TestBadTokensAndBindingsAreRefusedWithWhatIsWrong(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		for body, pointer := range map[string]string{
			`{"name":"x","bindings":[{"role":"root"}]}`:                                        "/bindings/0/role",
			`{"name":"x","bindings":[]}`:                                                       "/bindings",
			`{"name":"x","bindings":[{"role":"viewer","scope":"nowhere"}]}`:                    "/bindings/0/scope",
			`{"name":"x","bindings":[{"role":"viewer"},{"role":"viewer","pool":"mine.none"}]}`: "/bindings/1/pool",
			`{"name":"x","bindings":[{"role":"viewer","scope":"mine","pool":"mine.web"}]}`:     "/bindings/0/pool",
			`{"name":"x","bindings":[{"role":"viewer","largest_prefix_length":24}]}`:           "/bindings/0/role",
			`{"name":"x","bindings":[{"role":"viewer"}],"expires_at":"2020-01-01T00:00:00Z"}`:  "/expires_at",
			`{"name":"X Y","bindings":[{"role":"viewer"}]}`:                                    "/name",
		} {
			p := decode[api.Problem](t, s.send(t, "POST", "/api/v1/tokens", body))
			if len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
				t.Errorf("%s: %+v, want it at %s", body, p, pointer)
			}
		}
		if got := ids(t, s, "/tokens", bearer(secret)); len(got) != 1 {
			t.Errorf("left behind: %v", got)
		}
		p := wantProblemCode(t, s.send(t, "POST", "/api/v1/bindings", `{"principal":"principal_0000000000zzz","role":"viewer"}`), 404, "not_found")
		if len(p.Errors) != 1 || p.Errors[0].Pointer != "/principal" {
			t.Errorf("%+v", p)
		}
	})
}

func TestWrongTokensAreBoundedAndKnownOnesStillGetIn(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.Access.MaxFailures = 3
		get[api.ScopePage](t, s, "/scopes") // known from here on
		for i := range 3 {
			wantProblemCode(t, s.send(t, "GET", "/api/v1/scopes", "", bearer(fmt.Sprint("wrong", i))), 401, "unauthenticated")
		}
		a := s.send(t, "GET", "/api/v1/scopes", "", bearer("wrong"))
		wantProblemCode(t, a, 429, "too_many_failures")
		if a.header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After: %q", a.header.Get("Retry-After"))
		}
		get[api.ScopePage](t, s, "/scopes")
		if _, err := s.Access.Bind(t.Context(), actor, ipam.NewBinding{Principal: ipam.UID(get[api.Me](t, s, "/principals/me").Principal), Role: ipam.Viewer}); err != nil {
			t.Fatal(err)
		}
		get[api.ScopePage](t, s, "/scopes") // read anew
	})
}

func TestATokenSaysWhenItWasUsedLast(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		made := post[api.CreatedToken](t, s, "/tokens", `{"name":"ci","bindings":[{"role":"viewer"}]}`)
		used := func() *time.Time {
			for _, x := range get[api.TokenPage](t, s, "/tokens").Items {
				if x.ID == made.Token.ID {
					return x.LastUsedAt
				}
			}
			t.Fatal("it is not listed")
			return nil
		}
		note := func() {
			if _, err := s.Access.NoteUse(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if note(); used() != nil {
			t.Errorf("never used: %v", used())
		}
		s.send(t, "GET", "/api/v1/scopes", "", bearer(*made.Secret))
		if note(); used() == nil || !used().Equal(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)) {
			t.Errorf("used: %v", used())
		}
		s.events(t)
	})
}
