package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// target is whose object a request is about.
type target struct{ name, scope, pool string }

var (
	own     = target{"own", "mine", "mine.team"}
	sibling = target{"sibling", "mine", "mine.other"}
	foreign = target{"foreign", "theirs", "theirs.top"}
	missing = target{"missing", "nobody", "mine.none"}
)

// reach is what kind of place an operation is judged in.
type reach int

const (
	inPool          reach = iota // seen where the pool is
	inScope                      // seen by whoever sees anything of the scope
	ofScope                      // seen by whoever sees the scope
	everywhere                   // takes the role everywhere
	overAll                      // seen as the scope is, and takes the role everywhere
	adminEverywhere              // seen by who is admin everywhere, and by nobody else: what is somebody else's own
	whoseOwn                     // seen as the pool is, and for who asked only
	persons                      // seen as the pool is, and for people only, of whom no token is one
	admins                       // seen by admins of the place, and by nobody else
	scopeAdmins                  // seen by admins of the scope, and by nobody else
	allSeen                      // seen by who sees everything, and by nobody else: what is somebody else's own
	anybody                      // a list, or what is about the caller: never refused
)

// ask is how an operation of the contract is asked about a target: the path under /api/v1 and a body. What it is about, the first
// token makes for it.
type ask struct {
	reach reach
	of    func(m *matrix, at target) (path, body string)
}

func listing(path string) ask {
	return ask{anybody, func(*matrix, target) (string, string) { return path, "" }}
}

func about(r reach, path, body string) ask {
	return ask{r, func(m *matrix, at target) (string, string) {
		fill := strings.NewReplacer("$pool", at.pool, "$scope", at.scope, "$n", m.name()).Replace
		return fill(path), fill(body)
	}}
}

// object is an operation on an object that is made first.
func object(r reach, make, made, path, body string) ask {
	return ask{r, func(m *matrix, at target) (string, string) {
		return strings.Replace(path, "$id", m.make(at, make, made), 1), body
	}}
}

const (
	anAllocation = `{"pool":"$pool","name":"$n","prefix_length":30}`
	aSet         = `{"pool":"$pool","name":"$n","members":{"a":{"prefix_length":30}}}`
	aReservation = `{"pool":"$pool","reason":"$n","prefix_length":30}`
	aPool        = `{"scope":"$scope","name":"$n","parent":"$pool","prefix_length":28}`
	aDraft       = `{"pool":` + aPool + `}`
	anAccount    = `{"scope":"$scope","cloud":"custom","external_id":"$n","name":"$n"}`
	aToken       = `{"name":"$n","bindings":[{"role":"viewer","pool":"$pool"}]}`
	aScope       = `{"name":"$n"}`
	aPolicy      = `{"rules":{"max_owner_share_percent":100}}`
	aWebhook     = `{"name":"$n","scope":"$scope","url":"http://127.0.0.1:9/","enabled":false}`
)

// governed is an operation on the policy of a pool, which has one.
func governed(path string) ask {
	return ask{inPool, func(m *matrix, at target) (string, string) {
		path := "/pools/" + at.pool + path
		if at != missing {
			m.send(m.t, "PUT", "/api/v1"+path, aPolicy)
		}
		return path, ""
	}}
}

// asks are all operations of the contract that take a token: one that is not here fails the test.
var asks = map[string]ask{
	"listScopes": listing("/scopes"), "listPools": listing("/pools"), "listAllocations": listing("/allocations"), "listAllocationSets": listing("/allocation-sets"),
	"listReservations": listing("/reservations"), "listAccounts": listing("/accounts"), "listHolds": listing("/holds"), "listDrafts": listing("/pool-drafts"),
	"listPrefixes": listing("/prefixes"), "listEvents": listing("/events?limit=1000"), "listTokens": listing("/tokens"), "listBindings": listing("/bindings"), "getMe": listing("/principals/me"),

	"createScope": about(everywhere, "/scopes", aScope),
	"getScope":    about(inScope, "/scopes/$scope", ""),
	"getPoolTree": about(inScope, "/pool-tree?scope=$scope", ""),
	"updateScope": about(ofScopeSeen, "/scopes/$scope", `{"description":"$n"}`),
	"deleteScope": about(overAll, "/scopes/$scope", ""),

	"createPool": about(inPool, "/pools", aPool), "draftPool": about(inPool, "/pool-drafts", aDraft),
	"getPool": about(inPool, "/pools/$pool", ""), "listPoolSpace": about(inPool, "/pools/$pool/space", ""), "getPoolUtilization": about(inPool, "/pools/$pool/utilization", ""),
	"listFreeBlocks": about(inPool, "/pools/$pool/free-blocks", ""), "updatePool": about(inPool, "/pools/$pool", `{"description":"$n"}`),
	"previewPool": about(inPool, "/pools/$pool/preview", `{"description":"$n"}`), "planPool": about(inPool, "/pools/$pool/plan", `{"change":{"description":"$n"},"holder":"ws"}`),
	"deletePool": object(inPool, "/pools", aPool, "/pools/$id", ""), "releaseDraft": object(inPool, "/pool-drafts", aDraft, "/pool-drafts/$id", ""),

	"createAllocation": about(inPool, "/allocations", anAllocation), "placeHold": about(inPool, "/holds", anAllocation),
	"placeHolds": about(inPool, "/hold-batches", `{"items":[{"hold":`+anAllocation+`}]}`), "placeSetHolds": about(inPool, "/allocation-set-holds", aSet),
	"createAllocationSet": about(inPool, "/allocation-sets", aSet), "createReservation": about(inPool, "/reservations", aReservation),
	"getAllocation":        object(inPool, "/allocations", anAllocation, "/allocations/$id", ""),
	"updateAllocation":     object(inPool, "/allocations", anAllocation, "/allocations/$id", `{"owner":"x"}`),
	"previewAllocation":    object(inPool, "/allocations", anAllocation, "/allocations/$id/preview", `{"owner":"x"}`),
	"releaseAllocation":    object(inPool, "/allocations", anAllocation, "/allocations/$id", ""),
	"getAllocationSet":     object(inPool, "/allocation-sets", aSet, "/allocation-sets/$id", ""),
	"updateAllocationSet":  object(inPool, "/allocation-sets", aSet, "/allocation-sets/$id", `{"owner":"x"}`),
	"releaseAllocationSet": object(inPool, "/allocation-sets", aSet, "/allocation-sets/$id", ""),
	"getReservation":       object(inPool, "/reservations", aReservation, "/reservations/$id", ""),
	"updateReservation":    object(inPool, "/reservations", aReservation, "/reservations/$id", `{"owner":"x"}`),
	"releaseReservation":   object(inPool, "/reservations", aReservation, "/reservations/$id", ""),
	"getHold":              object(inPool, "/holds", anAllocation, "/holds/$id", ""),
	"releaseHold":          object(inPool, "/holds", anAllocation, "/holds/$id", ""),

	"createAccount":    about(everywhere, "/accounts", strings.Replace(anAccount, "$scope", "mine", 1)),
	"getAccount":       object(ofScope, "/accounts", anAccount, "/accounts/$id", ""),
	"updateAccount":    object(ofScope, "/accounts", anAccount, "/accounts/$id", `{"owner":"x"}`),
	"getAccountSync":   object(ofScope, "/accounts", anAccount, "/accounts/$id/sync", ""),
	"syncAccount":      object(ofScope, "/accounts", anAccount, "/accounts/$id/sync", `{}`),
	"checkAccount":     object(ofScope, "/accounts", anAccount, "/accounts/$id/check", ""),
	"listObservations": listing("/observations"),
	"getTerraformModules": {ofScope, func(m *matrix, at target) (string, string) {
		return "/terraform-modules?account=" + m.make(at, "/accounts", anAccount), ""
	}},
	"adoptObservations": {ofScope, func(m *matrix, at target) (string, string) {
		return "/adoptions", strings.Replace(`{"account":"$id","dry_run":true}`, "$id", m.make(at, "/accounts", anAccount), 1)
	}},
	"getRestoration": listing("/restoration"), "endRestoration": about(everywhere, "/restoration", ""),
	"listImports": listing("/imports"),
	"createImport": {inPool, func(m *matrix, at target) (string, string) {
		text := "pool,name,prefix_length\n" + at.pool + "," + m.name() + ",28\n"
		return "/imports", asFile(m.t, "allocations", text, m.tried(m.t, "allocations", text).Digest, nil)
	}},
	"getImport":        {allSeen, func(m *matrix, at target) (string, string) { return "/imports/" + m.imported(at), "" }},
	"undoImport":       {allSeen, func(m *matrix, at target) (string, string) { return "/imports/" + m.imported(at) + "/undo", "" }},
	"listNetworks":     listing("/networks"),
	"answerDrifts":     about(ofScope, "/drift-answers", `{"scope":"$scope","answer":"see","ids":["drift_1"]}`),
	"listDriftHistory": about(ofScope, "/drift-history?scope=$scope", ""),
	"getDriftRules":    listing("/drift-rules"), "setDriftRules": about(everywhere, "/drift-rules", `{"rules":[]}`),
	"previewDriftRules": about(ofScope, "/drift-rules/preview?scope=$scope", `{"rules":[]}`),
	"joinStates":        about(anybody, "/state-joins", `{"states":[]}`),
	"listDrifts":        about(ofScope, "/drifts?scope=$scope", ""),
	"deleteAccount":     object(ofScope, "/accounts", anAccount, "/accounts/$id", ""),

	"getPrefixSet":   listing("/prefix-set?label=k%3Dv&scope=mine"),
	"search":         listing("/search?q=mine+team"),
	"getUtilization": about(inPool, "/analytics/utilization?pool=$pool", ""), "getSpace": about(inPool, "/analytics/space?by=owner&pool=$pool", ""),
	"getRunway": about(inPool, "/analytics/runway?pool=$pool", ""), "getEndings": about(inPool, "/analytics/endings?pool=$pool", ""),
	"getCreations": about(inPool, "/analytics/creations?pool=$pool", ""), "getFreeClasses": about(inPool, "/analytics/free-blocks?pool=$pool", ""),

	"listQuarantines": listing("/quarantines"), "listWebhooks": listing("/webhooks"),
	"exportEvents": listing("/events/export"), "getHistory": listing("/history?within=10.0.0.0/8"), "listSeals": listing("/seals"),
	"restoreAllocation": {inPool, func(m *matrix, at target) (string, string) { return "/allocations/" + m.released(at) + "/restore", "" }},
	"getQuarantine":     {inPool, func(m *matrix, at target) (string, string) { return "/quarantines/" + m.quarantine(at), "" }},
	"endQuarantine":     {inPool, func(m *matrix, at target) (string, string) { return "/quarantines/" + m.quarantine(at), "" }},

	"listApprovals":    listing("/approvals"),
	"getApproval":      {inPool, func(m *matrix, at target) (string, string) { return "/approvals/" + m.approval(at), "" }},
	"withdrawApproval": {whoseOwn, func(m *matrix, at target) (string, string) { return "/approvals/" + m.approval(at), "" }},
	"decideApprovals": {persons, func(m *matrix, at target) (string, string) {
		return "/approval-decisions", `{"decisions":[{"approval":"` + m.approval(at) + `","digest":"x","decision":"approve"}]}`
	}},

	"getPolicy": governed("/policy"), "setPolicy": about(inPool, "/pools/$pool/policy", aPolicy), "deletePolicy": governed("/policy"),
	"getEffectivePolicy": about(inPool, "/pools/$pool/policy/effective", ""), "listPolicyViolations": about(inPool, "/pools/$pool/policy/violations", ""),

	"createWebhook":       about(ofScopeSeen, "/webhooks", aWebhook),
	"getWebhook":          object(scopeAdmins, "/webhooks", aWebhook, "/webhooks/$id", ""),
	"updateWebhook":       object(scopeAdmins, "/webhooks", aWebhook, "/webhooks/$id", `{"description":"x"}`),
	"deleteWebhook":       object(scopeAdmins, "/webhooks", aWebhook, "/webhooks/$id", ""),
	"rotateWebhookSecret": object(scopeAdmins, "/webhooks", aWebhook, "/webhooks/$id/secrets", "{}"),
	"testWebhook":         object(scopeAdmins, "/webhooks", aWebhook, "/webhooks/$id/tests", ""),
	"listDeliveries":      object(scopeAdmins, "/webhooks", aWebhook, "/webhooks/$id/deliveries", ""),
	"replayWebhook":       object(scopeAdmins, "/webhooks", aWebhook, "/webhooks/$id/replays", `{"since":"2020-01-01T00:00:00Z"}`),

	"createToken":   about(inPool, "/tokens", aToken),
	"revokeToken":   object(admins, "/tokens", aToken, "/tokens/$id", ""),
	"createBinding": {admins, func(m *matrix, at target) (string, string) { return "/bindings", m.bindingBody(at) }},
	"getBinding":    {admins, func(m *matrix, at target) (string, string) { return "/bindings/" + m.binding(at), "" }},
	"listSessions":  listing("/sessions"),
	"endSession":    {adminEverywhere, func(m *matrix, at target) (string, string) { return "/sessions/" + m.session(at), "" }},
	"deleteBinding": {admins, func(m *matrix, at target) (string, string) { return "/bindings/" + m.binding(at), "" }},
}

// ofScopeSeen is a change of a scope: whoever sees anything of it reads it, and only a role of the scope reaches it.
const ofScopeSeen reach = 100

// matrix makes what operations are about.
type matrix struct {
	t testing.TB
	lab
	n int
}

func (m *matrix) name() string {
	m.n++
	return fmt.Sprintf("n%d", m.n)
}

// make makes an object of a target, and answers its id; of what is missing it makes one up.
func (m *matrix) make(at target, path, body string) string {
	if at == missing {
		words := map[string]string{"/allocations": "alloc", "/allocation-sets": "set", "/reservations": "rsv", "/holds": "hold", "/tokens": "token", "/webhooks": "webhook"}
		if word := words[path]; word != "" {
			return string(ipam.NewUID(word))
		}
		return map[string]string{"/pools": "mine.none", "/pool-drafts": "mine.none", "/accounts": "custom:none"}[path]
	}
	made := post[map[string]any](m.t, m.lab, path, strings.NewReplacer("$pool", at.pool, "$scope", at.scope, "$n", m.name()).Replace(body))
	for _, with := range []string{"token", "webhook"} { // and its secret
		if it, is := made[with].(map[string]any); is {
			made = it
		}
	}
	return fmt.Sprint(made["id"])
}

// imported is the id of an import of one allocation.
func (m *matrix) imported(at target) string {
	if at == missing {
		return string(ipam.NewUID("import"))
	}
	return m.imports(m.t, "allocations", "pool,name,prefix_length\n"+at.pool+","+m.name()+",28\n").ID
}

// released is the id of an allocation that is in quarantine.
func (m *matrix) released(at target) string {
	id := m.make(at, "/allocations", anAllocation)
	if at != missing {
		m.send(m.t, "DELETE", "/api/v1/allocations/"+id, "")
	}
	return id
}

func (m *matrix) quarantine(at target) string {
	if at == missing {
		return string(ipam.NewUID("quarantine"))
	}
	return get[api.QuarantinePage](m.t, m.lab, "/quarantines?allocation="+m.released(at)).Items[0].ID
}

// approval is a request in a pool that asks for one, which then has another policy.
func (m *matrix) approval(at target) string {
	if at == missing {
		return string(ipam.NewUID("approval"))
	}
	path := "/api/v1/pools/" + at.pool + "/policy"
	m.send(m.t, "PUT", path, `{"rules":{"approval_above":31}}`, "If-Match: *")
	a := m.send(m.t, "POST", "/api/v1/allocations", strings.NewReplacer("$pool", at.pool, "$n", m.name()).Replace(anAllocation))
	m.send(m.t, "DELETE", path, "", "If-Match: *")
	return wantProblemCode(m.t, a, http.StatusConflict, "approval_required").Approval.ID
}

// bindingBody asks for a role of a token that may do something at the target already.
func (m *matrix) bindingBody(at target) string {
	if at == missing {
		return fmt.Sprintf(`{"principal":%q,"role":"viewer","pool":"mine.none"}`, ipam.NewUID("principal"))
	}
	made := post[api.CreatedToken](m.t, m.lab, "/tokens", strings.NewReplacer("$pool", at.pool, "$n", m.name()).Replace(aToken))
	return fmt.Sprintf(`{"principal":%q,"role":"operator","pool":%q}`, made.Token.Principal, at.pool)
}

// session is one of the first token's.
func (m *matrix) session(at target) string {
	if at == missing {
		return string(ipam.NewUID("session"))
	}
	first, err := m.Access.Authenticate(m.t.Context(), netip.Addr{}, secret)
	if err != nil {
		m.t.Fatal(err)
	}
	s, _, err := m.Access.OpenSession(m.t.Context(), first)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(s.ID)
}

func (m *matrix) binding(at target) string {
	if at == missing {
		return string(ipam.NewUID("binding"))
	}
	return post[api.CreatedToken](m.t, m.lab, "/tokens", strings.NewReplacer("$pool", at.pool, "$n", m.name()).Replace(aToken)).Token.Bindings[0].ID
}

// wanted is the status that a caller of a role in a place gets: 200 stands for whatever is no refusal of access.
func wanted(op ask, need, has ipam.Role, place string, at target) int {
	inPlace := map[string]bool{"everywhere": at != missing, "scope": at == own || at == sibling, "pool": at == own}[place]
	readsScope := inPlace || place == "pool" && at == sibling
	status := func(sees, may bool) int {
		switch {
		case !sees:
			return http.StatusNotFound
		case !may || !has.Includes(need):
			return http.StatusForbidden
		}
		return http.StatusOK
	}
	switch op.reach {
	case inPool:
		return status(inPlace, true)
	case inScope:
		return status(readsScope, true)
	case ofScopeSeen:
		return status(readsScope, place != "pool")
	case ofScope:
		return status(inPlace && place != "pool", true)
	case everywhere:
		return status(true, place == "everywhere")
	case overAll:
		return status(readsScope, place == "everywhere")
	case scopeAdmins:
		return status(inPlace && place != "pool" && has.Includes(need), true)
	case allSeen:
		return status(place == "everywhere" && at != missing, true)
	case adminEverywhere:
		return status(place == "everywhere" && has == ipam.Admin && at != missing, true)
	case whoseOwn, persons:
		return status(inPlace, false)
	case admins:
		return status(inPlace && has.Includes(need), true)
	}
	return http.StatusOK
}

// Every operation of the contract is asked by each role in each place about what is its own, beside it, another scope's and nobody's.
func TestEveryOperationIsOpenToTheRolesThatTheContractSaysAndNoOther(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Scope](t, s, "/scopes", `{"name":"mine"}`)
		post[api.Scope](t, s, "/scopes", `{"name":"theirs"}`)
		for _, p := range []string{
			`{"scope":"mine","name":"top","cidr":"10.0.0.0/8","quarantine_seconds":3600}`, `{"scope":"mine","name":"team","parent":"mine.top","prefix_length":16}`,
			`{"scope":"mine","name":"other","parent":"mine.top","prefix_length":16}`, `{"scope":"theirs","name":"top","cidr":"10.0.0.0/8","quarantine_seconds":3600}`,
		} {
			post[api.Pool](t, s, "/pools", p)
		}
		m := &matrix{t: t, lab: s}
		who := map[ipam.Role]map[string]string{}
		for _, role := range ipam.Roles {
			who[role] = map[string]string{
				"everywhere": s.as(t, ipam.NewBinding{Role: role}), "scope": s.as(t, ipam.NewBinding{Role: role, Scope: "mine"}), "pool": s.as(t, ipam.NewBinding{Role: role, Pool: "mine.team"}),
			}
		}
		asked, known := 0, map[string]bool{}
		spec := contract(t)
		for _, path := range slices.Sorted(maps.Keys(spec.Paths.Map())) {
			operations := spec.Paths.Value(path).Operations()
			for _, method := range slices.Sorted(maps.Keys(operations)) {
				id := operations[method].OperationID // as Go calls it
				id = strings.ToLower(id[:1]) + id[1:]
				permission, _ := operations[method].Extensions["x-permission"].(string)
				known[id] = true
				op, is := asks[id]
				if permission == "none" {
					continue
				}
				if !is {
					t.Errorf("the operation %s is not in the matrix: say in asks how it is asked, and where it is judged", id)
					continue
				}
				for _, role := range ipam.Roles {
					for place, as := range who[role] {
						for _, at := range []target{own, sibling, foreign, missing} {
							if op.reach == anybody && at != own || op.reach == everywhere && at != own {
								continue // the request names no target
							}
							asked++
							m.try(id, method, op, access.Permissions[permission], role, place, as, at)
						}
					}
				}
			}
		}
		for id := range asks {
			if !known[id] {
				t.Errorf("there is no operation %s any more", id)
			}
		}
		t.Logf("%d requests", asked)
		s.events(t)
	})
}

func (m *matrix) try(id, method string, op ask, need, role ipam.Role, place, as string, at target) {
	m.t.Helper()
	if id == "deleteScope" && place == "everywhere" && role == ipam.Admin && at != missing {
		return // it would be gone, or not empty
	}
	path, body := op.of(m, at)
	a := m.send(m.t, method, "/api/v1"+path, body, as, "If-Match: *")
	got := a.status
	if id == "placeHolds" && got == http.StatusOK { // each item has a status of its own
		if p := decode[api.HoldBatch](m.t, a).Items[0].Problem; p != nil {
			got = p.Status
		}
	}
	if id == "decideApprovals" && got == http.StatusOK {
		if p := decode[api.Decisions](m.t, a).Items[0].Problem; p != nil {
			got = p.Status
		}
	}
	want := wanted(op, need, role, place, at)
	var p api.Problem
	_ = json.Unmarshal([]byte(a.body), &p)
	switch {
	case got >= 200 && got < 300:
		got = http.StatusOK
	case got == http.StatusBadRequest && len(p.Errors) == 1 && p.Errors[0].Pointer == "/scope" && strings.Contains(p.Detail, "there is no scope"):
		got = http.StatusNotFound // a scope that a body names
	}
	if got != want {
		m.t.Errorf("%s by a token that is %s of %s, about what is %s: %d, want %d: %s", id, role, map[string]string{"pool": "mine.team", "scope": "mine", "everywhere": "everything"}[place], at.name, got, want, a.body)
	}
	for _, secret := range map[string][]string{"scope": {"theirs"}, "pool": {"theirs", "mine.other"}}[place] {
		if !strings.Contains(path+body, secret) && strings.Contains(a.body, secret) {
			m.t.Errorf("%s by a token that is %s of its %s tells of %q: %s", id, role, place, secret, a.body)
		}
	}
}
