package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

func scope(name, more string) string {
	return "resource \"cloudpam_scope\" \"x\" {\n  name = \"" + name + "\"\n" + more + "\n}\n"
}

func TestAScopeIsCreatedChangedInPlaceAndImported(t *testing.T) {
	t.Parallel()
	full := "description = \"Networks of our partners\"\nlabels = { team = \"net\" }\n"
	read := "data \"cloudpam_scope\" \"x\" {\n  name = cloudpam_scope.x.name\n}\n"
	steps(t, acctest.Start(t),
		resource.TestStep{Config: scope("partner", ""), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectKnownValue("cloudpam_scope.x", tfjsonpath.New("id"), knownvalue.StringExact("partner")),
		}}},
		resource.TestStep{Config: scope("partner", full), ConfigPlanChecks: plans("cloudpam_scope.x", plancheck.ResourceActionUpdate)},
		resource.TestStep{Config: scope("partner", full) + read, ConfigStateChecks: []statecheck.StateCheck{
			has("data.cloudpam_scope.x", "id", "partner"), has("data.cloudpam_scope.x", "description", "Networks of our partners"),
		}},
		resource.TestStep{Config: scope("partner", full), ResourceName: "cloudpam_scope.x", ImportState: true, ImportStateId: "partner", ImportStateVerify: true},
		resource.TestStep{
			Config: scope("partner", full), ResourceName: "cloudpam_scope.x", ImportState: true, ImportStateId: "A/b",
			ExpectError: said(`Error: Import id names no scope "A/b" is not the name of a scope. Name the scope as it is, such as partner.`),
		},
		resource.TestStep{Config: scope("partner", ""), ConfigPlanChecks: plans("cloudpam_scope.x", plancheck.ResourceActionUpdate), ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("cloudpam_scope.x", tfjsonpath.New("labels"), knownvalue.Null()),
		}},
		resource.TestStep{Config: scope("friend", ""), ConfigPlanChecks: plans("cloudpam_scope.x", plancheck.ResourceActionUpdate)},
		refuses(scope("friend", "")+"data \"cloudpam_scope\" \"y\" {\n  name = \"nowhere\"\n}\n", `Scope "nowhere" does not exist`),
		refuses(scope("friend", "")+"resource \"cloudpam_scope\" \"y\" {\n  name = \"default\"\n}\n", `import { to = cloudpam_scope.NAME id = "default" }`),
	)
}

func TestAScopeThatHoldsPoolsIsNotDeleted(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: scope("partner", "")},
		resource.TestStep{
			PreConfig: func() {
				if _, err := server.Client.CreatePool(t.Context(), cloudpam.NewPool{Name: "corp", Scope: new("partner"), CIDR: new("10.0.0.0/8")}); err != nil {
					t.Fatal(err)
				}
			},
			Config: scope("partner", ""), Destroy: true,
			ExpectError: said(`Delete its pools and accounts first. What this configuration manages is deleted in time when it references the scope (scope = cloudpam_scope.NAME.name) instead of repeating its name; where it repeats the name, run Terraform again, a destroy with -refresh=false.`),
		},
		resource.TestStep{Config: scope("partner", ""), Destroy: true, ExpectError: said(`Error: Scope "partner" is not empty`)},
		resource.TestStep{
			PreConfig: func() {
				if err := server.Client.DeletePool(t.Context(), "partner.corp"); err != nil {
					t.Fatal(err)
				}
			},
			Config: scope("partner", ""), ConfigPlanChecks: emptyPlan,
		},
	)
}

// A scope, its pools and what stands in them in one plan: all of it is known.
func TestAScopeAndWhatStandsInItAreCreatedTogether(t *testing.T) {
	t.Parallel()
	inside := `
	resource "cloudpam_pool" "root" {
	  scope = cloudpam_scope.x.name
	  name  = "corp"
	  cidr  = "10.0.0.0/8"
	}
	resource "cloudpam_pool" "child" {
	  name          = "child"
	  parent        = cloudpam_pool.root.id
	  prefix_length = 16
	}
	resource "cloudpam_allocation" "a" {
	  pool          = cloudpam_pool.child.id
	  name          = "a"
	  prefix_length = 24
	}`
	later := "\nresource \"cloudpam_allocation\" \"b\" {\n  pool = cloudpam_pool.child.id\n  name = \"b\"\n  prefix_length = 24\n}\n"
	steps(t, acctest.Start(t),
		resource.TestStep{
			Config: scope("partner", "") + inside,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectKnownValue("cloudpam_pool.child", tfjsonpath.New("id"), knownvalue.StringExact("partner.child")),
				plancheck.ExpectKnownValue("cloudpam_pool.child", tfjsonpath.New("cidr"), knownvalue.StringExact("10.0.0.0/16")),
				plancheck.ExpectKnownValue("cloudpam_allocation.a", tfjsonpath.New("cidr"), knownvalue.StringExact("10.0.0.0/24")),
			}},
			ConfigStateChecks: []statecheck.StateCheck{has("cloudpam_allocation.a", "cidr", "10.0.0.0/24")},
		},
		resource.TestStep{Config: scope("partner", "") + inside, ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: scope("partner", "") + inside + later, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectKnownValue("cloudpam_allocation.b", tfjsonpath.New("cidr"), knownvalue.StringExact("10.0.1.0/24")),
		}}},
		refuses(scope("partner", "")+inside+later+"resource \"cloudpam_pool\" \"lost\" {\n  scope = \"nowhere\"\n  name = \"lost\"\n  cidr = \"10.0.0.0/8\"\n}\n",
			`There is no scope "nowhere". Correct the value and run Terraform again.`),
		resource.TestStep{Config: scope("partner", "") + inside, Destroy: true},
	)
}
