package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
	"github.com/cloudpam/cloudpam/server/internal/issuer/issuertest"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// office is a lab in which people decide: who has the group admins is admin everywhere, and who has inner of one pool.
type office struct {
	lab
	t  *testing.T
	by *issuertest.Issuer
}

func inOffice(t *testing.T, body func(o office)) {
	t.Helper()
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			by := issuertest.Start(t)
			var all []issuer.Settings
			for _, kind := range []string{"user", "machine", "agent"} {
				one, err := issuer.Parse([]byte(fmt.Sprintf(`[{"name":%q,"issuer":%q,"audience":%q,"kind":%q,"rules":[
					{"name":"admins","when":{"group":"admins"},"role":"admin"},{"name":"inner","when":{"group":"inner"},"role":"admin","pool":"team"},{"name":"staff","when":{"group":"staff"},"role":"operator"}]}]`,
					kind, by.URL, audience, kind)), nil)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, one...)
			}
			o := office{serveAt(t, url(t), func() time.Time { return labTime }, all[0]), t, by}
			post[api.Pool](t, o.lab, "/pools", `{"name":"corp","cidr":"10.0.0.0/8"}`)
			post[api.Pool](t, o.lab, "/pools", `{"name":"team","parent":"corp","prefix_length":16}`)
			o.govern("corp", `{"approval_above":24}`)
			body(o)
			o.events(t)
		})
	}
}

func (o office) govern(pool, rules string) {
	o.t.Helper()
	if a := o.send(o.t, "PUT", "/api/v1/pools/"+pool+"/policy", `{"rules":`+rules+`}`, "If-Match: *"); a.status != http.StatusOK {
		o.t.Fatalf("set the policy: %d %s", a.status, a.body)
	}
}

// person is somebody who is signed in, in a group.
func (o office) person(name, group string) string {
	o.t.Helper()
	return bearer(o.by.Sign(o.t, claims(o.by, map[string]any{"sub": name, "group": group, "repository": nil, "exp": labTime.Add(1000 * time.Hour).Unix()})))
}

// asks sends a change that waits for approval then, and answers the request.
func (o office) asks(method, path, body string, headers ...string) api.Approval {
	o.t.Helper()
	p := wantProblemCode(o.t, o.send(o.t, method, "/api/v1"+path, body, headers...), http.StatusConflict, "approval_required")
	if p.Approval == nil || p.Approval.Status != "pending" {
		o.t.Fatalf("the problem names no request: %+v", p)
	}
	return *p.Approval
}

func (o office) decide(as, decision string, all ...api.Approval) []api.DecisionItem {
	o.t.Helper()
	var asked []map[string]string
	for _, a := range all {
		asked = append(asked, map[string]string{"approval": a.ID, "digest": a.Digest, "decision": decision, "comment": "because"})
	}
	text, err := json.Marshal(map[string]any{"decisions": asked})
	if err != nil {
		o.t.Fatal(err)
	}
	a := o.send(o.t, "POST", "/api/v1/approval-decisions", string(text), as)
	if a.status != http.StatusOK {
		o.t.Fatalf("decide: %d %s", a.status, a.body)
	}
	return decode[api.Decisions](o.t, a).Items
}

func (o office) approves(as string, all ...api.Approval) {
	o.t.Helper()
	for _, item := range o.decide(as, "approve", all...) {
		if item.Problem != nil || item.Approval.Status != "approved" {
			o.t.Fatalf("approve: %+v", item)
		}
	}
}

// refusedTo wants that somebody may not decide.
func (o office) refusedTo(as, decision, says string, a api.Approval) {
	o.t.Helper()
	if p := o.decide(as, decision, a)[0].Problem; p == nil || !strings.Contains(p.Detail, says) {
		o.t.Errorf("want a problem that says %q: %+v", says, p)
	}
}

func (o office) status(a api.Approval) api.ApprovalStatus {
	o.t.Helper()
	return get[api.Approval](o.t, o.lab, "/approvals/"+a.ID).Status
}
