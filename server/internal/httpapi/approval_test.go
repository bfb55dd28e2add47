package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/approval"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

const (
	large    = `{"pool":"team","name":"vpc","prefix_length":22,"owner":"net"}`
	forLater = "/api/v1/allocations"
)

func TestALargeBlockWaitsForASecondPersonAndIsExactlyWhatWasShown(t *testing.T) {
	inOffice(t, func(o office) {
		if a := o.send(t, "POST", forLater, `{"pool":"team","name":"small","prefix_length":24}`); a.status != http.StatusCreated {
			t.Fatalf("a block that is small enough: %d %s", a.status, a.body)
		}
		asked := o.asks("POST", "/allocations", large, "Cloudpam-Reason: for%20the%20vpc")
		b := asked.Blocks[0]
		if asked.RequestedBy != "token:bootstrap" || asked.Reason != "for the vpc" || asked.Action != "allocation.created" || !strings.HasSuffix(asked.URL, "/approvals?approval="+asked.ID) ||
			!strings.Contains(asked.Deciders, "admin of pool corp") || b.PolicyPool != "corp" || b.Above != 24 || *b.Owner != "net" || b.Rule != "approval_above" || !asked.Until.Equal(labTime.Add(approval.DefaultTTL)) {
			t.Errorf("the request is %+v", asked)
		}
		if again := o.asks("POST", "/allocations", large); again.ID != asked.ID {
			t.Errorf("asked again, it is another request: %s and %s", asked.ID, again.ID)
		}
		for i := range 8 { // which would take the block if it were not held
			post[api.Allocation](t, o.lab, "/allocations", fmt.Sprintf(`{"pool":"team","name":"other%d","prefix_length":24}`, i))
		}
		if a := o.send(t, "POST", forLater, `{"pool":"team","name":"thief","cidr":"`+b.CIDR+`"}`); a.status != http.StatusConflict || strings.Contains(a.body, "approval") {
			t.Errorf("somebody else asks for the block: %d %s", a.status, a.body)
		}
		o.approves(o.person("eve", "admins"), asked)
		made := post[api.Allocation](t, o.lab, "/allocations", large)
		if made.CIDR != b.CIDR {
			t.Errorf("%s was shown, and it is %s", b.CIDR, made.CIDR)
		}
		if s := o.status(asked); s != "used" {
			t.Errorf("the request is %s", s)
		}
		if a := o.send(t, "DELETE", forLater+"/"+made.ID, ""); a.status != http.StatusNoContent {
			t.Fatalf("release: %d %s", a.status, a.body)
		}
		if again := o.asks("POST", "/allocations", large); again.ID == asked.ID || again.Digest != asked.Digest {
			t.Errorf("an approval is used twice: %+v", again)
		}
	})
}

func TestWhoDecidesIsASecondPersonAndAdminWhereThePolicyIs(t *testing.T) {
	inOffice(t, func(o office) {
		eve, mallory := o.person("eve", "admins"), o.person("mallory", "admins")
		asked := o.asks("POST", "/allocations", large, mallory)
		o.refusedTo(mallory, "approve", "you asked for this yourself", asked)
		o.refusedTo(mallory, "refuse", "you asked for this yourself", asked)
		o.refusedTo(o.person("inge", "inner"), "approve", "this needs the role admin in pool corp", asked)
		o.refusedTo(o.person("sam", "staff"), "approve", "this needs the role admin in pool corp", asked)
		o.refusedTo(o.as(t, ipam.NewBinding{Role: ipam.Admin}), "approve", "only a person decides, signed in by an issuer, and token:", asked)
		o.refusedTo(eve, "approve", "is not what you were shown", api.Approval{ID: asked.ID, Digest: strings.Repeat("0", 64)})
		if a := o.send(t, "POST", "/api/v1/approval-decisions", `{"decisions":[{"approval":"`+asked.ID+`","digest":"`+asked.Digest+`","decision":"refuse"}]}`, eve); !strings.Contains(a.body, "a refusal says why") {
			t.Errorf("a refusal without a reason: %s", a.body)
		}
		if a := o.send(t, "POST", "/api/v1/approval-decisions", `{"decisions":[{"approval":"`+asked.ID+`","digest":"x","decision":"approve","decided_by":"eve"}]}`, mallory); a.status != http.StatusBadRequest {
			t.Errorf("a body that names who decides: %d %s", a.status, a.body)
		}
		made := o.send(t, "POST", "/api/v1/tokens", `{"name":"mine","bindings":[{"role":"operator","scope":"default"}]}`, mallory)
		mine := "Authorization: Bearer " + *decode[api.CreatedToken](t, made).Secret
		byToken := o.asks("POST", "/allocations", `{"pool":"team","name":"mine","prefix_length":22}`, mine)
		o.refusedTo(mallory, "approve", "you made token:mine, which asked for this", byToken)
		both := o.decide(eve, "approve", asked, api.Approval{ID: "approval_0000000000000"}, byToken)
		if both[0].Approval == nil || both[1].Problem.Code != "not_found" || both[2].Approval == nil || *both[2].Approval.DecidedBy != "user:eve" {
			t.Errorf("several at once: %+v", both)
		}
		o.refusedTo(eve, "approve", "is approved already", asked)
		for _, header := range []string{eve, mine} {
			if a := o.send(t, "POST", forLater, large, header); a.status != http.StatusConflict {
				t.Errorf("somebody else uses an approval: %d %s", a.status, a.body)
			}
		}
		if a := o.send(t, "POST", forLater, large, mallory); a.status != http.StatusCreated {
			t.Errorf("who asked: %d %s", a.status, a.body)
		}
	})
}

func TestTheFirstTokenStandsInForASecondPersonAfterADelayAndLoudly(t *testing.T) {
	inOffice(t, func(o office) {
		asked := o.asks("POST", "/allocations", large)
		first := "Authorization: Bearer " + secret
		o.passed.Store(int64(approval.DefaultDelay - time.Second))
		o.refusedTo(first, "approve", "only from 2030-01-02T03:19:05Z on", asked)
		o.passed.Store(int64(approval.DefaultDelay))
		o.approves(first, asked)
		if now := get[api.Approval](t, o.lab, "/approvals/"+asked.ID); !now.Emergency || *now.DecidedBy != "token:bootstrap" {
			t.Errorf("it is not told that the first token approved: %+v", now)
		}
		post[api.Allocation](t, o.lab, "/allocations", large)
	})
}

func TestAnApprovalIsOfWhatWasShownAndOfNothingElse(t *testing.T) {
	inOffice(t, func(o office) {
		eve := o.person("eve", "admins")
		asked := o.asks("POST", "/allocations", large)
		o.approves(eve, asked)
		other := o.asks("POST", "/allocations", strings.Replace(large, "net", "somebody", 1))
		if other.ID == asked.ID || o.status(asked) != "superseded" {
			t.Errorf("with another owner it is %s, and the first request %s", other.ID, o.status(asked))
		}
		asked = o.asks("POST", "/allocations", large)
		o.approves(eve, asked)
		o.govern("corp", `{"approval_above":25}`)
		if again := o.asks("POST", "/allocations", large); again.ID == asked.ID {
			t.Error("an approval from before another policy counts")
		}
		made := post[api.Allocation](t, o.lab, "/allocations", `{"pool":"team","name":"grows","prefix_length":25}`)
		at := "/allocations/" + made.ID
		growth := o.asks("PATCH", at, `{"prefix_length":23}`, "If-Match: *")
		if growth.Blocks[0].Was == nil || *growth.Blocks[0].Was != made.CIDR || *growth.Blocks[0].ID != made.ID {
			t.Errorf("the growth is shown as %+v", growth.Blocks)
		}
		o.approves(eve, growth)
		if a := o.send(t, "PATCH", "/api/v1"+at, `{"owner":"x"}`, "If-Match: *"); a.status != http.StatusOK {
			t.Fatalf("describe: %d %s", a.status, a.body)
		}
		if again := o.asks("PATCH", at, `{"prefix_length":23}`, "If-Match: *"); again.ID == growth.ID {
			t.Error("an approval of another version of the allocation counts")
		} else {
			o.approves(eve, again)
		}
		if a := o.send(t, "PATCH", "/api/v1"+at, `{"prefix_length":23}`, "If-Match: *"); a.status != http.StatusOK {
			t.Errorf("the growth that was approved: %d %s", a.status, a.body)
		}
		if a := o.send(t, "PATCH", "/api/v1"+at, `{"description":"it stands"}`, "If-Match: *"); a.status != http.StatusOK {
			t.Errorf("what stands may be described: %d %s", a.status, a.body)
		}
	})
}

func TestARefusalIsToldToTheSameChangeAndItsBlockIsFree(t *testing.T) {
	inOffice(t, func(o office) {
		asked := o.asks("POST", "/allocations", large)
		if item := o.decide(o.person("eve", "admins"), "refuse", asked)[0]; item.Problem != nil {
			t.Fatalf("refuse: %+v", item.Problem)
		}
		p := wantProblemCode(t, o.send(t, "POST", forLater, large), http.StatusConflict, "approval_refused")
		if !strings.Contains(p.Detail, `this was refused by user:eve, saying "because"`) || p.Approval.ID != asked.ID {
			t.Errorf("it is told %q", p.Detail)
		}
		o.passed.Store(int64(approval.DefaultTTL))
		if again := o.asks("POST", "/allocations", large); again.ID == asked.ID {
			t.Error("a refusal never ends")
		} else {
			o.decide(o.person("eve", "admins"), "refuse", again)
		}
		if a := o.send(t, "POST", forLater, `{"pool":"team","name":"next","cidr":"`+asked.Blocks[0].CIDR+`"}`, o.person("eve", "admins")); !strings.Contains(a.body, "approval_required") {
			t.Errorf("its block is not free: %d %s", a.status, a.body)
		}
	})
}

func TestARequestExpiresWithWhatIsHeldForIt(t *testing.T) {
	inOffice(t, func(o office) {
		eve := o.person("eve", "admins")
		waits, unused := o.asks("POST", "/allocations", large), o.asks("POST", "/allocations", strings.Replace(large, "vpc", "unused", 1))
		o.passed.Store(int64(approval.DefaultTTL - time.Hour))
		o.approves(eve, unused)
		o.passed.Store(int64(approval.DefaultTTL))
		if s := o.status(waits); s != "expired" {
			t.Errorf("before anybody writes it, it is %s", s)
		}
		o.refusedTo(eve, "approve", "is expired already", waits)
		if n, err := o.Approvals.Expire(t.Context()); n != 1 || err != nil {
			t.Errorf("%d expire, %v: what was approved later lasts longer", n, err)
		}
		o.passed.Store(int64(2*approval.DefaultTTL - time.Hour))
		if n, err := o.Approvals.Expire(t.Context()); n != 1 || err != nil || o.status(unused) != "expired" {
			t.Errorf("%d expire, %v", n, err)
		}
		if again := o.asks("POST", "/allocations", strings.Replace(large, "vpc", "unused", 1)); again.ID == unused.ID {
			t.Error("an approval counts past its end")
		}
	})
}

func TestWhatIsHeldForARequestGoesWithItOnly(t *testing.T) {
	inOffice(t, func(o office) {
		asked := o.asks("POST", "/allocations", large)
		held := get[api.HoldPage](t, o.lab, "/holds?pool=team").Items
		if len(held) != 1 || held[0].CIDR != asked.Blocks[0].CIDR || !held[0].ExpiresAt.Equal(asked.Until) {
			t.Fatalf("what is held is %+v", held)
		}
		if p := wantProblemCode(t, o.send(t, "DELETE", "/api/v1/holds/"+held[0].ID, ""), http.StatusConflict, "approval_required"); !strings.Contains(p.Detail, asked.ID) {
			t.Errorf("releasing it says %q", p.Detail)
		}
		if a := o.send(t, "DELETE", "/api/v1/approvals/"+asked.ID, "", o.person("eve", "admins")); a.status != http.StatusForbidden {
			t.Errorf("somebody else withdraws it: %d %s", a.status, a.body)
		}
		if a := o.send(t, "DELETE", "/api/v1/approvals/"+asked.ID, ""); a.status != http.StatusNoContent || o.status(asked) != "withdrawn" {
			t.Errorf("withdraw: %d %s", a.status, a.body)
		}
		if a := o.send(t, "DELETE", "/api/v1/holds/"+held[0].ID, ""); a.status != http.StatusNoContent {
			t.Errorf("then it is released as any: %d %s", a.status, a.body)
		}
		again := o.asks("POST", "/allocations", large)
		for _, pool := range []string{"team"} {
			if a := o.send(t, "DELETE", "/api/v1/pools/"+pool, "", "If-Match: *"); a.status != http.StatusNoContent {
				t.Fatalf("delete the pool: %d %s", a.status, a.body)
			}
		}
		if s := o.status(again); s != "superseded" {
			t.Errorf("the request in a pool that is gone is %s", s)
		}
		o.refusedTo(o.person("eve", "admins"), "approve", "is superseded already", again)
	})
}

func TestAnApprovalIsUsedOnce(t *testing.T) {
	inOffice(t, func(o office) {
		asked := o.asks("POST", "/allocations", large)
		o.approves(o.person("eve", "admins"), asked)
		var mu sync.Mutex
		var group sync.WaitGroup
		made := map[int]int{}
		for range 8 {
			group.Go(func() {
				a := o.send(t, "POST", forLater, large)
				mu.Lock()
				defer mu.Unlock()
				made[a.status]++
			})
		}
		group.Wait()
		if made[http.StatusCreated] != 1 || made[http.StatusConflict] != 7 {
			t.Errorf("eight at once: %v", made)
		}
	})
}

func TestSomeGroupsNeedNoApprovalUpToASizeOfTheirs(t *testing.T) {
	inOffice(t, func(o office) {
		o.govern("corp", `{"approval_above":24,"approval_groups":[{"labels":{"team":"network"},"approval_above":22},{"role":"admin","approval_above":20}]}`)
		network := o.as(t, ipam.NewBinding{Role: ipam.Operator, Labels: ipam.Labels{"team": "network"}})
		anybody := o.as(t, ipam.NewBinding{Role: ipam.Operator})
		admin := o.as(t, ipam.NewBinding{Role: ipam.Admin})
		for i, c := range []struct {
			as     string
			length int
			asks   bool
		}{{anybody, 24, false}, {anybody, 23, true}, {network, 22, false}, {network, 21, true}, {admin, 20, false}, {admin, 19, true}} {
			body := fmt.Sprintf(`{"pool":"team","name":"n%d","prefix_length":%d,"labels":{"team":"network"}}`, i, c.length)
			if a := o.send(t, "POST", forLater, body, c.as); strings.Contains(a.body, "approval_required") != c.asks {
				t.Errorf("%d: a /%d: %d %s", i, c.length, a.status, a.body)
			}
		}
		for rules, says := range map[string]string{
			`{"approval_above":24,"approval_groups":[{"approval_above":22}]}`:                                   "name one of them",
			`{"approval_above":24,"approval_groups":[{"role":"admin"}]}`:                                        "the group has no size",
			`{"approval_groups":[{"role":"admin","approval_above":22}]}`:                                        "no approval_above that this would differ from",
			`{"approval_above":24,"approval_groups":[{"role":"admin","labels":{"a":"b"},"approval_above":22}]}`: "no binding of an admin is narrowed",
			`{"approval_above":4}`: "use 8 to 32",
		} {
			if a := o.send(t, "PUT", "/api/v1/pools/corp/policy", `{"rules":`+rules+`}`, "If-Match: *"); a.status != http.StatusBadRequest || !strings.Contains(a.body, says) {
				t.Errorf("%s: %d %s", rules, a.status, a.body)
			}
		}
	})
}

func TestADryRunSaysThatApprovalIsNeededAndAsksForNone(t *testing.T) {
	inOffice(t, func(o office) {
		before := o.events(t)
		p := wantProblemCode(t, o.send(t, "POST", forLater, large, "Cloudpam-Dry-Run: true"), http.StatusConflict, "approval_required")
		if p.Approval != nil || !strings.Contains(p.Detail, "a /22 is larger than a /24: the policy of pool corp has approval_above 24") || o.events(t) != before {
			t.Errorf("a dry run answers %+v", p)
		}
		plan := post[api.HoldBatch](t, o.lab, "/hold-batches", `{"items":[{"hold":`+strings.Replace(large, `,"owner":"net"`, "", 1)+`},{"hold":{"pool":"team","name":"small","prefix_length":24}},
			{"set":{"pool":"team","name":"set","members":{"a":{"prefix_length":22},"b":{"prefix_length":26}}}}]}`)
		if f := plan.Items[0].Approval; f == nil || f.Blocks[0].CIDR != plan.Items[0].Hold.CIDR || !strings.Contains(f.Deciders, "admin of pool corp") || !strings.HasSuffix(f.URL, "/approvals") {
			t.Errorf("a plan is told %+v", f)
		}
		if plan.Items[1].Approval != nil || plan.Items[2].Approval == nil || len(plan.Items[2].Approval.Blocks) != 1 || plan.Items[2].Approval.Blocks[0].Name != "set/a" {
			t.Errorf("a plan is told %+v and %+v", plan.Items[1].Approval, plan.Items[2].Approval)
		}
	})
}

func TestAnAdoptionIsOneRequestForAllThatItNeeds(t *testing.T) {
	inOffice(t, func(o office) {
		o.estate(t, 12)
		o.govern("corp", `{"approval_above":30,"pool_approval_above":30}`)
		asked := o.asks("POST", "/adoptions", wholeAccount)
		if there := get[api.AllocationPage](t, o.lab, "/allocations").Items; len(asked.Blocks) < 12 || len(there) > 0 {
			t.Errorf("%d blocks are asked for, and %d are there already", len(asked.Blocks), len(there))
		}
		o.approves(o.person("eve", "admins"), asked)
		for cidr, verdict := range verdicts(post[api.Adoption](t, o.lab, "/adoptions", wholeAccount)) {
			if !strings.HasPrefix(verdict, "adopted") && verdict != "already pool corp/team" {
				t.Errorf("%s: %s", cidr, verdict)
			}
		}
	})
}
