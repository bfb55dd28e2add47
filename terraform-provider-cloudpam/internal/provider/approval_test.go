package provider_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// office is a server whose pool corp wants a second person for what is larger than a /24, and that person.
type office struct {
	*acctest.Server

	t      *testing.T
	second *cloudpam.Client
}

func newOffice(t *testing.T, settings ...string) office {
	t.Helper()
	by := acctest.StartIssuer(t)
	server := acctest.Start(t, append(settings, fmt.Sprintf(`CLOUDPAM_ISSUERS=[{"name":"sso","issuer":%q,"audience":"cloudpam","kind":"user","rules":[{"name":"admins","when":{"group":"admins"},"role":"admin"}]}]`, by.URL))...)
	others(corpPool)(t, server.Client)
	if _, err := server.Client.SetPolicy(t.Context(), "corp", cloudpam.NewPolicy{Rules: cloudpam.PolicyRules{ApprovalAbove: new(24), PoolApprovalAbove: new(24)}}); err != nil {
		t.Fatal(err)
	}
	second, err := cloudpam.New(server.Endpoint, by.Sign(t, map[string]any{"sub": "eve", "group": "admins"}))
	if err != nil {
		t.Fatal(err)
	}
	return office{server, t, second}
}

const vpcOfCorp = `resource "cloudpam_allocation" "vpc" {
  pool          = "corp"
  name          = "vpc"
  prefix_length = 22
}
`

// waits lists what waits for a decision.
func (o office) waits() (all []cloudpam.Approval) {
	for a, err := range o.Client.Approvals(o.t.Context(), cloudpam.ListApprovalsParams{Status: new(cloudpam.ApprovalStatusPending)}) {
		if err != nil {
			o.t.Error(err)
			return all
		}
		all = append(all, a)
	}
	return all
}

func (o office) decides(decision cloudpam.NewDecisionDecision) {
	in := cloudpam.NewDecisions{}
	for _, a := range o.waits() {
		in.Decisions = append(in.Decisions, cloudpam.NewDecision{Approval: a.ID, Digest: a.Digest, Decision: decision, Comment: new("a /24 will do")})
	}
	answer, err := o.second.DecideApprovals(o.t.Context(), in)
	if err != nil {
		o.t.Error(err)
	}
	for _, item := range answer.Items {
		if item.Problem != nil {
			o.t.Errorf("decide: %+v", item.Problem)
		}
	}
}

// atFirstLook is a working folder whose runs go through a proxy: something happens when an apply looks whether it was approved, first.
func (o office) atFirstLook(config string, happens func()) *acctest.Terraform {
	o.t.Helper()
	var once sync.Once
	proxy := o.Proxy(o.t, func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/v1/approvals/") {
			once.Do(happens)
		}
		return false
	})
	return acctest.NewTerraform(o.t, nil, proxy.ProviderConfig("  max_retries = 0")+config)
}

// shownBlock is the block that a plan shows.
func shownBlock(t *testing.T, printed string) string {
	t.Helper()
	found := regexp.MustCompile(`cidr +.{0,10}= .{0,10}"([0-9./]+)"`).FindStringSubmatch(printed)
	if found == nil {
		t.Fatalf("the plan shows no CIDR:\n%s", printed)
	}
	return found[1]
}

func TestAnApplyWaitsForApprovalAndGetsWhatThePlanShowed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	tf := o.atFirstLook(vpcOfCorp, func() {
		if _, err := o.Client.CreateReservation(t.Context(), cloudpam.NewReservation{Pool: "corp", Reason: "it is the next block", PrefixLength: new(24)}); err != nil {
			t.Error(err)
		}
		o.decides(cloudpam.NewDecisionDecisionApprove)
	})
	_, printed, err := tf.Try("plan", "-out=p.tfplan")
	if err != nil {
		t.Fatal(printed)
	}
	acctest.Golden(t, "approval_planned", acctest.Diagnostics(printed))
	shown := shownBlock(t, printed)
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	applied(t, o.Server, tf, shown)
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
}

func TestARunThatDoesNotWaitIsResumedByTheNext(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	tf := acctest.NewTerraform(t, o.Server, vpcOfCorp)
	tf.Setenv("CLOUDPAM_APPROVAL_TIMEOUT", "0s")
	shown := shownBlock(t, tf.Run(t, "plan", "-no-color", "-out=p.tfplan"))
	_, printed, err := tf.Try("apply", "p.tfplan")
	if err == nil {
		t.Fatal("the apply succeeds without approval")
	}
	acctest.Golden(t, "approval_not_waited", acctest.Diagnostics(printed))
	o.decides(cloudpam.NewDecisionDecisionApprove)
	tf.Run(t, "apply", "-no-color", "-auto-approve") // to Terraform, the plan in the file is stale by now
	applied(t, o.Server, tf, shown)
}

func TestARunThatIsKilledWhileItWaitsIsResumedByTheNext(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lost := make(chan struct{})
	tf := o.atFirstLook(vpcOfCorp, func() { close(lost) })
	if _, printed, err := tf.TryUntil(lost, "apply", "-no-color", "-auto-approve"); err == nil {
		t.Fatalf("it was not killed:\n%s", printed)
	}
	asked := o.waits()
	if len(asked) != 1 {
		t.Fatalf("there wait %d requests", len(asked))
	}
	o.decides(cloudpam.NewDecisionDecisionApprove)
	tf.Run(t, "apply", "-no-color", "-auto-approve", "-lock=false")
	applied(t, o.Server, tf, asked[0].Blocks[0].CIDR)
}

// What an apply says that got no approval, each while it waited for that.
func TestAnApplySaysWhyItGotNoApproval(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings []string
		happens  func(o office)
	}{
		"approval_refused": {happens: func(o office) { o.decides(cloudpam.NewDecisionDecisionRefuse) }},
		"approval_superseded": {happens: func(o office) {
			if _, err := o.Client.CreateAllocation(o.t.Context(), cloudpam.NewAllocation{Pool: "corp", Name: "vpc", PrefixLength: new(22), Owner: new("net")}); err == nil {
				o.t.Error("another run is not asked for approval")
			}
		}},
		"approval_expired": {settings: []string{"CLOUDPAM_APPROVAL_TTL=2s", "CLOUDPAM_APPROVAL_DELAY=1s"}, happens: func(office) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, c.settings...)
			tf := o.atFirstLook(vpcOfCorp, func() { c.happens(o) })
			tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
			_, printed, err := tf.Try("apply", "p.tfplan")
			if err == nil {
				t.Fatal("the apply succeeds without approval")
			}
			acctest.Golden(t, name, acctest.Diagnostics(printed))
		})
	}
}

// A set and a pool wait as an allocation does, all of a run at once.
func TestAllThatARunNeedsApprovalForWaitsAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	config := vpcOfCorp + `
resource "cloudpam_allocation_set" "shop" {
  pool    = "corp"
  name    = "shop"
  subnets = { a = 23, b = 26 }
}
resource "cloudpam_pool" "team" {
  name          = "team"
  parent        = "corp"
  prefix_length = 20
}
`
	var mu sync.Mutex
	proxy := o.Proxy(t, func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/v1/approvals/") {
			mu.Lock()
			defer mu.Unlock()
			if len(o.waits()) == 3 {
				o.decides(cloudpam.NewDecisionDecisionApprove)
			}
		}
		return false
	})
	tf := acctest.NewTerraform(t, nil, proxy.ProviderConfig("  max_retries = 0")+config)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
}

// What is given up waits too: of a set as a whole, and of a pool once it is empty.
func TestADestroyWaitsForApprovalToo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if err := o.Client.DeletePolicy(t.Context(), "corp"); err != nil {
		t.Fatal(err)
	}
	const team = `
resource "cloudpam_pool" "team" {
  name          = "team"
  parent        = "corp"
  prefix_length = 20
}
`
	const rest = team + `
resource "cloudpam_allocation_set" "shop" {
  pool    = cloudpam_pool.team.id
  name    = "shop"
  subnets = { a = 23, b = 26 }
}
`
	var mu sync.Mutex
	proxy := o.Proxy(t, func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/v1/approvals/") {
			mu.Lock()
			defer mu.Unlock()
			if len(o.waits()) > 0 {
				o.decides(cloudpam.NewDecisionDecisionApprove)
			}
		}
		return false
	})
	provider := proxy.ProviderConfig("  max_retries = 0")
	tf := acctest.NewTerraform(t, nil, provider+vpcOfCorp)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Write(t, "main.tf", provider+vpcOfCorp+rest)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Write(t, "main.tf", provider+rest)
	if _, err := o.Client.SetPolicy(t.Context(), "corp", cloudpam.NewPolicy{Rules: cloudpam.PolicyRules{ReleaseApprovalAbove: new(24)}}); err != nil {
		t.Fatal(err)
	}
	tf.Setenv("CLOUDPAM_APPROVAL_TIMEOUT", "0s")
	tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
	_, printed, err := tf.Try("apply", "p.tfplan")
	if err == nil {
		t.Fatal("the destroy succeeds without approval")
	}
	acctest.Golden(t, "approval_destroy_not_waited", acctest.Diagnostics(printed))
	tf.Setenv("CLOUDPAM_APPROVAL_TIMEOUT", "10m")
	tf.Write(t, "main.tf", provider+vpcOfCorp+team)
	_, printed, err = tf.Try("plan")
	if err != nil {
		t.Fatal(printed)
	}
	acctest.Golden(t, "approval_destroy_planned", acctest.Diagnostics(printed))
	tf.Write(t, "main.tf", provider+vpcOfCorp+rest)
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode") // all of it stands
	tf.Run(t, "destroy", "-no-color", "-auto-approve")
	used := 0
	for a, err := range o.Client.Approvals(t.Context(), cloudpam.ListApprovalsParams{Status: new(cloudpam.ApprovalStatusUsed)}) {
		if used++; err != nil || a.Blocks[0].Rule != "release_approval_above" {
			t.Errorf("%+v, %v", a, err)
		}
	}
	if used != 3 {
		t.Errorf("%d approvals were used", used)
	}
}

func TestAPlanSaysThatAResizeWillWait(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if err := o.Client.DeletePolicy(t.Context(), "corp"); err != nil {
		t.Fatal(err)
	}
	config := func(vpc, team int) string {
		return fmt.Sprintf(`
resource "cloudpam_allocation" "vpc" {
  pool = "corp"
  name = "vpc"
  cidr = "10.0.0.0/%d"
}
resource "cloudpam_pool" "team" {
  name   = "team"
  parent = "corp"
  cidr   = "10.0.128.0/%d"
}
`, vpc, team)
	}
	tf := acctest.NewTerraform(t, o.Server, config(22, 22))
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	rules := cloudpam.PolicyRules{ApprovalAbove: new(24), PoolApprovalAbove: new(24), ReleaseApprovalAbove: new(24), ApprovalGroups: []cloudpam.ApprovalGroup{{Role: new(cloudpam.ApprovalGroupRoleAdmin), ApprovalAbove: new(20)}}}
	if _, err := o.Client.SetPolicy(t.Context(), "corp", cloudpam.NewPolicy{Rules: rules}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]string{
		"approval_growth_planned": config(21, 22), "approval_shrink_planned": config(23, 22), "approval_pool_growth_planned": config(22, 21), "approval_pool_shrink_planned": config(22, 23),
	} {
		tf.Write(t, "main.tf", c)
		_, printed, err := tf.Try("plan")
		if err != nil {
			t.Fatal(printed)
		}
		acctest.Golden(t, name, acctest.Diagnostics(printed))
	}
	tf.Write(t, "main.tf", config(22, 22))
	if _, printed, err := tf.Try("plan", "-detailed-exitcode"); err != nil || strings.Contains(printed, "will need approval") {
		t.Errorf("what stays is warned of: %v\n%s", err, printed)
	}
}
