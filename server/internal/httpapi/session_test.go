package httpapi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
)

// browser is a person's browser: it keeps cookies, and follows no redirect by itself.
type browser struct {
	t testing.TB
	s lab
	*http.Client
}

func (s lab) browser(t testing.TB) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser{t, s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// ask sends a request of a page of ours, unless headers say otherwise.
func (b browser) ask(method, address, body string, headers ...string) answer {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.s.http.URL + address
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if r.Header.Set(name, strings.TrimSpace(value)); strings.TrimSpace(value) == "" {
			r.Header.Del(name)
		}
	}
	res, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func (b browser) signIn(token string) {
	b.t.Helper()
	if a := b.ask("POST", "/session", "", bearer(token)); a.status != http.StatusNoContent {
		b.t.Fatalf("%d %s", a.status, a.body)
	}
}

func (b browser) me() *api.Me {
	b.t.Helper()
	return decode[struct {
		Me *api.Me `json:"me"`
	}](b.t, b.ask("GET", "/session", "")).Me
}

func TestATokenOpensASessionThatScriptsCannotReadAndThatEndsWithIt(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		made := post[api.CreatedToken](t, s, "/tokens", `{"name":"alice","bindings":[{"role":"operator","scope":"mine"}]}`)
		b := s.browser(t)
		if b.me() != nil {
			t.Fatal("somebody is signed in")
		}
		a := b.ask("POST", "/session", "", bearer(*made.Secret))
		cookie := a.header.Get("Set-Cookie")
		for _, part := range []string{"cloudpam=cpams_", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"} {
			if !strings.Contains(cookie, part) {
				t.Errorf("the cookie %q lacks %s", cookie, part)
			}
		}
		over := b.ask("POST", "/session", "", bearer(*made.Secret), "X-Forwarded-Proto: https").header.Get("Set-Cookie")
		if !strings.HasPrefix(over, "__Host-cloudpam=") || !strings.Contains(over, "; Secure") {
			t.Errorf("over TLS the cookie is %q", over)
		}
		me := b.me()
		if me == nil || me.Actor != "token:alice" || me.Session == nil || len(me.Bindings) != 1 {
			t.Fatalf("me: %+v", me)
		}
		if a := b.ask("POST", "/api/v1/allocations", `{"pool":"mine.web","name":"x","prefix_length":28}`); a.status != http.StatusCreated {
			t.Errorf("%d %s", a.status, a.body)
		}
		wantProblemCode(t, b.ask("POST", "/session", "", "Authorization: Bearer wrong"), 401, "unauthenticated")
		if a := s.send(t, "DELETE", "/api/v1/tokens/"+made.Token.ID, ""); a.status != http.StatusNoContent {
			t.Fatal(a.body)
		}
		wantProblemCode(t, b.ask("GET", "/api/v1/scopes", ""), 401, "unauthenticated")
		if n, err := s.Access.EndSessions(t.Context()); err != nil || n != 2 {
			t.Errorf("%d sessions of a token that ended are swept, %v", n, err)
		}
		value := strings.TrimPrefix(strings.Split(cookie, ";")[0], "cloudpam=")
		for where, text := range map[string]string{"log": s.log.String(), "database": s.dump(t), "events": s.send(t, "GET", "/api/v1/events?limit=1000", "").body} {
			if strings.Contains(text, value) {
				t.Errorf("the secret of the session is in the %s", where)
			}
		}
		s.events(t)
	})
}

func TestASessionEndsWhenItIsIdleOverOrEnded(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.Access.SessionIdle, s.Access.SessionLength = 10*time.Second, 25*time.Second
		pass := func(n int) {
			for range n {
				s.wait()
			}
		}
		idle := s.browser(t)
		idle.signIn(secret)
		used := s.browser(t)
		used.signIn(secret)
		for range 2 {
			pass(9)
			if used.me() == nil {
				t.Fatal("a session that is used has ended")
			}
			if _, err := s.Access.NoteUse(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if idle.me() != nil {
			t.Error("a session that nobody used for 18 s goes on")
		}
		pass(8)
		if used.me() != nil {
			t.Error("a session goes on past its time")
		}

		one, other := s.browser(t), s.browser(t)
		one.signIn(secret)
		other.signIn(secret)
		id := *one.me().Session
		if a := other.ask("DELETE", "/api/v1/sessions/"+id, ""); a.status != http.StatusNoContent {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if one.me() != nil || other.me() == nil {
			t.Error("the wrong one ended")
		}
		wantProblemCode(t, other.ask("DELETE", "/api/v1/sessions/"+id, ""), 404, "not_found")
		before := other.Jar.Cookies(mustURL(t, s.http.URL))
		if a := other.ask("DELETE", "/session", ""); a.status != http.StatusNoContent || len(other.Jar.Cookies(mustURL(t, s.http.URL))) != 0 {
			t.Errorf("%d: the cookie stays", a.status)
		}
		other.Jar.SetCookies(mustURL(t, s.http.URL), before)
		wantProblemCode(t, other.ask("GET", "/api/v1/scopes", ""), 401, "unauthenticated")
		s.events(t)
	})
}

func TestOneSeesAndEndsOnesOwnSessionsAndWhoIsAdminEverywhereThoseOfAll(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		tokens := map[string]browser{}
		for _, role := range []string{`"admin","scope":"mine"`, `"viewer"`} {
			made := post[api.CreatedToken](t, s, "/tokens", fmt.Sprintf(`{"name":"t%d","bindings":[{"role":%s}]}`, len(tokens), role))
			b := s.browser(t)
			b.signIn(*made.Secret)
			tokens[role] = b
		}
		admin, viewer := tokens[`"admin","scope":"mine"`], tokens[`"viewer"`]
		if got := decode[api.SessionPage](t, admin.ask("GET", "/api/v1/sessions", "")); len(got.Items) != 1 || got.Items[0].ID != *admin.me().Session {
			t.Errorf("the admin of a scope sees %+v", got.Items)
		}
		if got := get[api.SessionPage](t, s, "/sessions"); len(got.Items) != 2 {
			t.Errorf("who is admin everywhere sees %+v", got.Items)
		}
		wantProblemCode(t, admin.ask("DELETE", "/api/v1/sessions/"+*viewer.me().Session, ""), 404, "not_found")
		if a := s.send(t, "DELETE", "/api/v1/sessions/"+*viewer.me().Session, ""); a.status != http.StatusNoContent || viewer.me() != nil {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

// A change that comes with a cookie must come from a page of ours. One that comes with a token may come from anywhere.
func TestAnotherSiteChangesNothingWithACookie(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		b := s.browser(t)
		b.signIn(secret)
		spec := contract(t)
		asked := 0
		for path, item := range spec.Paths.Map() {
			for method := range item.Operations() {
				if method == http.MethodGet || path == "/version" {
					continue
				}
				address := "/api/v1" + strings.NewReplacer("{", "", "}", "").Replace(path)
				for _, from := range [][]string{
					{"Sec-Fetch-Site: cross-site"},
					{"Sec-Fetch-Site: same-site"},
					{"Sec-Fetch-Site:", "Origin: https://evil.example"},
					{"Sec-Fetch-Site:", "Origin: null"},
					{"Sec-Fetch-Site:"},
					{"Sec-Fetch-Site: cross-site", "Content-Type: text/plain"},
					{"Sec-Fetch-Site: cross-site", "Content-Type: application/x-www-form-urlencoded"},
				} {
					asked++
					wantProblemCode(t, b.ask(method, address, "{}", from...), 403, "forbidden")
				}
			}
		}
		for _, from := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site:"} {
			wantProblemCode(t, b.ask("DELETE", "/session", "", from), 403, "forbidden")
			wantProblemCode(t, b.ask("POST", "/session", "", from, bearer(secret)), 403, "forbidden")
		}
		t.Logf("%d requests", asked)
		const body = `{"pool":"mine.web","name":"x","prefix_length":28}`
		if a := b.ask("POST", "/api/v1/allocations", body, "Sec-Fetch-Site:", "Origin: "+s.http.URL); a.status != http.StatusCreated {
			t.Errorf("a page of ours: %s", a.body)
		}
		if a := b.ask("POST", "/api/v1/allocations", strings.Replace(body, `"x"`, `"y"`, 1), "Sec-Fetch-Site: cross-site", bearer(secret)); a.status != http.StatusCreated {
			t.Errorf("with a token: %s", a.body)
		}
		wantProblemCode(t, b.ask("GET", "/api/v1/scopes", "", bearer("wrong")), 401, "unauthenticated") // a token counts, not the cookie beside it
	})
}

func TestWrongCookiesAreBounded(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.Access.MaxFailures = 3
		b := s.browser(t)
		for i := range 3 {
			wantProblemCode(t, b.ask("GET", "/api/v1/scopes", "", fmt.Sprintf("Cookie: cloudpam=cpams_%d", i)), 401, "unauthenticated")
		}
		wantProblemCode(t, b.ask("GET", "/api/v1/scopes", "", "Cookie: cloudpam=cpams_9"), 429, "too_many_failures")
	})
}

func mustURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
