package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oauth2-proxy/mockoidc"
)

// endSessions ends all that are signed in, as an admin does.
func (s *server) endSessions() {
	s.t.Helper()
	_, all := s.request("GET", "/sessions", adminToken, nil)
	for _, one := range all["items"].([]any) {
		r, err := http.NewRequest("DELETE", s.url+"/api/v1/sessions/"+one.(object)["id"].(string), nil)
		if err != nil {
			s.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+adminToken)
		answer, err := http.DefaultClient.Do(r)
		if err != nil || answer.StatusCode != http.StatusNoContent {
			s.t.Fatalf("%v %v", answer, err)
		}
		answer.Body.Close()
	}
}

// signInBy signs somebody in, who comes to the dashboard, or back to the page whose session has just ended: that may have led to the login
// by itself.
func signInBy(b *chromium, s *server, token string) {
	b.open(s.url + "/login")
	b.await(canSignIn)
	b.click("#token")
	b.write(token)
	b.press("Enter")
	b.await("location.pathname !== '/login' && " + find("[data-me]"))
}

func sharesSession(t *testing.T, s *server, b *chromium) {
	b.openTab()
	b.open(s.url + "/holds")
	b.await("location.pathname === '/holds' && " + find("[data-me]") + "?.textContent.trim() === 'bootstrap'")
	if b.text("String(sessionStorage.length)") != "0" {
		t.Error("something was handed to the tab")
	}
}

func showsMe(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/pools")
	b.await(find("[data-me]") + "?.offsetParent && " + find("tr[data-pool=lab]"))
	b.click("[data-me]")
	b.await(find("#me-title") + ".offsetParent && " + find("#me-title") + ".innerText === 'token:bootstrap'")
	b.await(find("dialog[open] .keys") + ".innerText.replaceAll(/\\s+/g, ' ').trim() === 'admin everywhere by a binding'")
	b.picture("me")
	b.press("Escape")
}

func offersWhatOneMay(t *testing.T, s *server, b *chromium) {
	shown := func(selector string) string { return find(selector) + "?.offsetParent" }
	viewer := s.post("/tokens", object{"name": "viewer", "bindings": []object{{"role": "viewer"}}})["secret"].(string)
	b.open(s.url + "/reservations")
	b.await(find("tr[data-reservation]") + " && " + shown("[data-new]"))
	s.endSessions()
	signInBy(b, s, viewer)
	b.open(s.url + "/reservations")
	b.await(find("tr[data-reservation]") + " && !" + shown("[data-new]"))
	b.press("n")
	b.await("!" + find("dialog[open]"))
	b.open(s.url + "/pools?pool=lab")
	b.await(find(".panel .plain a") + " && !" + shown("[data-rename]"))
	s.endSessions()
	signInBy(b, s, adminToken)
}

// TestSessions walks through what is about who is signed in.
func TestSessions(t *testing.T) {
	s := startServer(t)
	s.post("/pools", object{"name": "lab", "cidr": "10.0.0.0/24"})
	s.post("/allocations", object{"pool": "lab", "name": "bench", "prefix_length": 28})
	s.post("/reservations", object{"pool": "lab", "reason": "a merger", "prefix_length": 28})
	b := startChromium(t)
	b.resize(1440, 900, "light")
	signInBy(b, s, adminToken)
	sharesSession(t, s, b)
	showsMe(t, s, b)
	offersWhatOneMay(t, s, b)

	b.open(s.url + "/allocations?pool=lab")
	b.await("document.querySelectorAll('tr[data-allocation]').length === 1")
	s.endSessions()
	b.press("/")
	b.write("bench") // which asks the server
	b.await("location.pathname === '/login' && " + find(".alert") + ".innerText === 'you are not signed in any more; sign in again'")
	b.await(canSignIn)
	b.click("#token")
	b.write(adminToken)
	b.press("Enter")
	b.await("location.pathname === '/allocations' && location.search.includes('pool=lab')")
	b.await("document.querySelectorAll('tr[data-allocation]').length === 1")

	b.click(".foot [aria-label='Sign out']")
	b.await("location.pathname === '/login' && " + canSignIn)
	b.open(s.url + "/pools") // what the browser sent before lets nobody in
	b.await("location.pathname === '/login' && " + canSignIn)
	onlyRefusals(t, b)
}

// TestPeopleSignInByTheirIssuer goes through a login with a real browser and an issuer.
func TestPeopleSignInByTheirIssuer(t *testing.T) {
	s, by := startWithIssuer(t, "operator")
	s.post("/pools", object{"name": "corp", "cidr": "10.0.0.0/8"})
	b := startChromium(t)
	b.resize(1440, 900, "light")

	by.QueueUser(&mockoidc.MockUser{Subject: "7", Email: "alice@example.com", Groups: []string{"network"}})
	b.open(s.url + "/pools?pool=corp")
	b.await("location.pathname === '/login' && " + find(".door") + "?.innerText === 'Sign in with Acme'")
	b.picture("login-issuer")
	b.click(".door")
	b.await("location.pathname === '/pools' && location.search === '?pool=corp' && " + find("[data-me]") + "?.innerText.trim() === 'alice@example.com'")
	b.await(find("#panel-title") + "?.innerText === 'corp'")
	b.click("[data-me]")
	b.await(find("dialog[open] .keys") + "?.innerText.replaceAll(/\\s+/g, ' ').trim() === 'operator in the scope default by the rule sso/net'")
	b.press("Escape")
	b.await("!" + find("[data-rename]") + "?.offsetParent")
	if b.text("document.cookie") != "" {
		t.Error("a script reads the session")
	}

	b.click(".foot [aria-label='Sign out']")
	b.await("location.pathname === '/login' && " + canSignIn)
	by.QueueUser(&mockoidc.MockUser{Subject: "8", Email: "bob@example.com", Groups: []string{"sales"}})
	b.click(".door")
	b.await("location.pathname === '/login' && " + find(".alert") + "?.innerText.startsWith('You are known to the issuer, but no rule here is about you.')")
	if told := b.complaints(); len(told) > 0 {
		t.Errorf("the page complained:\n%s", strings.Join(told, "\n"))
	}
}
