package httpapi_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

// promises are the operations of plans: they hold, so that their apply can ask.
var promises = []string{"previewPool", "planPool", "draftPool", "placeHold", "placeHolds", "placeSetHolds", "previewAllocation"}

// Every operation of the contract that a policy is about is walked with one that wants approval: none makes the change before that, and each
// makes it after.
func TestNoDoorLeadsPastAnApproval(t *testing.T) {
	inOffice(t, func(o office) {
		m := &matrix{t: t, lab: o.lab, n: 10}
		spec := contract(t)
		walked := 0
		for _, path := range slices.Sorted(maps.Keys(spec.Paths.Map())) {
			operations := spec.Paths.Value(path).Operations()
			for _, method := range slices.Sorted(maps.Keys(operations)) {
				id := operations[method].OperationID
				id = strings.ToLower(id[:1]) + id[1:]
				if d, said := doors[id]; said && d.none == "" {
					walked++
					o.door(m, id, method, d)
				}
			}
		}
		t.Logf("%d doors", walked)
	})
}

func (o office) door(m *matrix, id, method string, d door) {
	o.t.Helper()
	m.n++
	above, pool := fmt.Sprintf("above%d", m.n), fmt.Sprintf("in%d", m.n)
	post[api.Pool](o.t, o.lab, "/pools", fmt.Sprintf(`{"name":%q,"cidr":"11.%d.0.0/16","quarantine_seconds":3600}`, above, m.n))
	post[api.Pool](o.t, o.lab, "/pools", fmt.Sprintf(`{"name":%q,"parent":%q,"prefix_length":20}`, pool, above))
	path, body := d.try(m, pool)
	o.govern(above, `{"approval_above":26,"pool_approval_above":26}`)
	standing := func() string {
		return o.send(o.t, "GET", "/api/v1/allocations?pool="+pool, "").body + o.send(o.t, "GET", "/api/v1/pools?parent="+pool, "").body
	}
	before := standing()
	a := o.send(o.t, method, "/api/v1"+path, body, "If-Match: *")
	if slices.Contains(promises, id) {
		if a.status >= 300 || standing() != before {
			o.t.Errorf("%s plans, and is refused or makes the change: %d %s", id, a.status, a.body)
		}
		return
	}
	p := decode[api.Problem](o.t, a)
	if p.Code != "approval_required" || p.Approval == nil || standing() != before {
		o.t.Errorf("%s leads past the approval: %s %s %s: %d %s", id, method, path, body, a.status, a.body)
		return
	}
	if again := o.send(o.t, method, "/api/v1"+path, body, "If-Match: *"); !strings.Contains(again.body, p.Approval.ID) || standing() != before {
		o.t.Errorf("%s asks anew each time: %s", id, again.body)
	}
	o.approves(o.person("eve", "admins"), *p.Approval)
	if a := o.send(o.t, method, "/api/v1"+path, body, "If-Match: *"); a.status >= 300 || standing() == before {
		o.t.Errorf("%s is approved and fails: %s %s %s: %d %s", id, method, path, body, a.status, a.body)
	}
}
