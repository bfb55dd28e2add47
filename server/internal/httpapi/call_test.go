package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestEveryOperationButTheVersionNeedsAToken(t *testing.T) {
	s := serve(t, storetest.SQLite(t))
	for path, item := range contract(t).Paths.Map() {
		for method, op := range item.Operations() {
			for name, header := range map[string]string{
				"no token": "Authorization:", "a wrong token": "Authorization: Bearer cpam_x_" + strings.Repeat("0", 32), "an empty token": "Authorization: Bearer ",
				"a password": "Authorization: Basic " + secret, "a huge token": "Authorization: Bearer " + strings.Repeat("x", 8000),
			} {
				t.Run(op.OperationID+" with "+name, func(t *testing.T) {
					a := s.send(t, method, "/api/v1"+strings.NewReplacer("{", "", "}", "").Replace(path), "", header)
					if path == "/version" {
						if a.status != http.StatusOK {
							t.Errorf("got %d", a.status)
						}
						return
					}
					wantProblemCode(t, a, http.StatusUnauthorized, "unauthenticated")
					if a.header.Get("WWW-Authenticate") != "Bearer" {
						t.Errorf("WWW-Authenticate = %q", a.header.Get("WWW-Authenticate"))
					}
				})
			}
		}
	}
	t.Run("what is not there tells strangers nothing", func(t *testing.T) {
		wantProblemCode(t, s.send(t, "GET", "/api/v1/nothing", "", "Authorization:"), http.StatusUnauthorized, "unauthenticated")
	})
}

func TestARevokedTokenLetsNobodyIn(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		tokens, err := s.Access.Tokens(t.Context(), ipam.Everything, nil, ipam.Page{Limit: 100})
		if err != nil || len(tokens) != 1 {
			t.Fatal(tokens, err)
		}
		get[api.ScopePage](t, s, "/scopes")
		if err := s.Access.RevokeToken(t.Context(), actor, tokens[0].ID); err != nil {
			t.Fatal(err)
		}
		wantProblemCode(t, s.send(t, "GET", "/api/v1/scopes", ""), http.StatusUnauthorized, "unauthenticated")
	})
}

func TestETags(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"p","cidr":"10.0.0.0/24"}`)
		a := post[api.Allocation](t, s, "/allocations", `{"pool":"p","name":"a","prefix_length":28}`)
		post[api.Scope](t, s, "/scopes", `{"name":"s"}`)
		for _, path := range []string{"/pools/p", "/allocations/" + a.ID, "/scopes/s"} {
			path := "/api/v1" + path
			tag := s.send(t, "GET", path, "").header.Get("ETag")
			if !strings.HasSuffix(tag, `.1"`) {
				t.Errorf("%s: ETag = %s", path, tag)
			}
			wantProblemCode(t, s.send(t, "PATCH", path, `{"description":"x"}`), http.StatusPreconditionRequired, "precondition_required")
			changed := s.send(t, "PATCH", path, `{"description":"x"}`, "If-Match: "+tag)
			if changed.status != http.StatusOK || changed.header.Get("ETag") != strings.Replace(tag, `.1"`, `.2"`, 1) {
				t.Errorf("%s: %d %s", path, changed.status, changed.header.Get("ETag"))
			}
			wantProblemCode(t, s.send(t, "PATCH", path, `{"description":"y"}`, "If-Match: "+tag), http.StatusPreconditionFailed, "precondition_failed")
			wantProblemCode(t, s.send(t, "DELETE", path, "", "If-Match: "+tag), http.StatusPreconditionFailed, "precondition_failed")
		}
		for _, path := range []string{"/allocations/" + a.ID, "/pools/p", "/scopes/s"} {
			if gone := s.send(t, "DELETE", "/api/v1"+path, "", `If-Match: "v2"`); gone.status != http.StatusNoContent || gone.body != "" {
				t.Errorf("%s: %d %s", path, gone.status, gone.body)
			}
			wantProblemCode(t, s.send(t, "GET", "/api/v1"+path, ""), http.StatusNotFound, "not_found")
		}
	})
}

func TestIdempotencyKeys(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		key := "Idempotency-Key: key-of-this-request"
		post[api.Pool](t, s, "/pools", `{"name":"p","cidr":"10.0.0.0/24"}`)
		body := `{"pool":"p","name":"a","prefix_length":28,"labels":{"k":"v"}}`
		first := s.send(t, "POST", "/api/v1/allocations", body, key)
		before := s.events(t)
		again := s.send(t, "POST", "/api/v1/allocations", body, key)
		if first.status != 201 || again.status != 201 || again.body != first.body || again.header.Get("ETag") != first.header.Get("ETag") {
			t.Errorf("first %d %s\nagain %d %s", first.status, first.body, again.status, again.body)
		}
		if first.header.Get("Idempotency-Replayed") != "" || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("replayed: %q, %q", first.header.Get("Idempotency-Replayed"), again.header.Get("Idempotency-Replayed"))
		}
		wantProblemCode(t, s.send(t, "POST", "/api/v1/allocations", `{"pool":"p","name":"b","prefix_length":28}`, key), http.StatusUnprocessableEntity, "idempotency_mismatch")
		if after := s.events(t); after != before {
			t.Errorf("the retries left %d events", after-before)
		}
		path := "/api/v1/allocations/" + decode[api.Allocation](t, first).ID
		for _, replayed := range []string{"", "true"} {
			a := s.send(t, "DELETE", path, "", "Idempotency-Key: key-of-the-release")
			if a.status != http.StatusNoContent || a.header.Get("Idempotency-Replayed") != replayed {
				t.Errorf("release: %d, replayed %q, want %q", a.status, a.header.Get("Idempotency-Replayed"), replayed)
			}
		}
		wantProblemCode(t, s.send(t, "DELETE", path, "", "Idempotency-Key: key-of-another-release"), http.StatusNotFound, "not_found")
	})
}

func TestConflictsSayWhatToDo(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"p","cidr":"10.0.0.0/28","deletion_protection":true}`)
		post[api.Pool](t, s, "/pools", `{"name":"roomy","cidr":"10.1.0.0/16","min_prefix_length":20,"max_prefix_length":28}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"p","name":"a","prefix_length":29}`)
		send := func(body string) answer { return s.send(t, "POST", "/api/v1/allocations", body) }
		full := wantProblemCode(t, send(`{"pool":"p","name":"b","prefix_length":28}`), http.StatusConflict, "pool_exhausted")
		if full.LargestFreePrefixLength == nil || *full.LargestFreePrefixLength != 29 || full.NearestPool == nil || *full.NearestPool != "roomy" {
			t.Errorf("problem = %+v", full)
		}
		taken := wantProblemCode(t, send(`{"pool":"p","name":"b","cidr":"10.0.0.0/30"}`), http.StatusConflict, "cidr_taken")
		if len(taken.Holders) != 1 || taken.Holders[0].Name != "a" || taken.Holders[0].CIDR != "10.0.0.0/29" || taken.Holders[0].Kind != "allocation" {
			t.Errorf("problem = %+v", taken)
		}
		wantProblemCode(t, send(`{"pool":"p","name":"a","prefix_length":30}`), http.StatusConflict, "name_taken")
		wantProblemCode(t, send(`{"pool":"roomy","name":"b","prefix_length":29}`), http.StatusConflict, "policy_violation")
		remove := func(path string) answer { return s.send(t, "DELETE", "/api/v1"+path, "", `If-Match: "v1"`) }
		wantProblemCode(t, remove("/pools/p"), http.StatusConflict, "deletion_protected")
		if got := wantProblemCode(t, remove("/scopes/default"), http.StatusBadRequest, "invalid"); got.Errors[0].Pointer != "path:scope" {
			t.Errorf("problem = %+v", got)
		}
		post[api.Allocation](t, s, "/allocations", `{"pool":"roomy","name":"b","prefix_length":28}`)
		if got := wantProblemCode(t, remove("/pools/roomy"), http.StatusConflict, "pool_not_empty"); len(got.Holders) != 1 {
			t.Errorf("problem = %+v", got)
		}
		post[api.Scope](t, s, "/scopes", `{"name":"s"}`)
		post[api.Pool](t, s, "/pools", `{"scope":"s","name":"x","cidr":"10.0.0.0/8"}`)
		wantProblemCode(t, remove("/scopes/s"), http.StatusConflict, "scope_not_empty")
	})
}

func TestAPatchClearsWhatIsNull(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"p","cidr":"10.0.0.0/16","min_prefix_length":20,"default_prefix_length":24,"owner":"net","labels":{"a":"b"}}`)
		a := s.send(t, "PATCH", "/api/v1/pools/p", `{"min_prefix_length":null,"owner":"","labels":{}}`, `If-Match: "v1"`)
		got := decode[api.Pool](t, a)
		if a.status != 200 || got.MinPrefixLength != nil || got.Owner != "" || len(got.Labels) != 0 || got.DefaultPrefixLength == nil || *got.DefaultPrefixLength != 24 {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestXForwardedForIsNotBelieved(t *testing.T) {
	s := serve(t, storetest.SQLite(t))
	s.send(t, "GET", "/api/v1/scopes", "", "X-Forwarded-For: 203.0.113.77", "X-Real-Ip: 203.0.113.77")
	if log := s.log.String(); strings.Contains(log, "203.0.113.77") || !strings.Contains(log, `"remote":"127.0.0.1"`) {
		t.Errorf("log = %s", log)
	}
}

func TestSecretsAreNotLogged(t *testing.T) {
	s := serve(t, storetest.SQLite(t))
	s.send(t, "GET", "/api/v1/scopes", "")
	s.send(t, "GET", "/api/v1/scopes", "", "Authorization: Bearer wrong-secret-0123456789")
	if log := s.log.String(); strings.Contains(log, secret) || strings.Contains(log, "wrong-secret") || !strings.Contains(log, `"actor":"token:bootstrap"`) {
		t.Errorf("log = %s", log)
	}
}

func TestRequestIDs(t *testing.T) {
	s := serve(t, storetest.SQLite(t))
	for given, kept := range map[string]bool{"client-chosen-1": true, "short": false, "with space and more": false, strings.Repeat("x", 65): false} {
		if got := s.send(t, "GET", "/api/v1/version", "", "X-Request-Id: "+given).header.Get("X-Request-Id"); (got == given) != kept {
			t.Errorf("%q became %q", given, got)
		}
	}
	s.send(t, "POST", "/api/v1/scopes", `{"name":"traced"}`, "X-Request-Id: client-chosen-2")
	if e := get[api.EventPage](t, s, "/events?object=traced").Items; len(e) != 1 || e[0].RequestID != "client-chosen-2" || e[0].Actor != "token:bootstrap" {
		t.Errorf("events = %+v", e)
	}
}
