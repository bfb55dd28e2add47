package httpapi_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
)

// givesUp are the ways to give up a block of a pool. Each makes what it is about first.
var givesUp = map[string]door{
	"releaseAllocation":                     onObject("/allocations", aLarge, "/allocations/$id", ""),
	"updateAllocation, smaller":             onObject("/allocations", aLarge, "/allocations/$id", `{"prefix_length":28}`),
	"releaseAllocationSet":                  onObject("/allocation-sets", aLargeSet, "/allocation-sets/$id", ""),
	"updateAllocationSet, without a key":    onObject("/allocation-sets", aLargeSet, "/allocation-sets/$id", `{"members":{"a":{"prefix_length":24}}}`),
	"updateAllocationSet, a smaller one":    onObject("/allocation-sets", aLargeSet, "/allocation-sets/$id", `{"members":{"a":{"prefix_length":28},"b":{"prefix_length":24}}}`),
	"deletePool":                            {try: func(_ *matrix, pool string) (string, string) { return "/pools/" + pool, "" }},
	"updatePool, smaller":                   {try: func(_ *matrix, pool string) (string, string) { return "/pools/" + pool, `{"prefix_length":22}` }},
	"endQuarantine":                         {try: endsEarly},
	"undoImport, of what it made":           {try: undoes},
	"createImport, which makes one smaller": {try: shrinksByFile},
}

const aLargeSet = `{"pool":"$pool","name":"$n","members":{"a":{"prefix_length":24},"b":{"prefix_length":24}}}`

func endsEarly(m *matrix, pool string) (string, string) {
	id := m.make(target{pool: pool}, "/allocations", aLarge)
	if a := m.send(m.t, "DELETE", "/api/v1/allocations/"+id, ""); a.status != http.StatusNoContent {
		m.t.Fatalf("release: %d %s", a.status, a.body)
	}
	return "/quarantines/" + get[api.QuarantinePage](m.t, m.lab, "/quarantines?pool="+pool).Items[0].ID, ""
}

func undoes(m *matrix, pool string) (string, string) {
	return "/imports/" + m.imports(m.t, "allocations", "pool,name,prefix_length\n"+pool+","+m.name()+",24\n").ID + "/undo", ""
}

func shrinksByFile(m *matrix, pool string) (string, string) {
	text := "id,prefix_length\n" + m.make(target{pool: pool}, "/allocations", aLarge) + ",28\n"
	return "/imports", asFile(m.t, "allocations", text, m.tried(m.t, "allocations", text).Digest, nil)
}

func TestABlockIsGivenUpOnlyOnceASecondPersonAllowsIt(t *testing.T) {
	inOffice(t, func(o office) {
		m := &matrix{t: t, lab: o.lab, n: 10}
		for _, what := range slices.Sorted(maps.Keys(givesUp)) {
			m.n++
			above, pool := fmt.Sprintf("above%d", m.n), fmt.Sprintf("in%d", m.n)
			post[api.Pool](t, o.lab, "/pools", fmt.Sprintf(`{"name":%q,"cidr":"11.%d.0.0/16","quarantine_seconds":3600}`, above, m.n))
			post[api.Pool](t, o.lab, "/pools", fmt.Sprintf(`{"name":%q,"parent":%q,"prefix_length":20}`, pool, above))
			path, body := givesUp[what].try(m, pool)
			o.govern(above, `{"release_approval_above":26}`)
			method := methodOf(t, what)
			before := o.standing(above)
			asked := o.asks(method, path, body, "If-Match: *")
			if again := o.asks(method, path, body, "If-Match: *"); again.ID != asked.ID {
				t.Errorf("%s: asked again, it is another request", what)
			}
			b := asked.Blocks[0]
			if b.Rule != "release_approval_above" || b.Above != 26 || b.Was == nil || b.ID == nil || b.PolicyPool != above {
				t.Errorf("%s is shown as %+v", what, b)
			}
			if now := o.standing(above); now != before {
				t.Errorf("%s is done before it is allowed:\n%s\nwas\n%s", what, now, before)
			}
			o.approves(o.person("eve", "admins"), asked)
			if a := o.send(t, method, "/api/v1"+path, body, "If-Match: *"); a.status >= 300 || o.standing(above) == before {
				t.Errorf("%s is allowed and fails: %d %s", what, a.status, a.body)
			}
			if s := o.status(asked); s != "used" {
				t.Errorf("%s: the request is %s", what, s)
			}
		}
	})
}

// methodOf is how the contract has an operation sent.
func methodOf(t *testing.T, what string) string {
	id, _, _ := strings.Cut(what, ",")
	for _, item := range contract(t).Paths.Map() {
		for method, op := range item.Operations() {
			if strings.EqualFold(op.OperationID, id) {
				return method
			}
		}
	}
	t.Fatalf("there is no operation %s", id)
	return ""
}

// standing is all that occupies a pool and those below it.
func (o office) standing(pool string) string {
	cidr := get[api.Pool](o.t, o.lab, "/pools/"+pool).CIDR
	return o.send(o.t, "GET", "/api/v1/allocations?within="+cidr, "").body + o.send(o.t, "GET", "/api/v1/pools?within="+cidr, "").body + o.send(o.t, "GET", "/api/v1/quarantines?within="+cidr, "").body
}

// Every operation of the contract is asked: none takes a block from who has it past an approval, whatever it is called.
func TestNoDoorGivesUpABlockPastAnApproval(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Scope](t, s, "/scopes", `{"name":"mine"}`)
		post[api.Pool](t, s, "/pools", `{"scope":"mine","name":"top","cidr":"10.0.0.0/8","quarantine_seconds":3600}`)
		post[api.Pool](t, s, "/pools", `{"scope":"mine","name":"team","parent":"mine.top","prefix_length":16}`)
		m := &matrix{t: t, lab: s}
		spec := contract(t)
		asked := 0
		for _, path := range slices.Sorted(maps.Keys(spec.Paths.Map())) {
			for method, op := range spec.Paths.Value(path).Operations() {
				id := strings.ToLower(op.OperationID[:1]) + op.OperationID[1:]
				if method == http.MethodGet || strings.HasSuffix(id, "Policy") {
					continue
				}
				if a := s.send(t, "DELETE", "/api/v1/pools/mine.top/policy", "", "If-Match: *"); a.status != http.StatusNoContent && a.status != http.StatusNotFound {
					t.Fatalf("end the policy: %d %s", a.status, a.body)
				}
				path, body := asks[id].of(m, own)
				if a := s.send(t, "PUT", "/api/v1/pools/mine.top/policy", `{"rules":{"release_approval_above":32}}`); a.status != http.StatusOK {
					t.Fatalf("set the policy: %d %s", a.status, a.body)
				}
				before := had(t, s)
				a := s.send(t, method, "/api/v1"+path, body, "If-Match: *")
				if strings.Contains(a.body, `"code":"approval_required"`) {
					asked++
				}
				after := had(t, s)
				for who, cidr := range before {
					now := after[who]
					if back := after[strings.TrimPrefix(who, "rest of ")]; back == cidr {
						continue // restored to who had it
					}
					if cidr.Bits() < 32 && (!now.IsValid() || now.Bits() > cidr.Bits()) {
						t.Errorf("%s takes %s from %s past the approval (it has %s): %d %s", id, cidr, who, now, a.status, a.body)
					}
				}
			}
		}
		if asked < 4 { // of an allocation, a set, a pool and a quarantine at least
			t.Errorf("%d operations ask", asked)
		}
		s.events(t)
	})
}

// had is who has which block in the scope, with what rests.
func had(t *testing.T, s lab) map[string]netip.Prefix {
	all := map[string]netip.Prefix{}
	for _, a := range get[api.AllocationPage](t, s, "/allocations?scope=mine&limit=1000").Items {
		all[a.ID] = netip.MustParsePrefix(a.CIDR)
	}
	for _, p := range get[api.PoolPage](t, s, "/pools?scope=mine&limit=1000").Items {
		if p.Parent != nil {
			all[p.UID] = netip.MustParsePrefix(p.CIDR)
		}
	}
	for _, q := range get[api.QuarantinePage](t, s, "/quarantines?scope=mine&limit=1000").Items {
		all["rest of "+q.Allocation] = netip.MustParsePrefix(q.CIDR)
	}
	return all
}

func TestAnApprovalToGiveUpABlockIsOfThatAndOfNoMore(t *testing.T) {
	inOffice(t, func(o office) {
		eve := o.person("eve", "admins")
		o.govern("corp", `{"release_approval_above":24}`)
		a := post[api.Allocation](t, o.lab, "/allocations", `{"pool":"team","name":"vpc","prefix_length":22,"expires_at":"2030-01-03T03:04:05Z"}`)
		at := "/allocations/" + a.ID
		smaller := o.asks("PATCH", at, `{"prefix_length":23}`, "If-Match: *")
		if b := smaller.Blocks[0]; *b.Was != a.CIDR || b.CIDR == a.CIDR || b.Detail != "making a /22 smaller, which is larger than a /24: the policy of pool corp has release_approval_above 24 here" {
			t.Errorf("it is shown as %+v", b)
		}
		o.approves(eve, smaller)
		release := o.asks("DELETE", at, "")
		if b := release.Blocks[0]; release.ID == smaller.ID || *b.Was != a.CIDR || b.CIDR != a.CIDR || b.Detail != "giving up a /22, which is larger than a /24: the policy of pool corp has release_approval_above 24 here" {
			t.Errorf("an approval of a smaller block is of a release: %+v", release)
		}
		if s := o.status(smaller); s != "superseded" {
			t.Errorf("the request before is %s", s)
		}
		o.approves(eve, release)
		if a := o.send(t, "PATCH", "/api/v1"+at, `{"owner":"x"}`, "If-Match: *"); a.status != http.StatusOK {
			t.Fatalf("describe: %d %s", a.status, a.body)
		}
		if again := o.asks("DELETE", at, ""); again.ID == release.ID {
			t.Error("an approval of another version of the allocation counts")
		} else if item := o.decide(eve, "refuse", again)[0]; item.Problem != nil {
			t.Fatalf("refuse: %+v", item.Problem)
		}
		wantProblemCode(t, o.send(t, "DELETE", "/api/v1"+at, ""), http.StatusConflict, "approval_refused")
		if got := get[api.Allocation](t, o.lab, at); got.CIDR != a.CIDR {
			t.Errorf("refused, it has %s", got.CIDR)
		}
		small := post[api.Allocation](t, o.lab, "/allocations", `{"pool":"team","name":"small","prefix_length":24}`)
		if a := o.send(t, "DELETE", "/api/v1/allocations/"+small.ID, ""); a.status != http.StatusNoContent {
			t.Errorf("a block that is small enough: %d %s", a.status, a.body)
		}
		if a := o.send(t, "PATCH", "/api/v1"+at, `{"prefix_length":21}`, "If-Match: *"); a.status != http.StatusOK {
			t.Errorf("what grows gives up nothing: %d %s", a.status, a.body)
		}
		o.passed.Store(int64(48 * time.Hour)) // what comes to its end by itself was meant to
		if n, err := o.Registry.EndAllocations(t.Context()); n != 1 || err != nil {
			t.Errorf("%d ended, %v", n, err)
		}
	})
}
