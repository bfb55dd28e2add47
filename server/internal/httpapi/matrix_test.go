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
