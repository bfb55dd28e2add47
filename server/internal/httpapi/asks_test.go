package httpapi_test

import (
	"strings"
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
	"exportEvents": listing("/events/export"), "streamEvents": listing("/events/stream"), "getHistory": listing("/history?within=10.0.0.0/8"), "listSeals": listing("/seals"),
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
