package httpapi_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

// door is how an operation that is no plain read stands to the policy of a pool: a request that breaks it, or why none can.
type door struct {
	none string // why no policy is about it
	// try answers a path and a body that the pool's policy forbids, and that nothing else does. What it is about is made before there
	// is a policy.
	try func(m *matrix, pool string) (path, body string)
}

func no(why string) door { return door{none: why} }

func breaks(path, body string) door {
	return door{try: func(m *matrix, pool string) (string, string) {
		fill := strings.NewReplacer("$pool", pool, "$n", m.name()).Replace
		return fill(path), fill(body)
	}}
}

// onObject is a request about something of the pool that is made first.
func onObject(make, made, path, body string) door {
	return door{try: func(m *matrix, pool string) (string, string) {
		id := m.make(target{pool: pool, scope: "default"}, make, made)
		return strings.Replace(path, "$id", id, 1), strings.NewReplacer("$pool", pool, "$n", m.name()).Replace(body)
	}}
}

const (
	aLarge = `{"pool":"$pool","name":"$n","prefix_length":24}`
	aChild = `{"name":"$n","parent":"$pool","prefix_length":28}`
	aBig   = `{"name":"$n","parent":"$pool","prefix_length":24}`
)

// The policy of the walk: no allocation and no pool is larger than a /26.
const walked = `{"rules":{"min_prefix_length":26,"pool_min_prefix_length":26}}`

var doors = map[string]door{
	"createPool":  breaks("/pools", aBig),
	"updatePool":  onObject("/pools", aChild, "/pools/$id", `{"prefix_length":24}`),
	"previewPool": onObject("/pools", aChild, "/pools/$id/preview", `{"prefix_length":24}`), "planPool": onObject("/pools", aChild, "/pools/$id/plan", `{"change":{"prefix_length":24},"holder":"ws"}`),
	"draftPool":        breaks("/pool-drafts", `{"pool":`+aBig+`,"holder":"ws"}`),
	"createAllocation": breaks("/allocations", aLarge), "placeHold": breaks("/holds", aLarge), "placeHolds": breaks("/hold-batches", `{"items":[{"hold":`+aLarge+`}]}`),
	"updateAllocation":  onObject("/allocations", anAllocation, "/allocations/$id", `{"prefix_length":24}`),
	"previewAllocation": onObject("/allocations", anAllocation, "/allocations/$id/preview", `{"prefix_length":24}`),
	"restoreAllocation": {try: func(m *matrix, pool string) (string, string) {
		id := m.make(target{pool: pool}, "/allocations", aLarge)
		m.send(m.t, "DELETE", "/api/v1/allocations/"+id, "")
		return "/allocations/" + id + "/restore", ""
	}},
	"createImport": {try: func(m *matrix, pool string) (string, string) {
		text := "pool,name,prefix_length\n" + pool + "," + m.name() + ",24\n"
		return "/imports", asFile(m.t, "allocations", text, m.tried(m.t, "allocations", text).Digest, nil)
	}},
	"undoImport": {try: func(m *matrix, pool string) (string, string) {
		id := m.make(target{pool: pool}, "/allocations", aLarge)
		return "/imports/" + m.imports(m.t, "allocations", "id,prefix_length\n"+id+",28\n").ID + "/undo", ""
	}},
	"createAllocationSet": breaks("/allocation-sets", `{"pool":"$pool","name":"$n","members":{"a":{"prefix_length":24}}}`),
	"placeSetHolds":       breaks("/allocation-set-holds", `{"pool":"$pool","name":"$n","members":{"a":{"prefix_length":28},"b":{"prefix_length":24}}}`),
	"updateAllocationSet": onObject("/allocation-sets", aSet, "/allocation-sets/$id", `{"members":{"a":{"prefix_length":24}}}`),

	"adoptObservations": no("each block of it has a verdict of its own: TestAnAdoptionKeepsToPolicies"),

	"createReservation": no("it keeps a block out of use, and hands none out"), "updateReservation": no("its block stays"), "releaseReservation": no("it ends"),
	"deletePool": no("it ends"), "releaseAllocation": no("it ends"), "releaseAllocationSet": no("it ends"), "releaseHold": no("it ends"), "releaseDraft": no("it ends"), "endQuarantine": no("it ends"),
	"setPolicy": no("it is the policy"), "deletePolicy": no("it is the policy"),
	"createScope": no("it is around pools"), "updateScope": no("it is around pools"), "deleteScope": no("it is empty"),
	"createAccount": no("it is no space"), "updateAccount": no("it is no space"), "deleteAccount": no("it is no space"), "syncAccount": no("what clouds show is a fact"), "checkAccount": no("it changes nothing"),
	"answerDrifts": no("what it adopts has verdicts as an adoption has"), "setDriftRules": no("what they adopt has verdicts as an adoption has"), "previewDriftRules": no("it changes nothing"), "joinStates": no("it changes nothing"), "endRestoration": no("it hands nothing out"),
	"withdrawApproval": no("it ends"), "decideApprovals": no("who asked makes the change"),
	"createWebhook": no("it is no space"), "updateWebhook": no("it is no space"), "deleteWebhook": no("it is no space"), "rotateWebhookSecret": no("it is no space"), "testWebhook": no("it is no space"), "replayWebhook": no("it is no space"),
	"createToken": no("it is no space"), "endSession": no("it is no space"), "revokeToken": no("it is no space"), "createBinding": no("it is no space"), "deleteBinding": no("it is no space"),
}

// Every operation of the contract that is more than a look is walked: a new one fails until it is said here how it stands to policies.
func TestNoDoorLeadsPastAPolicy(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		m := &matrix{t: t, lab: s}
		known := map[string]bool{}
		spec := contract(t)
		for _, path := range slices.Sorted(maps.Keys(spec.Paths.Map())) {
			operations := spec.Paths.Value(path).Operations()
			for _, method := range slices.Sorted(maps.Keys(operations)) {
				id := operations[method].OperationID
				id = strings.ToLower(id[:1]) + id[1:]
				if method == http.MethodGet {
					continue
				}
				known[id] = true
				d, said := doors[id]
				if !said {
					t.Errorf("the operation %s is not walked: say in doors which request of it a policy refuses, or why none does", id)
					continue
				}
				if d.none == "" {
					m.walk(id, method, d)
				}
			}
		}
		for id := range doors {
			if !known[id] {
				t.Errorf("there is no operation %s any more", id)
			}
		}
		s.events(t)
	})
}

// walk asks twice, in two pools that differ in their policy only.
func (m *matrix) walk(id, method string, d door) {
	m.t.Helper()
	for _, governed := range []bool{false, true} {
		m.n++
		above, pool := fmt.Sprintf("above%d", m.n), fmt.Sprintf("in%d", m.n)
		post[api.Pool](m.t, m.lab, "/pools", fmt.Sprintf(`{"name":%q,"cidr":"10.%d.0.0/16","quarantine_seconds":3600}`, above, m.n))
		post[api.Pool](m.t, m.lab, "/pools", fmt.Sprintf(`{"name":%q,"parent":%q,"prefix_length":20}`, pool, above))
		path, body := d.try(m, pool)
		if governed {
			// On the pool around, so that what is inherited is walked too.
			if a := m.send(m.t, "PUT", "/api/v1/pools/"+above+"/policy", walked); a.status != http.StatusOK {
				m.t.Fatalf("set the policy: %d %s", a.status, a.body)
			}
		}
		a := m.send(m.t, method, "/api/v1"+path, body, "If-Match: *")
		refused := strings.Contains(a.body, `"code":"policy_violation"`)
		switch {
		case governed && (!refused || !strings.Contains(a.body, `"pool":"`+above+`"`)):
			m.t.Errorf("%s leads past the policy: %s %s %s: %d %s", id, method, path, body, a.status, a.body)
		case !governed && (refused || a.status >= 300):
			m.t.Errorf("%s is refused without a policy: %s %s %s: %d %s", id, method, path, body, a.status, a.body)
		}
	}
}

func TestAnAdoptionKeepsToPolicies(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.estate(t, 12)
		post[api.Pool](t, s, "/pools", `{"name":"top","cidr":"10.0.0.0/8"}`)
		if a := s.send(t, "PUT", "/api/v1/pools/top/policy", walked); a.status != http.StatusOK {
			t.Fatalf("set the policy: %d %s", a.status, a.body)
		}
		for cidr, verdict := range verdicts(post[api.Adoption](t, s, "/adoptions", wholeAccount)) {
			if verdict != "refused policy_violation" {
				t.Errorf("%s: %s", cidr, verdict)
			}
		}
	})
}

func TestAPolicyIsReadSetAndExplained(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/8"}`)
		post[api.Pool](t, s, "/pools", `{"name":"team","parent":"corp","prefix_length":16}`)
		old := post[api.Allocation](t, s, "/allocations", `{"pool":"team","name":"old","prefix_length":20}`)
		if a := s.send(t, "GET", "/api/v1/pools/corp/policy", ""); a.status != http.StatusNotFound || !strings.Contains(a.body, "has no policy of its own") {
			t.Errorf("a pool without a policy answers %d %s", a.status, a.body)
		}
		const asked = `{"rules":{"min_prefix_length":24,"max_prefix_length":28,"accounts":["aws:1"],"regions":["eu-west-1"],"environments":["prd"],"required_labels":{"team":["a"]},"owner_required":true,"name_pattern":"[a-z]+","exclude":["10.0.1.0/24"],"exclude_sets":["docker"],"usable_only":true,"skip_first":4,"max_owner_share_percent":50,"expression":"prefix_length > 0","expression_message":"no"}}`
		set := s.send(t, "PUT", "/api/v1/pools/corp/policy", asked)
		if set.status != http.StatusOK || set.header.Get("ETag") == "" {
			t.Fatalf("set: %d %s", set.status, set.body)
		}
		read := s.send(t, "GET", "/api/v1/pools/corp/policy", "")
		if read.body != set.body {
			t.Errorf("it was set as %s and is read as %s", set.body, read.body)
		}
		if !strings.Contains(read.body, `"name_pattern":"[a-z]+"`) || strings.Count(read.body, `":`) < strings.Count(asked, `":`) {
			t.Errorf("it lacks something that was set: %s", read.body)
		}
		if a := s.send(t, "PUT", "/api/v1/pools/corp/policy", asked); a.status != http.StatusPreconditionRequired {
			t.Errorf("it is replaced unseen: %d", a.status)
		}
		if a := s.send(t, "PUT", "/api/v1/pools/team/policy", `{"rules":{"min_prefix_length":20}}`); a.status != http.StatusBadRequest || !strings.Contains(a.body, "the policy of pool team would allow what the policy of pool corp forbids") {
			t.Errorf("a contradiction answers %d %s", a.status, a.body)
		}
		refused := s.send(t, "POST", "/api/v1/allocations", `{"pool":"team","name":"x","prefix_length":20}`)
		p := decode[api.Problem](t, refused)
		if p.Code != "policy_violation" || len(p.Violations) == 0 || p.Violations[0].Rule != "min_prefix_length" || p.Violations[0].Pool != "corp" || !strings.Contains(p.Violations[0].Detail, "use /24 to /28") {
			t.Errorf("a refusal is %s", refused.body)
		}
		if all := get[api.EffectivePolicy](t, s, "/pools/team/policy/effective"); len(all.Policies) != 1 || all.Policies[0].Pool != "corp" {
			t.Errorf("in team holds %v", all)
		}
		broken := get[api.PolicyViolationPage](t, s, "/pools/corp/policy/violations")
		if len(broken.Items) != 1 || broken.Items[0].ID != old.ID || broken.Items[0].Violations[0].Rule != "min_prefix_length" {
			t.Errorf("what breaks it is %v", broken)
		}
		meant := `{"pool":"team","name":"y","prefix_length":24,"meant_for":{"owner":"net","account":"aws:2","region":"eu-west-1","environment":"prd","labels":{"team":"a"}}}`
		if a := s.send(t, "POST", "/api/v1/holds", meant); a.status != http.StatusConflict || !strings.Contains(a.body, `account \"aws:2\" is not allowed by the policy of pool corp; use \"aws:1\"`) {
			t.Errorf("a plan is told %d %s", a.status, a.body)
		}
		if a := s.send(t, "POST", "/api/v1/holds", strings.Replace(meant, "aws:2", "aws:1", 1)); a.status != http.StatusOK {
			t.Errorf("a plan that is right is told %d %s", a.status, a.body)
		}
		if a := s.send(t, "DELETE", "/api/v1/pools/corp/policy", "", "If-Match: "+read.header.Get("ETag")); a.status != http.StatusNoContent {
			t.Errorf("delete: %d %s", a.status, a.body)
		}
	})
}
