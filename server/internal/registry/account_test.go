package registry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func (r lab) account(t tb, cloud ipam.Cloud, id string) ipam.Account {
	t.Helper()
	a, err := r.CreateAccount(context.Background(), alice, ipam.Account{Cloud: cloud, ExternalID: id, Name: "n-" + id[len(id)-2:]})
	if err != nil {
		t.Fatalf("create account %s: %v", id, err)
	}
	return a
}

func TestAccount(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		t.Run("what is kept is what was said", func(t *testing.T) {
			scope := r.scope(t)
			made, err := r.CreateAccount(t.Context(), alice, ipam.Account{
				Scope: scope, Cloud: ipam.AWS, ExternalID: "012345678901", Name: "payments-prod", Description: "d", Owner: "o", Platform: "p", Tier: "prd",
				Environment: "e", Regions: []string{"us-east-1", "eu-west-1", "us-east-1"}, Labels: ipam.Labels{"k": "v"}, Mode: "plan",
				RoleARN: "arn:aws:iam::012345678901:role/net/cloudpam",
			})
			if err != nil || made.ID != "aws:012345678901" || !slices.Equal(made.Regions, []string{"eu-west-1", "us-east-1"}) {
				t.Fatalf("%+v, %v", made, err)
			}
			if read, err := r.Account(t.Context(), made.ID); err != nil || fmt.Sprint(read) != fmt.Sprint(made) {
				t.Errorf("read %+v\nmade %+v, %v", read, made, err)
			}
			if e := r.events(t, made.ID); len(e) != 1 || e[0].Action != "account.created" || e[0].Scope != scope {
				t.Errorf("events: %+v", e)
			}
		})
		t.Run("one that says little only looks, in the default scope", func(t *testing.T) {
			a := r.account(t, ipam.Custom, "hq-basement")
			if a.Scope != ipam.DefaultScope || a.Mode != "observe" || a.Tier != "" || a.Regions == nil || a.Labels == nil {
				t.Errorf("%+v", a)
			}
		})
		t.Run("it is registered once, in whatever scope", func(t *testing.T) {
			a := r.account(t, ipam.GCP, "example.com:my-project")
			_, err := r.CreateAccount(t.Context(), alice, ipam.Account{Scope: r.scope(t), Cloud: a.Cloud, ExternalID: a.ExternalID, Name: "again"})
			wantPointer(t, wantCode(t, err, ipam.CodeNameTaken), "/external_id")
		})
		t.Run("many that register it at once make one", func(t *testing.T) {
			scopes := []string{r.scope(t), r.scope(t)}
			outcomes := together(16, func(i int) error {
				_, err := r.CreateAccount(t.Context(), alice, ipam.Account{Scope: scopes[i%2], Cloud: ipam.AWS, ExternalID: "999999999999", Name: "x"})
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 1, ipam.CodeNameTaken: 15})
		})
		t.Run("it changes, moves to another scope and goes", func(t *testing.T) {
			from, to := r.scope(t), r.scope(t)
			a, err := r.CreateAccount(t.Context(), alice, ipam.Account{Scope: from, Cloud: ipam.AWS, ExternalID: "444444444444", Name: "a", Tier: "dev"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.UpdateAccount(t.Context(), alice, a.ID, ipam.Match{}, ipam.AccountPatch{})
			wantCode(t, err, ipam.CodePreconditionRequired)
			_, err = r.UpdateAccount(t.Context(), alice, a.ID, at(a, 7), ipam.AccountPatch{})
			wantCode(t, err, ipam.CodePreconditionFailed)
			_, err = r.UpdateAccount(t.Context(), alice, a.ID, at(a, 1), ipam.AccountPatch{Scope: ptr("nowhere")})
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/scope")
			e := wantCode(t, r.DeleteScope(t.Context(), alice, from, r.atScope(t, from, 1)), ipam.CodeScopeNotEmpty)
			if !strings.Contains(e.Detail, "aws:444444444444") {
				t.Errorf("detail = %q", e.Detail)
			}
			b, err := r.UpdateAccount(t.Context(), alice, a.ID, at(a, 1), ipam.AccountPatch{Scope: &to, Name: ptr("b"), Tier: ptr(""), Regions: &[]string{"b", "a"}})
			if err != nil || b.Scope != to || b.Version != 2 || b.Tier != "" || strings.Join(b.Regions, " ") != "a b" {
				t.Fatalf("%+v, %v", b, err)
			}
			if err := r.DeleteScope(t.Context(), alice, from, r.atScope(t, from, 1)); err != nil {
				t.Error(err)
			}
			wantCode(t, r.DeleteAccount(t.Context(), alice, a.ID, ipam.Match{}), ipam.CodePreconditionRequired)
			wantCode(t, r.DeleteAccount(t.Context(), alice, a.ID, at(a, 1)), ipam.CodePreconditionFailed)
			if err := r.DeleteAccount(t.Context(), alice, a.ID, at(a, 2)); err != nil {
				t.Fatal(err)
			}
			_, err = r.Account(t.Context(), a.ID)
			wantCode(t, err, ipam.CodeNotFound)
			if got := strings.Join(r.actions(t, a.ID), " "); got != "account.created account.moved_out account.moved_in account.deleted" {
				t.Errorf("events: %s", got)
			}
		})
	})
}

// Movers queue at the scope that an account leaves, and one that comes late is told: each move has its event, in order.
func TestManyMoversOfOneAccount(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scopes := []string{r.scope(t), r.scope(t)}
		a := r.account(t, ipam.AWS, "555555555555")
		outcomes := together(40, func(i int) error {
			now, err := r.Account(t.Context(), a.ID)
			if err == nil {
				_, err = r.UpdateAccount(t.Context(), alice, a.ID, ipam.Exactly(now.ETag()), ipam.AccountPatch{Scope: &scopes[i%2]})
			}
			return err
		})
		last, err := r.Account(t.Context(), a.ID)
		if err != nil || outcomes[""] == 0 || outcomes[""]+outcomes[ipam.CodePreconditionFailed] != 40 || last.Version != int64(outcomes[""]+1) {
			t.Errorf("outcomes = %v, at version %d, %v", outcomes, last.Version, err)
		}
	})
}

func TestAccountRules(t *testing.T) {
	aws := ipam.Account{Cloud: ipam.AWS, ExternalID: "123456789012", Name: "a"}
	gcp := ipam.Account{Cloud: ipam.GCP, ExternalID: "my-project", Name: "a"}
	with := func(a ipam.Account, change func(*ipam.Account)) ipam.Account { change(&a); return a.Filled() }
	for name, a := range map[string]ipam.Account{
		"a GovCloud role":       with(aws, func(a *ipam.Account) { a.RoleARN = "arn:aws-us-gov:iam::123456789012:role/x" }),
		"a China role":          with(aws, func(a *ipam.Account) { a.RoleARN = "arn:aws-cn:iam::123456789012:role/a/b/x+=,.@-_" }),
		"a domain's project":    with(gcp, func(a *ipam.Account) { a.ExternalID = "corp.example.com:my-project" }),
		"a project's identity":  with(gcp, func(a *ipam.Account) { a.WorkloadIdentity = "cloudpam@my-project.iam.gserviceaccount.com" }),
		"a default identity":    with(gcp, func(a *ipam.Account) { a.WorkloadIdentity = "1234-compute@developer.gserviceaccount.com" }),
		"the shortest project":  with(gcp, func(a *ipam.Account) { a.ExternalID = "abcdef" }),
		"an office":             {Cloud: ipam.Custom, ExternalID: "HQ.basement_2", Name: "a", Mode: "observe"},
		"every tier and region": with(aws, func(a *ipam.Account) { a.Tier, a.Regions = "sbx", []string{"us-gov-east-1", "global"} }),
	} {
		if err := a.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for pointer, bad := range map[string][]ipam.Account{
		"/cloud": {{Cloud: "azure", ExternalID: "x", Name: "a"}},
		"/external_id": {
			with(aws, func(a *ipam.Account) { a.ExternalID = "12345678901" }), with(aws, func(a *ipam.Account) { a.ExternalID = "1234-5678-9012" }),
			with(aws, func(a *ipam.Account) { a.ExternalID = "123456789012\n" }), with(gcp, func(a *ipam.Account) { a.ExternalID = "123456789012" }),
			with(gcp, func(a *ipam.Account) { a.ExternalID = "My-Project" }), with(gcp, func(a *ipam.Account) { a.ExternalID = "short" }),
			with(gcp, func(a *ipam.Account) { a.ExternalID = "my-project-" }), with(gcp, func(a *ipam.Account) { a.ExternalID = "localhost:my-project" }),
			{Cloud: ipam.Custom, ExternalID: "a/b", Name: "a"},
			{Cloud: ipam.Custom, ExternalID: "a:b", Name: "a"},
			{Cloud: ipam.Custom, Name: "a"},
		},
		"/name": {with(aws, func(a *ipam.Account) { a.Name = "" })},
		"/tier": {with(aws, func(a *ipam.Account) { a.Tier = "prod" })},
		"/mode": {with(aws, func(a *ipam.Account) { a.Mode = "destroy" })},
		"/regions": {
			with(aws, func(a *ipam.Account) { a.Regions = []string{"eu-west-1", "EU West"} }), with(aws, func(a *ipam.Account) { a.Regions = []string{""} }),
		},
		"/role_arn": {
			with(aws, func(a *ipam.Account) { a.RoleARN = "cloudpam" }), with(aws, func(a *ipam.Account) { a.RoleARN = "arn:aws:iam::123456789012:user/x" }),
			with(aws, func(a *ipam.Account) { a.RoleARN = "arn:aws:iam::210987654321:role/x" }), with(gcp, func(a *ipam.Account) { a.RoleARN = "arn:aws:iam::123456789012:role/x" }),
		},
		"/workload_identity": {
			with(aws, func(a *ipam.Account) { a.WorkloadIdentity = "x@my-project.iam.gserviceaccount.com" }), with(gcp, func(a *ipam.Account) { a.WorkloadIdentity = "ann@example.com" }),
		},
	} {
		for _, a := range bad {
			err := a.Check()
			if e, ok := errors.AsType[*ipam.Error](err); !ok || e.Code != ipam.CodeInvalid || e.Fields[0].Pointer != pointer {
				t.Errorf("%+v: %v, want a refusal at %s", a, err, pointer)
			}
		}
	}
}
