package web_test

import (
	"net/url"
	"testing"
)

// staysHere signs in behind links to the login that somebody else may have made. Only a path of this server is followed.
func staysHere(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/login")
	b.await("location.pathname === '/login' && " + canSignIn)
	const session = "document.querySelector('script[src$=\"/js/login.js\"]').src.replace('login.js', 'session.js')"
	for next, want := range map[string]string{
		"":                              "/",
		"/":                             "/",
		"/pools?pool=euw1":              "/pools?pool=euw1",
		"/allocations?q=a//b":           "/allocations?q=a//b",
		"/pools/../allocations?q=x":     "/allocations?q=x",
		"/pools?next=//evil.example":    "/pools?next=//evil.example",
		"/login":                        "/",
		"/login?next=//evil.example":    "/",
		"/./login":                      "/",
		"pools":                         "/",
		"?pool=euw1":                    "/",
		"//evil.example/steal":          "/",
		"///evil.example/steal":         "/",
		"/.//evil.example/steal":        "/",
		"/..//evil.example/steal":       "/",
		"/./..//evil.example/steal":     "/",
		"/x/..//evil.example/steal":     "/",
		"/%2e//evil.example/steal":      "/",
		"/%2E%2e//evil.example/steal":   "/",
		"/\\evil.example/steal":         "/",
		"\\\\evil.example/steal":        "/",
		"/.\\\\evil.example/steal":      "/",
		"/./\\evil.example/steal":       "/",
		"/\t/evil.example/steal":        "/",
		"/\n/evil.example/steal":        "/",
		"/.\r//evil.example/steal":      "/",
		" //evil.example/steal":         "/",
		"\x00//evil.example/steal":      "/",
		"/.\t/\t/evil.example/steal":    "/",
		"https://evil.example/steal":    "/",
		"http:evil.example/steal":       "/",
		"http:/evil.example/steal":      "/",
		"https:\\\\evil.example/steal":  "/",
		"//user@evil.example":           "/",
		"//[::1]:1/":                    "/",
		"//":                            "/",
		"/.//":                          "/",
		"//[":                           "/",
		"javascript:alert(1)":           "/",
		"data:text/html,owned":          "/",
		s.url + ".evil.example/steal":   "/",
		s.url + "/allocations":          "/", // an address, even of this server, is not a path
		"//" + s.url[len("http://"):]:   "/",
		"/.//" + s.url[len("http://"):]: "/",
	} {
		got := b.text("import(" + session + ").then(session => { history.replaceState(null, '', '/login?next=' + encodeURIComponent(" + quote(next) + ")); return session.destination(); })")
		if got != want {
			t.Errorf("next=%q leads to %s, want %s", next, got, want)
		}
	}

	// What the function says is what the browser does.
	for next, want := range map[string]string{
		"/allocations?pool=lab": "/allocations?pool=lab", "/.//evil.example/steal": "/dashboard", "//evil.example/steal": "/dashboard", "/\\evil.example/steal": "/dashboard",
	} {
		b.open(s.url + "/login?next=" + url.QueryEscape(next))
		b.await("new URLSearchParams(location.search).get('next') === " + quote(next) + " && " + canSignIn + " && document.activeElement.id === 'token'")
		b.write(adminToken)
		b.press("Enter")
		b.await("location.pathname !== '/login' && document.readyState === 'complete'")
		if got := b.text("location.href"); got != s.url+want {
			t.Errorf("next=%q leads to %s, want %s", next, got, want)
		}
	}
}
