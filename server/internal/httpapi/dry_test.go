package httpapi_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

// judged are those whose items each have a verdict of their own, which here is a refusal.
var judged = []string{"decideApprovals", "answerDrifts"}

// tells are the operations that cannot be tried: a message, a look, a secret.
var tells = []string{"syncAccount", "checkAccount", "testWebhook", "createWebhook", "rotateWebhookSecret", "createToken"}

// Every operation that changes something is tried: it answers as if it had, and nothing has changed.
func TestADryRunAnswersAndLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Scope](t, s, "/scopes", `{"name":"mine"}`)
		post[api.Pool](t, s, "/pools", `{"scope":"mine","name":"top","cidr":"10.0.0.0/8","quarantine_seconds":3600}`)
		post[api.Pool](t, s, "/pools", `{"scope":"mine","name":"team","parent":"mine.top","prefix_length":16}`)
		m := &matrix{t: t, lab: s}
		spec := contract(t)
		newest := func() string { return get[api.EventPage](t, s, "/events?limit=1").Items[0].ID }
		for _, path := range slices.Sorted(maps.Keys(spec.Paths.Map())) {
			for method, op := range spec.Paths.Value(path).Operations() {
				id := strings.ToLower(op.OperationID[:1]) + op.OperationID[1:]
				if method == http.MethodGet || id == "deleteScope" { // which is not empty
					continue
				}
				path, body := asks[id].of(m, own)
				before := newest()
				a := s.send(t, method, "/api/v1"+path, body, "If-Match: *", "Cloudpam-Dry-Run: true", "Idempotency-Key: dry-run-"+m.name())
				switch {
				case slices.Contains(tells, id):
					if a.status != http.StatusBadRequest || !strings.Contains(a.body, "cannot be tried without an effect") {
						t.Errorf("%s is tried: %d %s", id, a.status, a.body)
					}
				case slices.Contains(judged, id):
					if a.status != http.StatusOK || a.header.Get("Cloudpam-Dry-Run") != "true" {
						t.Errorf("a dry run of %s answers %d %s", id, a.status, a.body)
					}
				case a.status >= 300 || strings.Contains(a.body, `"problem"`) || a.header.Get("Cloudpam-Dry-Run") != "true":
					t.Errorf("a dry run of %s answers %d %s", id, a.status, a.body)
				}
				if after := newest(); after != before {
					t.Errorf("a dry run of %s has the event %s", id, after)
				}
			}
		}
		// The same code refuses, and what is tried under a key may be done under it.
		a := s.send(t, "PUT", "/api/v1/pools/mine.team/policy", walked, "Cloudpam-Dry-Run: true", "If-Match: *", "Idempotency-Key: again-and-again")
		if b := s.send(t, "PUT", "/api/v1/pools/mine.team/policy", walked, "If-Match: *", "Idempotency-Key: again-and-again"); a.status != http.StatusOK || b.status != http.StatusOK || b.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("tried: %d %s; done: %d %s", a.status, a.body, b.status, b.body)
		}
		if a := s.send(t, "POST", "/api/v1/allocations", `{"pool":"mine.team","name":"x","prefix_length":24}`, "Cloudpam-Dry-Run: true"); a.status != http.StatusConflict || !strings.Contains(a.body, "policy_violation") {
			t.Errorf("a dry run of what a policy forbids answers %d %s", a.status, a.body)
		}
		if a := s.send(t, "GET", "/api/v1/scopes", "", "Cloudpam-Dry-Run: maybe"); a.status != http.StatusBadRequest {
			t.Errorf("a choice that is none answers %d", a.status)
		}
		s.events(t)
	})
}
