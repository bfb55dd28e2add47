package provider_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const acc = "cloudpam_account.a"

func account(settings string) string {
	return "resource \"cloudpam_account\" \"a\" {\n  name = \"payments-prod\"\n" + settings + "\n}\n"
}

func TestAnAccountIsRegisteredChangedInPlaceAndImported(t *testing.T) {
	t.Parallel()
	aws := "cloud = \"aws\"\nexternal_id = \"012345678901\"\n"
	full := aws + `
	  scope       = cloudpam_scope.x.name
	  description = "d"
	  owner       = "payments"
	  platform    = "p"
	  tier        = "prd"
	  environment = "prod"
	  regions     = ["us-east-1", "eu-west-1"]
	  mode        = "plan"
	  role_arn    = "arn:aws:iam::012345678901:role/cloudpam"
	  labels      = { team = "pay" }`
	updates := plans(acc, plancheck.ResourceActionUpdate)
	null := func(attribute string) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(acc, tfjsonpath.New(attribute), knownvalue.Null())
	}
	steps(t, acctest.Start(t),
		resource.TestStep{
			Config: account(aws), ConfigPlanChecks: before(known(acc, "id", "aws:012345678901"), known(acc, "mode", "observe"), known(acc, "scope", "default")),
			ConfigStateChecks: []statecheck.StateCheck{null("tier"), null("regions"), null("role_arn")},
		},
		resource.TestStep{Config: account(aws + "regions = []"), ConfigPlanChecks: updates}, // null and empty are two to Terraform
		resource.TestStep{Config: scope("partner", "") + account(full), ConfigPlanChecks: updates},
		resource.TestStep{Config: scope("partner", "") + account(full), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: scope("partner", "") + account(full), ResourceName: acc, ImportState: true, ImportStateId: "aws:012345678901", ImportStateVerify: true},
		resource.TestStep{Config: scope("partner", "") + account(full), ResourceName: acc, ImportState: true, ImportStateVerify: true},
		resource.TestStep{
			Config: scope("partner", "") + account(full) + `
			data "cloudpam_account" "one" {
			  id = cloudpam_account.a.id
			}
			data "cloudpam_accounts" "all" {
			  cloud      = "aws"
			  scope      = cloudpam_account.a.scope
			  search     = "PAYMENTS"
			  labels     = { team = "pay" }
			  depends_on = [cloudpam_account.a]
			}
			data "cloudpam_accounts" "none" {
			  cloud      = "gcp"
			  depends_on = [cloudpam_account.a]
			}`,
			ConfigStateChecks: []statecheck.StateCheck{
				has("data.cloudpam_account.one", "tier", "prd"), has("data.cloudpam_account.one", "workload_identity", ""),
				statecheck.ExpectKnownValue("data.cloudpam_accounts.all", tfjsonpath.New("by_id").AtMapKey("aws:012345678901").AtMapKey("name"), knownvalue.StringExact("payments-prod")),
				statecheck.ExpectKnownValue("data.cloudpam_accounts.all", tfjsonpath.New("accounts").AtSliceIndex(0).AtMapKey("regions"), knownvalue.SetSizeExact(2)),
				statecheck.ExpectKnownValue("data.cloudpam_accounts.none", tfjsonpath.New("by_id"), knownvalue.MapSizeExact(0)),
			},
		},
		resource.TestStep{Config: scope("partner", "") + account(aws), ConfigPlanChecks: updates, ConfigStateChecks: []statecheck.StateCheck{null("tier"), null("regions"), null("owner"), has(acc, "scope", "default")}},
		resource.TestStep{
			Config:           account("cloud = \"gcp\"\nexternal_id = \"example.com:my-project\"\nworkload_identity = \"cloudpam@my-project.iam.gserviceaccount.com\""),
			ConfigPlanChecks: before(plancheck.ExpectResourceAction(acc, plancheck.ResourceActionReplace), known(acc, "id", "gcp:example.com:my-project")),
		},
		resource.TestStep{ResourceName: acc, ImportState: true, ImportStateId: "gcp:example.com:my-project", ImportStateVerify: true},
		resource.TestStep{ResourceName: acc, ImportState: true, ImportStateId: "gcp:other-project", ExpectError: said(`There is no account "gcp:other-project". Correct the import id. Name the account by its id:`)},
		resource.TestStep{ResourceName: acc, ImportState: true, ImportStateId: "123456789012", ExpectError: said(`Error: Import id names no account "123456789012" is not the id of an account.`)},
	)
}

func TestWhatAnAccountCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	aws := "cloud = \"aws\"\nexternal_id = \"123456789012\"\n"
	again := "resource \"cloudpam_account\" \"again\" {\n  name = \"x\"\n  cloud = \"aws\"\n  external_id = \"123456789012\"\n  depends_on = [cloudpam_account.a]\n}\n"
	steps(t, server,
		refuses(account("cloud = \"aws\"\nexternal_id = 012345678901"), `Write the account number in quotes: without them Terraform reads a number and drops its leading zeros.`),
		refuses(account("cloud = \"gcp\"\nexternal_id = \"my-project\"\nrole_arn = \"arn:aws:iam::123456789012:role/x\""), `Error: Only AWS accounts have a role`),
		refuses(account(aws+"workload_identity = \"x\""), `Error: Only GCP projects have a workload identity`),
		refuses(account(aws+"role_arn = \"arn:aws:iam::999999999999:role/x\""), `is a role of account 999999999999, which cannot see account 123456789012; name a role of the account itself.`),
		refuses(account("cloud = \"gcp\"\nexternal_id = \"My Project\""), `Error: CloudPAM refuses a value with cloudpam_account.a, on terraform_plugin_test.tf line #, in resource "cloudpam_account" "a": #: external_id = "My Project"`),
		refuses(account(aws+"tier = \"prod\""), `value must be one of:`),
		refuses(account(aws)+again, `Adopt what exists with an import block: import { to = cloudpam_account.NAME id = "aws:123456789012" }`),
		resource.TestStep{Config: scope("partner", "") + account(aws+"scope = \"partner\"\ndepends_on = [cloudpam_scope.x]")},
		resource.TestStep{
			PreConfig: func() {
				if err := server.Client.DeleteAccount(t.Context(), "aws:123456789012"); err != nil {
					t.Fatal(err)
				}
			},
			Config: scope("partner", "") + account(aws+"scope = \"partner\"\ndepends_on = [cloudpam_scope.x]"), ConfigPlanChecks: plans(acc, plancheck.ResourceActionCreate),
		},
	)
}

func TestReservationsAndAccountsAreListedForAnImport(t *testing.T) {
	t.Parallel()
	server, _ := stock(t)
	kept, err := server.Client.CreateReservation(t.Context(), cloudpam.NewReservation{Pool: "corp", CIDR: new("10.0.64.0/20"), Reason: "merger", Owner: new("net")})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"222222222222", "111111111111"} {
		if _, err := server.Client.CreateAccount(t.Context(), cloudpam.NewAccount{Cloud: cloudpam.CloudAws, ExternalID: id, Name: "n" + id[:2], Regions: &cloudpam.Regions{"eu-west-1"}}); err != nil {
			t.Fatal(err)
		}
	}
	w := newWire(t, server)
	type names = map[string]string
	merger := names{kept.ID: "corp@10.0.64.0/20 (merger)"}
	for i, c := range []struct {
		typ    string
		filter map[string]any
		want   names
	}{
		{"cloudpam_reservation", nil, merger},
		{"cloudpam_reservation", map[string]any{"pool": "corp", "owner": "net", "search": "MERG", "contains": "10.0.65.1"}, merger},
		{"cloudpam_reservation", map[string]any{"pool": "partner.corp"}, names{}},
		{"cloudpam_account", nil, names{"aws:111111111111": "aws:111111111111 (n11)", "aws:222222222222": "aws:222222222222 (n22)"}},
		{"cloudpam_account", map[string]any{"cloud": "aws", "search": "n22"}, names{"aws:222222222222": "aws:222222222222 (n22)"}},
		{"cloudpam_account", map[string]any{"cloud": "gcp"}, names{}},
	} {
		got, states := w.list(c.typ, c.filter, 0)
		if !maps.Equal(got, c.want) {
			t.Errorf("list %d: %s with %v is %v, want %v", i, c.typ, c.filter, got, c.want)
		}
		for _, state := range states {
			id := state["id"]
			imported, err := w.server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: c.typ, Identity: w.identity(c.typ, id)})
			w.ok(err, imported.Diagnostics)
			one := imported.ImportedResources[0]
			read, err := w.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: c.typ, CurrentState: one.State, CurrentIdentity: one.Identity, Private: one.Private})
			w.ok(err, read.Diagnostics)
			if got := w.attributes(w.schemas.ResourceSchemas[c.typ], read.NewState); fmt.Sprint(got) != fmt.Sprint(state) {
				t.Errorf("listed %v, imported %v", state, got)
			}
		}
	}
}

func TestWhatIsFreeAndHowFullAPoolIsCanBeRead(t *testing.T) {
	t.Parallel()
	reads := `
	data "cloudpam_free_blocks" "x" {
	  pool       = cloudpam_pool.corp.id
	  depends_on = [cloudpam_allocation.a]
	}
	data "cloudpam_utilization" "x" {
	  pool       = cloudpam_pool.corp.id
	  depends_on = [cloudpam_allocation.a]
	}`
	number := func(address, attribute string, want knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute), want)
	}
	steps(t, acctest.Start(t),
		resource.TestStep{Config: allocation("name = \"a\"\nprefix_length = 18") + reads, ConfigStateChecks: []statecheck.StateCheck{
			has("data.cloudpam_utilization.x", "used", "16384"), has("data.cloudpam_utilization.x", "free", "49152"), has("data.cloudpam_utilization.x", "total", "65536"),
			number("data.cloudpam_utilization.x", "used_ratio", knownvalue.Float64Exact(0.25)), number("data.cloudpam_utilization.x", "largest_free_prefix_length", knownvalue.Int64Exact(17)),
			number("data.cloudpam_utilization.x", "allocations", knownvalue.Int64Exact(1)),
			number("data.cloudpam_free_blocks.x", "blocks", knownvalue.ListExact([]knownvalue.Check{
				knownvalue.ObjectExact(map[string]knownvalue.Check{"prefix_length": knownvalue.Int64Exact(17), "blocks": knownvalue.Int64Exact(1), "first": knownvalue.StringExact("10.0.128.0/17"), "fits": knownvalue.StringExact("1")}),
				knownvalue.ObjectExact(map[string]knownvalue.Check{"prefix_length": knownvalue.Int64Exact(18), "blocks": knownvalue.Int64Exact(1), "first": knownvalue.StringExact("10.0.64.0/18"), "fits": knownvalue.StringExact("3")}),
			})),
		}},
		refuses("data \"cloudpam_utilization\" \"x\" {\n  pool = \"nowhere\"\n}\n", `Error: Pool "nowhere" does not exist`),
		refuses("data \"cloudpam_free_blocks\" \"x\" {\n  pool = \"nowhere\"\n}\n", `Error: Pool "nowhere" does not exist`),
	)
}
