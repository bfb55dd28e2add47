package httpapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
	"github.com/cloudpam/cloudpam/server/internal/issuer/issuertest"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

const audience = "https://cloudpam.example.com"

// settings are those of an issuer, as an operator writes them.
func settings(t testing.TB, url, rules string) issuer.Settings {
	t.Helper()
	all, err := issuer.Parse([]byte(`[{"name":"ci","issuer":"`+url+`","audience":"`+audience+`","rules":[`+rules+`]}]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

const deployRule = `{"name":"deploy","when":{"repository":"acme/network"},"role":"operator","pool":"mine.team"},
	{"name":"see","when":{"https://example.com/groups":["net","ops"]},"role":"viewer","scope":"theirs"},
	{"name":"keycloak","when":{"/realm_access/roles":"ipam-*"},"role":"planner","scope":"mine"},
	{"name":"gone","when":{"repository":"acme/network"},"role":"admin","pool":"mine.gone"}`

// trusting is a lab that trusts an issuer.
func trusting(t *testing.T, body func(t *testing.T, s lab, by *issuertest.Issuer)) {
	t.Helper()
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			by := issuertest.Start(t)
			s := serveAt(t, url(t), func() time.Time { return labTime }, settings(t, by.URL, deployRule))
			s.land(t)
			body(t, s, by)
		})
	}
}

var labTime = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// claims are those of a machine that the rule deploy lets in, with some changed: nil is absent.
func claims(by *issuertest.Issuer, changed map[string]any) map[string]any {
	c := map[string]any{"iss": by.URL, "aud": audience, "sub": "repo:acme/network:ref:refs/heads/main", "exp": labTime.Add(5 * time.Minute).Unix(), "nbf": labTime.Unix(), "iat": labTime.Unix(), "repository": "acme/network"}
	maps.Copy(c, changed)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func TestAMachineComesInByTheJWTOfItsIssuerWithWhatRulesGive(t *testing.T) {
	trusting(t, func(t *testing.T, s lab, by *issuertest.Issuer) {
		as := bearer(by.Sign(t, claims(by, nil)))
		me := decode[api.Me](t, s.send(t, "GET", "/api/v1/principals/me", "", as))
		if me.Kind != "machine" || me.Actor != "machine:repo:acme/network:ref:refs/heads/main" || *me.Issuer != by.URL || *me.Subject != me.Name || len(me.Bindings) != 0 || len(me.Rules) != 1 {
			t.Fatalf("me: %+v", me)
		}
		if r := me.Rules[0]; r.Rule != "ci/deploy" || r.Role != "operator" || *r.Pool != "mine.team" || *r.Scope != "mine" {
			t.Errorf("the rule: %+v", r)
		}
		if a := s.send(t, "POST", "/api/v1/allocations", `{"pool":"mine.web","name":"vpc","prefix_length":28}`, as); a.status != http.StatusCreated {
			t.Errorf("%d %s", a.status, a.body)
		}
		wantProblemCode(t, s.send(t, "POST", "/api/v1/allocations", `{"pool":"mine.other","name":"vpc","prefix_length":28}`, as), 404, "not_found")

		again := decode[api.Me](t, s.send(t, "GET", "/api/v1/principals/me", "", bearer(by.Sign(t, claims(by, map[string]any{"jti": "another"})))))
		other := decode[api.Me](t, s.send(t, "GET", "/api/v1/principals/me", "", bearer(by.Sign(t, claims(by, map[string]any{"sub": "repo:acme/network:pull_request"})))))
		if again.Principal != me.Principal || other.Principal == me.Principal {
			t.Errorf("one subject is one principal: %s, then %s; another is %s", me.Principal, again.Principal, other.Principal)
		}
		given := post[api.Binding](t, s, "/bindings", fmt.Sprintf(`{"principal":%q,"role":"viewer","scope":"theirs"}`, me.Principal))
		if me = decode[api.Me](t, s.send(t, "GET", "/api/v1/principals/me", "", as)); len(me.Bindings) != 1 || me.Bindings[0].ID != given.ID || len(me.Rules) != 1 {
			t.Errorf("bindings add to rules: %+v", me)
		}
		s.events(t)
	})
}

func TestRulesReadNamespacedNestedAndSlashPrefixedClaims(t *testing.T) {
	trusting(t, func(t *testing.T, s lab, by *issuertest.Issuer) {
		for _, c := range []struct {
			claims map[string]any
			rules  string
		}{
			{map[string]any{"https://example.com/groups": []string{"all", "net"}}, "ci/deploy ci/see"},
			{map[string]any{"https://example.com/groups": "/ops"}, "ci/deploy ci/see"}, // as Keycloak writes groups
			{map[string]any{"https://example.com/groups": []string{"Net", "network", "/a/net"}}, "ci/deploy"},
			{map[string]any{"realm_access": map[string]any{"roles": []string{"x", "ipam-plan"}}}, "ci/deploy ci/keycloak"},
			{map[string]any{"realm_access": map[string]any{"roles": []string{"ipam-a/b"}}}, "ci/deploy"},
			{map[string]any{"repository": "acme/network2", "https://example.com/groups": "net"}, "ci/see"},
			{map[string]any{"repository": nil, "/realm_access/roles": "ipam-x"}, "ci/keycloak"},
		} {
			me := decode[api.Me](t, s.send(t, "GET", "/api/v1/principals/me", "", bearer(by.Sign(t, claims(by, c.claims)))))
			var rules []string
			for _, r := range me.Rules {
				rules = append(rules, r.Rule)
			}
			if got := strings.Join(rules, " "); got != c.rules {
				t.Errorf("%v: rules %q, want %q", c.claims, got, c.rules)
			}
		}
	})
}

func TestAGenuineJWTThatNoRuleIsAboutIsToldSo(t *testing.T) {
	trusting(t, func(t *testing.T, s lab, by *issuertest.Issuer) {
		a := s.send(t, "GET", "/api/v1/scopes", "", bearer(by.Sign(t, claims(by, map[string]any{"repository": "evil/network", "sub": "repo:evil/network"}))))
		p := wantProblemCode(t, a, 403, "forbidden")
		if want := `ci vouches for "repo:evil/network", but none of its rules here is about that: deploy, see, keycloak, gone; ask an admin to compare their "when" with the claims of the token`; p.Detail != want {
			t.Errorf("it says %q", p.Detail)
		}
		if strings.Contains(s.dump(t), "evil") {
			t.Error("a principal was made of somebody who is nobody here")
		}
	})
}

// forged are JWTs that must let nobody in, by what is wrong with them.
func forged(t *testing.T, by *issuertest.Issuer) map[string]string {
	t.Helper()
	key := by.Keys()[0]
	good := by.Sign(t, claims(by, nil))
	part := strings.Split(good, ".")
	encode := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	raw := base64.RawURLEncoding.EncodeToString
	der, err := x509.MarshalPKIXPublicKey(key.Private.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	mine, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	with := func(headers map[string]any) string { // of a key of the forger
		h := map[string]any{"kid": key.ID}
		maps.Copy(h, headers)
		return issuertest.Sign(t, mine, jose.RS256, h, claims(by, nil))
	}
	genuine := func(headers, changed map[string]any) string { // of the issuer's key
		h := map[string]any{"kid": key.ID}
		maps.Copy(h, headers)
		return issuertest.Sign(t, key.Private, jose.RS256, h, claims(by, changed))
	}
	// twice signs claims in which a name comes twice.
	signText := func(payload string) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key.Private, KeyID: key.ID}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		text, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	text, err := json.Marshal(claims(by, nil))
	if err != nil {
		t.Fatal(err)
	}
	inside := string(text[1 : len(text)-1])
	past := labTime.Add(-time.Second).Unix()
	return map[string]string{
		"alg none":                               encode(map[string]any{"alg": "none", "kid": key.ID}) + "." + part[1] + ".",
		"alg None, with a signature":             encode(map[string]any{"alg": "None", "kid": key.ID}) + "." + part[1] + "." + part[2],
		"no alg":                                 encode(map[string]any{"kid": key.ID}) + "." + part[1] + "." + part[2],
		"no signature":                           part[0] + "." + part[1] + ".",
		"HS256 by the public key as PEM":         issuertest.Sign(t, public, jose.HS256, map[string]any{"kid": key.ID}, claims(by, nil)),
		"HS256 by the public key as DER":         issuertest.Sign(t, der, jose.HS256, map[string]any{"kid": key.ID}, claims(by, nil)),
		"HS256 by the modulus":                   issuertest.Sign(t, key.Private.N.Bytes(), jose.HS256, map[string]any{"kid": key.ID}, claims(by, nil)),
		"an algorithm that is not pinned, RS512": issuertest.Sign(t, key.Private, jose.RS512, map[string]any{"kid": key.ID}, claims(by, nil)),
		"an algorithm that is not pinned, ES256": issuertest.Sign(t, curve, jose.ES256, map[string]any{"kid": key.ID}, claims(by, nil)),
		"another key under the known kid":        with(nil),
		"another key and no kid":                 issuertest.Sign(t, mine, jose.RS256, nil, claims(by, nil)),
		"a kid that is a path":                   with(map[string]any{"kid": "../../../dev/null"}),
		"a kid that is an address":               with(map[string]any{"kid": "http://127.0.0.1:1/keys"}),
		"a kid that is SQL":                      with(map[string]any{"kid": "' OR 1=1 --"}),
		"a kid that is a list":                   encode(map[string]any{"alg": "RS256", "kid": []string{key.ID}}) + "." + part[1] + "." + part[2],
		"a jku":                                  with(map[string]any{"jku": by.URL + "/keys"}),
		"a genuine one with a jku":               genuine(map[string]any{"jku": "https://evil.example/keys"}, nil),
		"an embedded key":                        with(map[string]any{"jwk": map[string]any{"kty": "RSA", "n": raw(mine.N.Bytes()), "e": "AQAB"}}),
		"an x5u":                                 with(map[string]any{"x5u": "https://evil.example/cert"}),
		"an x5c":                                 with(map[string]any{"x5c": []string{base64.StdEncoding.EncodeToString(der)}}),
		"crit":                                   genuine(map[string]any{"crit": []string{"exp"}}, nil),
		"b64 false":                              encode(map[string]any{"alg": "RS256", "kid": key.ID, "b64": false, "crit": []string{"b64"}}) + "." + part[1] + "." + part[2],
		"another typ":                            genuine(map[string]any{"typ": "secevent+jwt"}, nil),
		"another issuer":                         genuine(nil, map[string]any{"iss": "https://evil.example"}),
		"the issuer with a slash more":           genuine(nil, map[string]any{"iss": by.URL + "/"}),
		"no issuer":                              genuine(nil, map[string]any{"iss": nil}),
		"a list of issuers":                      genuine(nil, map[string]any{"iss": []string{by.URL}}),
		"another audience":                       genuine(nil, map[string]any{"aud": "https://other.example"}),
		"a list of other audiences":              genuine(nil, map[string]any{"aud": []string{audience + "/", "x"}}),
		"no audience":                            genuine(nil, map[string]any{"aud": nil}),
		"expired":                                genuine(nil, map[string]any{"exp": past}),
		"no exp":                                 genuine(nil, map[string]any{"exp": nil}),
		"exp as text":                            genuine(nil, map[string]any{"exp": "4102444800"}),
		"exp beyond all time":                    genuine(nil, map[string]any{"exp": 1e300}),
		"not yet":                                genuine(nil, map[string]any{"nbf": labTime.Add(2 * time.Minute).Unix()}),
		"of tomorrow":                            genuine(nil, map[string]any{"iat": labTime.Add(24 * time.Hour).Unix()}),
		"no sub":                                 genuine(nil, map[string]any{"sub": nil}),
		"an empty sub":                           genuine(nil, map[string]any{"sub": ""}),
		"a sub that is a number":                 genuine(nil, map[string]any{"sub": 7}),
		"a sub without end":                      genuine(nil, map[string]any{"sub": strings.Repeat("a", 256)}),
		"claims twice":                           signText("{" + inside + `,"sub":"root"}`),
		"claims that only look alike":            signText("{" + inside + `,"Exp":99999999999}`),
		"something behind the claims":            signText("{" + inside + `}{}`),
		"claims nested without end":              signText("{" + inside + `,"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`),
		"claims that are a list":                 signText(`[` + string(text) + `]`),
		"one letter of the claims changed":       part[0] + "." + strings.Replace(part[1], part[1][20:21], map[bool]string{true: "B", false: "A"}[part[1][20:21] == "A"], 1) + "." + part[2],
		"the signature of another":               part[0] + "." + part[1] + "." + strings.Split(genuine(nil, map[string]any{"jti": "1"}), ".")[2],
		"huge":                                   genuine(nil, map[string]any{"x": strings.Repeat("a", 8<<10)}),
		"two signatures":                         good + "." + part[2],
		"encrypted":                              encode(map[string]any{"alg": "RSA-OAEP", "enc": "A256GCM"}) + ".a.b.c.d",
		"as JSON":                                `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}..`,
		"padded":                                 part[0] + "=." + part[1] + "." + part[2],
		"dots":                                   "...",
	}
}

func TestNoForgedOrMalformedJWTLetsAnybodyInOrIsLogged(t *testing.T) {
	trusting(t, func(t *testing.T, s lab, by *issuertest.Issuer) {
		s.Access.MaxFailures = 0
		all := forged(t, by)
		if len(all) < 30 {
			t.Fatalf("%d", len(all))
		}
		for what, raw := range all {
			if len(raw) > 30<<10 {
				t.Fatalf("%s has %d bytes", what, len(raw))
			}
			a := s.send(t, "GET", "/api/v1/principals/me", "", bearer(raw))
			if p := wantProblemCode(t, a, 401, "unauthenticated"); strings.Contains(p.Detail, "key-") {
				t.Errorf("%s: it says %q", what, p.Detail)
			}
			for _, piece := range strings.Split(raw, ".") {
				if len(piece) > 40 && (strings.Contains(a.body, piece) || strings.Contains(s.log.String(), piece)) {
					t.Errorf("%s: a piece of it is in the answer or the log: %s", what, piece[:40])
				}
			}
		}
		if strings.Contains(s.dump(t), by.URL) {
			t.Error("somebody got a row")
		}
		good := by.Sign(t, claims(by, nil))
		if a := s.send(t, "GET", "/api/v1/principals/me", "", bearer(good)); a.status != http.StatusOK {
			t.Errorf("a good one: %s", a.body)
		}
		for where, text := range map[string]string{"log": s.log.String(), "database": s.dump(t), "metrics": s.send(t, "GET", "/metrics", "").body} {
			if strings.Contains(text, strings.Split(good, ".")[2]) {
				t.Errorf("the good one is in the %s", where)
			}
		}
		t.Logf("%d forged or malformed", len(all))
	})
}

func TestKeysAreReadAgainButNoFloodOfUnknownOnesReachesTheIssuer(t *testing.T) {
	trusting(t, func(t *testing.T, s lab, by *issuertest.Issuer) {
		s.Access.MaxFailures = 0
		me := func() int {
			return s.send(t, "GET", "/api/v1/principals/me", "", bearer(by.Sign(t, claims(by, map[string]any{"jti": rand.Text()})))).status
		}
		if me() != http.StatusOK || by.Asked.Load() != 1 {
			t.Fatalf("asked %d times", by.Asked.Load())
		}
		mine, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			raw := issuertest.Sign(t, mine, jose.RS256, map[string]any{"kid": rand.Text()}, claims(by, nil))
			wantProblemCode(t, s.send(t, "GET", "/api/v1/principals/me", "", bearer(raw)), 401, "unauthenticated")
		}
		if n := by.Asked.Load(); n != 1 {
			t.Errorf("50 unknown keys within a moment asked the issuer %d times", n-1)
		}
		by.Rotate(t)
		for range 11 {
			s.wait()
		}
		if got := me(); got != http.StatusOK || by.Asked.Load() != 2 {
			t.Errorf("a new key: %d, asked %d times", got, by.Asked.Load())
		}
	})
}

func TestAnIssuerThatDoesNotAnswerIsSaidSoAndKeepsNobodyElseWaiting(t *testing.T) {
	trusting(t, func(t *testing.T, s lab, by *issuertest.Issuer) {
		by.Hang = make(chan struct{})
		var waiting sync.WaitGroup
		var slow answer
		waiting.Go(func() { slow = s.send(t, "GET", "/api/v1/scopes", "", bearer(by.Sign(t, claims(by, nil)))) })
		for range 20 { // while the first token of the issuer waits, whether it does yet or not
			get[api.ScopePage](t, s, "/scopes")
		}
		by.Down.Store(true)
		close(by.Hang)
		waiting.Wait()
		p := wantProblemCode(t, slow, 503, "unavailable")
		if p.Detail != "the issuer ci does not answer, so its tokens cannot be checked: try again, or use a token of this server" {
			t.Errorf("it says %q", p.Detail)
		}
		by.Down.Store(false)
		wantProblemCode(t, s.send(t, "GET", "/api/v1/scopes", "", bearer(by.Sign(t, claims(by, nil)))), 503, "unavailable") // it is not asked at once again
		for range 11 {
			s.wait()
		}
		good := bearer(by.Sign(t, claims(by, nil)))
		if a := s.send(t, "GET", "/api/v1/scopes", "", good); a.status != http.StatusOK {
			t.Errorf("it answers again: %s", a.body)
		}
		by.Down.Store(true)
		for range 120 { // past the memory of signatures, and past when keys are read again
			s.wait()
		}
		if a := s.send(t, "GET", "/api/v1/scopes", "", bearer(by.Sign(t, claims(by, map[string]any{"jti": "2"})))); a.status != http.StatusOK {
			t.Errorf("its keys are known, so it need not answer: %s", a.body)
		}
	})
}

func TestNobodyWithAGenuineJWTWaitsForOthersAtHisAddress(t *testing.T) {
	trusting(t, func(t *testing.T, s lab, by *issuertest.Issuer) {
		s.Access.MaxFailures = 3
		bad := bearer(by.Sign(t, claims(by, map[string]any{"aud": "other"})))
		for range 3 {
			wantProblemCode(t, s.send(t, "GET", "/api/v1/scopes", "", bad), 401, "unauthenticated")
		}
		wantProblemCode(t, s.send(t, "GET", "/api/v1/scopes", "", bad), 429, "too_many_failures")
		if a := s.send(t, "GET", "/api/v1/scopes", "", bearer(by.Sign(t, claims(by, nil)))); a.status != http.StatusOK {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestAJWTLetsNobodyInPastItsEnd(t *testing.T) {
	trusting(t, func(t *testing.T, s lab, by *issuertest.Issuer) {
		as := bearer(by.Sign(t, claims(by, map[string]any{"exp": labTime.Add(2 * time.Second).Unix()})))
		if a := s.send(t, "GET", "/api/v1/scopes", "", as); a.status != http.StatusOK {
			t.Fatal(a.body)
		}
		s.wait()
		s.wait()
		p := wantProblemCode(t, s.send(t, "GET", "/api/v1/scopes", "", as), 401, "unauthenticated")
		if !strings.Contains(p.Detail, "it expired at 2030-01-02T03:04:07Z; it is 2030-01-02T03:04:07Z now") {
			t.Errorf("it says %q", p.Detail)
		}
	})
}
