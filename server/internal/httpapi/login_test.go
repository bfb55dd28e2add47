package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// atIssuer is a lab whose people log in at an issuer.
func atIssuer(t *testing.T, body func(t *testing.T, s lab, by *mockoidc.MockOIDC)) {
	t.Helper()
	for engine, address := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			by, err := mockoidc.Run()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = by.Shutdown() })
			c := by.Config()
			all, err := issuer.Parse([]byte(fmt.Sprintf(`[{"name":"sso","issuer":%q,"name_claim":"email","rules":[
				{"name":"net","when":{"groups":"network"},"role":"admin","scope":"mine"},{"name":"staff","when":{"groups":"/staff"},"role":"viewer","scope":"mine"}],
				"login":{"label":"Acme","client_id":%q,"client_secret":%q,"scopes":["profile","email","groups"]}}]`, c.Issuer, c.ClientID, c.ClientSecret)), nil)
			if err != nil {
				t.Fatal(err)
			}
			s := serveAt(t, address(t), time.Now, all...)
			s.land(t)
			body(t, s, by)
		})
	}
}

func person(groups ...string) *mockoidc.MockUser {
	return &mockoidc.MockUser{Subject: "7", Email: "alice@example.com", EmailVerified: true, PreferredUsername: "alice", Groups: groups}
}

// there follows a login to the issuer and answers the way back.
func (b browser) there(next string) string {
	b.t.Helper()
	a := b.ask("GET", "/session/login/sso?next="+url.QueryEscape(next), "", "Sec-Fetch-Site: same-origin")
	if a.status != http.StatusFound {
		b.t.Fatalf("%d %s", a.status, a.body)
	}
	to := a.header.Get("Location")
	q := mustURL(b.t, to).Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 26 || len(q.Get("nonce")) < 26 || q.Get("response_type") != "code" || q.Get("redirect_uri") != b.s.http.URL+"/session/callback" {
		b.t.Errorf("the issuer is asked %s", to)
	}
	a = b.ask("GET", to, "")
	if a.status != http.StatusFound {
		b.t.Fatalf("the issuer: %d %s", a.status, a.body)
	}
	return a.header.Get("Location")
}

func (b browser) comesBack(way string) string {
	b.t.Helper()
	a := b.ask("GET", way, "", "Sec-Fetch-Site: cross-site")
	if a.status != http.StatusFound {
		b.t.Fatalf("%d %s", a.status, a.body)
	}
	return a.header.Get("Location")
}

func TestPeopleLogInByTheirIssuer(t *testing.T) {
	atIssuer(t, func(t *testing.T, s lab, by *mockoidc.MockOIDC) {
		b := s.browser(t)
		by.QueueUser(person("network"))
		if to := b.comesBack(b.there("/pools?pool=mine.web")); to != "/pools?pool=mine.web" {
			t.Errorf("it leads to %s", to)
		}
		me := b.me()
		if me == nil || me.Kind != "user" || me.Actor != "user:alice@example.com" || *me.Subject != "7" || len(me.Rules) != 1 || me.Rules[0].Rule != "sso/net" {
			t.Fatalf("me: %+v", me)
		}
		if a := b.ask("POST", "/api/v1/pools", `{"scope":"mine","name":"hers","cidr":"192.168.0.0/16"}`); a.status != http.StatusCreated {
			t.Errorf("%d %s", a.status, a.body)
		}
		again := s.browser(t) // from another group by now, and the same person
		by.QueueUser(person("all", "staff"))
		again.comesBack(again.there("/"))
		if her := again.me(); her == nil || her.Principal != me.Principal || len(her.Rules) != 1 || her.Rules[0].Role != "viewer" {
			t.Errorf("again: %+v", her)
		}
		wantProblemCode(t, again.ask("POST", "/session", ""), 401, "unauthenticated")
		if log := s.log.String(); strings.Contains(log, "code=") || strings.Contains(log, "state=") {
			t.Error("a code is in the log")
		}
		s.events(t)
	})
}

func TestNoLoginIsAcceptedThatThisBrowserDidNotBegin(t *testing.T) {
	atIssuer(t, func(t *testing.T, s lab, by *mockoidc.MockOIDC) {
		swap := func(way, name, value string) string {
			u := mustURL(t, way)
			q := u.Query()
			q.Set(name, value)
			u.RawQuery = q.Encode()
			return u.String()
		}
		refused := func(what string, b browser, way, why string) {
			t.Helper()
			if to := b.comesBack(way); to != "/login?problem="+why || b.me() != nil {
				t.Errorf("%s: it leads to %s, and %+v is signed in", what, to, b.me())
			}
		}
		begun := func() (browser, string) {
			b := s.browser(t)
			by.QueueUser(person("staff"))
			return b, b.there("/")
		}
		b, way := begun()
		refused("another state", b, swap(way, "state", "guess"), "refused")
		refused("the right one after that", b, way, "refused")
		b, way = begun()
		refused("no state", b, swap(way, "state", ""), "refused")
		b, way = begun()
		refused("an error of the issuer", b, swap(way, "error", "access_denied"), "refused")
		b, way = begun()
		refused("another issuer", b, swap(way, "iss", "https://evil.example"), "refused")
		b, way = begun()
		refused("another code", b, swap(way, "code", "guess"), "refused")
		_, way = begun()
		refused("another browser", s.browser(t), way, "refused")
		b, way = begun()
		other, otherWay := begun()
		refused("the code of another login, which has another nonce and verifier", b, swap(way, "code", mustURL(t, otherWay).Query().Get("code")), "refused")
		if other.comesBack(otherWay); other.me() != nil {
			t.Error("a code is taken twice")
		}
		b, way = begun()
		if b.comesBack(way); b.me() == nil {
			t.Fatal("the right one is refused")
		}
		b.ask("DELETE", "/session", "")
		refused("a way back that was gone already", b, way, "refused")
		nobody := s.browser(t)
		by.QueueUser(person("sales"))
		refused("somebody whom no rule knows", nobody, nobody.there("/"), "nobody")
		if a := s.browser(t).ask("GET", "/session/login/none", ""); a.header.Get("Location") != "/login?problem=unknown" {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestALoginNeverLeadsAway(t *testing.T) {
	atIssuer(t, func(t *testing.T, s lab, by *mockoidc.MockOIDC) {
		for next, want := range map[string]string{
			"": "/", "/pools?pool=a%20b&x=1": "/pools?pool=a%20b&x=1", "//evil.example": "/", "/\\evil.example": "/", "/.//evil.example": "/evil.example", "/%2f/evil.example": "/evil.example", "/\tevil": "/", "https://evil.example": "/",
			"javascript:alert(1)": "/", "\\\\evil.example": "/", "/login": "/", "/session/login/sso": "/", "///evil.example": "/evil.example", "/../..//evil.example": "/evil.example", "/@evil.example": "/@evil.example", "http:evil.example": "/", "/%5cevil.example": "/", "pools": "/",
		} {
			b := s.browser(t)
			by.QueueUser(person("staff"))
			to := b.comesBack(b.there(next))
			if to != want || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
				t.Errorf("%q leads to %q, want %q", next, to, want)
			}
		}
	})
}

func TestASessionLosesWhatTheSettingsNoLongerGive(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		// The server trusts no issuer now: somebody of one before is nobody.
		_, secret, err := s.Access.SignIn(t.Context(), ipam.System("test"), issuer.Identity{Issuer: "https://gone.example", Subject: "7", Kind: "user", Name: "alice", Claims: issuer.Claims{"groups": "network"}})
		if err != nil {
			t.Fatal(err)
		}
		p := wantProblemCode(t, s.browser(t).ask("GET", "/api/v1/scopes", "", "Cookie: cloudpam="+secret), 401, "unauthenticated")
		if p.Detail != "the issuer of this session is not trusted any more; log in again" {
			t.Errorf("it says %q", p.Detail)
		}
	})
}
