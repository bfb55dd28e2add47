package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

func TestReservations(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Scope](t, s, "/scopes", `{"name":"other"}`)
		for _, body := range []string{`{"name":"four","cidr":"10.0.0.0/8"}`, `{"name":"six","cidr":"2001:db8::/32"}`, `{"scope":"other","name":"four","cidr":"10.0.0.0/8"}`} {
			post[api.Pool](t, s, "/pools", body)
		}
		reason := map[string]string{}
		for _, body := range []string{
			`{"pool":"four","cidr":"10.1.0.0/16","reason":"a merger","owner":"ann","labels":{"env":"prd"}}`,
			`{"pool":"four","prefix_length":24,"reason":"b printers","expires_at":"2030-02-01T00:00:00+01:00"}`,
			`{"pool":"six","prefix_length":48,"reason":"c","owner":"ann"}`,
			`{"pool":"other.four","cidr":"10.1.0.0/16","reason":"d Merger"}`,
		} {
			v := post[api.Reservation](t, s, "/reservations", body)
			reason[v.ID+v.CIDR] = v.Reason[:1]
		}
		for path, want := range map[string]string{
			"":                                   "a b c d",
			"?pool=four":                         "a b",
			"?scope=other":                       "d",
			"?owner=ann":                         "a c",
			"?family=ipv6":                       "c",
			"?label=env=prd":                     "a",
			"?q=merger":                          "a d",
			"?within=10.0.0.0/8&scope=default":   "b a",
			"?contains=10.1.2.3":                 "a d",
			"?contains=10.1.2.3&pool=other.four": "d",
		} {
			var got []string
			for _, name := range names(t, s, "/reservations"+path) {
				got = append(got, reason[name])
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", path, got, want)
			}
		}
		t.Run("its end is told in UTC, changes and goes", func(t *testing.T) {
			a := s.send(t, "POST", "/api/v1/reservations", `{"pool":"four","prefix_length":24,"reason":"x","expires_at":"2030-02-01T00:00:00+01:00"}`)
			v := decode[api.Reservation](t, a)
			if !strings.HasSuffix(a.header.Get("ETag"), `.1"`) || !strings.Contains(a.body, `"expires_at":"2030-01-31T23:00:00Z"`) || v.PrefixLength != 24 || v.Family != "ipv4" {
				t.Errorf("%v %s", a.header, a.body)
			}
			at := "/api/v1/reservations/" + v.ID
			wantProblemCode(t, s.send(t, "PATCH", at, `{"reason":"y"}`), 428, "precondition_required")
			wantProblemCode(t, s.send(t, "PATCH", at, `{"reason":"y"}`, `If-Match: "v9"`), 412, "precondition_failed")
			p := wantProblemCode(t, s.send(t, "PATCH", at, `{"expires_at":"2030-01-02T03:04:05Z"}`, `If-Match: "v1"`), 400, "invalid")
			if want := "2030-01-02T03:04:05Z has passed: it is 2030-01-02T03:04:05Z now"; !strings.Contains(p.Detail, want) {
				t.Errorf("detail = %q", p.Detail)
			}
			if a := s.send(t, "PATCH", at, `{"expires_at":null,"owner":"bob"}`, `If-Match: "v1"`); a.status != 200 || strings.Contains(a.body, "expires_at") || !strings.Contains(a.body, `"owner":"bob"`) {
				t.Errorf("%d %s", a.status, a.body)
			}
			wantProblemCode(t, s.send(t, "DELETE", at, "", `If-Match: "v1"`), 412, "precondition_failed")
			if a := s.send(t, "DELETE", at, ""); a.status != 204 {
				t.Errorf("%d %s", a.status, a.body)
			}
			wantProblemCode(t, s.send(t, "GET", at, ""), 404, "not_found")
		})
		t.Run("a plan is promised the block of a name", func(t *testing.T) {
			h := post[api.Hold](t, s, "/holds", `{"pool":"four","name":"reservation:merger/one","prefix_length":24}`)
			v := post[api.Reservation](t, s, "/reservations", `{"pool":"four","name":"merger/one","cidr":"`+h.CIDR+`","reason":"x"}`)
			if v.Name == nil || *v.Name != "merger/one" || v.CIDR != h.CIDR {
				t.Errorf("%+v was promised %s", v, h.CIDR)
			}
			wantProblemCode(t, s.send(t, "POST", "/api/v1/reservations", `{"pool":"four","name":"merger/one","prefix_length":24,"reason":"y"}`), 409, "name_taken")
			if a := s.send(t, "PATCH", "/api/v1/reservations/"+v.ID, `{"name":""}`, `If-Match: "v1"`); a.status != 200 || strings.Contains(a.body, `"name"`) {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
		t.Run("what is wrong is told where", func(t *testing.T) {
			for body, pointer := range map[string]string{
				`{"pool":"four","reason":"x"}`:                                            "/cidr",
				`{"pool":"four","prefix_length":24}`:                                      "/reason",
				`{"pool":"four","prefix_length":24,"reason":""}`:                          "/reason",
				`{"pool":"four","prefix_length":24,"reason":"x","expires_at":"tomorrow"}`: "/expires_at",
				`{"pool":"four","prefix_length":24,"reason":"x","name":"10.0.0.0/24"}`:    "/name",
				`{"pool":"four","prefix_length":24,"reason":"x","name":"a b"}`:            "/name",
				`{"pool":"four","prefix_length":24,"reason":"x","why":"y"}`:               "/why",
			} {
				p := wantProblemCode(t, s.send(t, "POST", "/api/v1/reservations", body), 400, "invalid")
				if len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
					t.Errorf("%s: %+v", body, p.Errors)
				}
			}
		})
		t.Run("the space map says what is kept and why", func(t *testing.T) {
			first := get[api.SpacePage](t, s, "/pools/four/space").Items[0]
			if first.Status != "reserved" || *first.Kind != "reservation" || *first.Name != "b printers" {
				t.Errorf("%+v", first)
			}
		})
		s.events(t)
	})
}

func TestAccounts(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Scope](t, s, "/scopes", `{"name":"other"}`)
		for _, body := range []string{
			`{"cloud":"gcp","external_id":"example.com:my-project","name":"c","owner":"Net"}`,
			`{"cloud":"aws","external_id":"222222222222","name":"b","environment":"prd","labels":{"team":"net"}}`,
			`{"cloud":"aws","external_id":"111111111111","name":"a","scope":"other","platform":"payments"}`,
		} {
			post[api.Account](t, s, "/accounts", body)
		}
		for path, want := range map[string]string{
			"": "c b a", "?cloud=aws": "b a", "?scope=other": "a", "?environment=prd": "b", "?label=team=net": "b", "?q=NET": "c b", "?q=payments": "a", "?q=my-proj": "c", "?limit=2": "c b a",
		} {
			if got := strings.Join(names(t, s, "/accounts"+path), " "); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
		t.Run("a tier comes and goes, and a domain's project has its address", func(t *testing.T) {
			const at = "/api/v1/accounts/gcp:example.com:my-project"
			for i, c := range []struct{ body, says string }{
				{`{"tier":"prd","regions":["us-east1","europe-west1","us-east1"]}`, `"regions":["europe-west1","us-east1"]`}, {`{"owner":"ann"}`, `"tier":"prd"`}, {`{"tier":null}`, `"owner":"ann"`},
			} {
				a := s.send(t, "PATCH", at, c.body, fmt.Sprintf(`If-Match: "v%d"`, i+1))
				if a.status != 200 || !strings.Contains(a.body, c.says) {
					t.Errorf("%s: %d %s", c.body, a.status, a.body)
				}
			}
			if a := s.send(t, "GET", at, ""); strings.Contains(a.body, "tier") || !strings.HasSuffix(a.header.Get("ETag"), `.4"`) {
				t.Errorf("%v %s", a.header, a.body)
			}
			wantProblemCode(t, s.send(t, "PATCH", at, `{"tier":"production"}`, `If-Match: "v4"`), 400, "invalid")
			wantProblemCode(t, s.send(t, "PATCH", at, `{"external_id":"other-project"}`, `If-Match: "v4"`), 400, "invalid")
		})
		t.Run("an account number keeps its zeros", func(t *testing.T) {
			p := wantProblemCode(t, s.send(t, "POST", "/api/v1/accounts", `{"cloud":"aws","external_id":"1234567890","name":"x"}`), 400, "invalid")
			if !strings.Contains(p.Detail, "12 digits, leading zeros included") {
				t.Errorf("detail = %q", p.Detail)
			}
		})
		t.Run("it is deleted by its version", func(t *testing.T) {
			const at = "/api/v1/accounts/aws:222222222222"
			wantProblemCode(t, s.send(t, "DELETE", at, ""), 428, "precondition_required")
			if a := s.send(t, "DELETE", at, "", `If-Match: "v1"`); a.status != 204 {
				t.Errorf("%d %s", a.status, a.body)
			}
			wantProblemCode(t, s.send(t, "GET", at, ""), 404, "not_found")
		})
		s.events(t)
	})
}
