package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const tree = `
resource "cloudpam_pool" "corp" {
  name = "corp"
  cidr = "10.0.0.0/8"
}
resource "cloudpam_pool" "env" {
  name                  = "prod"
  parent                = cloudpam_pool.corp.id
  prefix_length         = 12
  default_prefix_length = 24
  labels                = { team = "net" }
}
resource "cloudpam_pool" "vpc" {
  name          = "prod-vpc1"
  parent        = cloudpam_pool.env.id
  prefix_length = 16
  owner         = "network-team"
}
resource "cloudpam_allocation" "subnet" {
  for_each      = { a = 24, b = 26, host = 32 }
  pool          = cloudpam_pool.vpc.id
  name          = each.key
  prefix_length = each.value
}
resource "cloudpam_allocation" "default" {
  pool       = cloudpam_pool.env.id
  name       = "default"
  depends_on = [cloudpam_pool.vpc]
}
`

var emptyPlan = resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}

// plans is a check of what a plan does to a resource.
func plans(address string, action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, action)}}
}

func has(address, attribute, value string) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute), knownvalue.StringExact(value))
}

func TestAPoolTreeWithAllocationsIsCreatedAndThenThereIsNothingToDo(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{
			Config: tree,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectKnownValue("cloudpam_pool.corp", tfjsonpath.New("prefix_length"), knownvalue.Int64Exact(8)),
				plancheck.ExpectKnownValue("cloudpam_pool.env", tfjsonpath.New("id"), knownvalue.StringExact("prod")),
				plancheck.ExpectKnownValue("cloudpam_pool.env", tfjsonpath.New("scope"), knownvalue.StringExact("default")),
				plancheck.ExpectKnownValue("cloudpam_allocation.default", tfjsonpath.New("scope"), knownvalue.StringExact("default")),
				plancheck.ExpectKnownValue("cloudpam_pool.env", tfjsonpath.New("cidr"), knownvalue.StringExact("10.0.0.0/12")),
				plancheck.ExpectKnownValue(`cloudpam_allocation.subnet["a"]`, tfjsonpath.New("cidr"), knownvalue.NotNull()),
				plancheck.ExpectKnownValue(`cloudpam_allocation.default`, tfjsonpath.New("prefix_length"), knownvalue.Int64Exact(24)),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				has("cloudpam_pool.env", "cidr", "10.0.0.0/12"),
				has("cloudpam_pool.vpc", "cidr", "10.0.0.0/16"),
				has("cloudpam_pool.vpc", "strategy", "best_fit"),
				statecheck.ExpectKnownValue("cloudpam_allocation.default", tfjsonpath.New("prefix_length"), knownvalue.Int64Exact(24)),
				statecheck.ExpectKnownValue(`cloudpam_allocation.subnet["b"]`, tfjsonpath.New("ip_version"), knownvalue.Int64Exact(4)),
			},
		},
		resource.TestStep{Config: tree, ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: tree, Destroy: true}, // children before their parents
	)
}

func TestAPoolGrowsAndShrinksInPlace(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	config := func(size string) string {
		return `
		resource "cloudpam_pool" "corp" {
		  name = "corp"
		  cidr = "10.0.0.0/8"
		}
		resource "cloudpam_pool" "vpc" {
		  name   = "vpc"
		  parent = cloudpam_pool.corp.id
		  ` + size + `
		}
		resource "cloudpam_allocation" "a" {
		  pool          = cloudpam_pool.vpc.id
		  name          = "a"
		  prefix_length = 24
		}`
	}
	same := statecheck.CompareValue(compare.ValuesSame())
	kept := func() statecheck.StateCheck {
		return same.AddStateValue("cloudpam_allocation.a", tfjsonpath.New("cidr"))
	}
	resized := func(size, cidr string) resource.TestStep {
		return resource.TestStep{
			Config: config(size),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("cloudpam_pool.vpc", plancheck.ResourceActionUpdate),
				plancheck.ExpectResourceAction("cloudpam_allocation.a", plancheck.ResourceActionNoop),
				plancheck.ExpectKnownValue("cloudpam_pool.vpc", tfjsonpath.New("cidr"), knownvalue.StringExact(cidr)),
			}},
			ConfigStateChecks: []statecheck.StateCheck{kept(), has("cloudpam_pool.vpc", "cidr", cidr)},
		}
	}
	steps(t, server,
		resource.TestStep{Config: config("prefix_length = 20"), ConfigStateChecks: []statecheck.StateCheck{kept(), has("cloudpam_pool.vpc", "cidr", "10.0.0.0/20")}},
		resized("prefix_length = 18", "10.0.0.0/18"),
		resized("prefix_length = 22", "10.0.0.0/22"),
		resized(`cidr = "10.0.0.0/16"`, "10.0.0.0/16"),
		refuses(config(`cidr = "10.1.0.0/16"`),
			`Error: A pool cannot move with cloudpam_pool.vpc, on terraform_plugin_test.tf line #, in resource "cloudpam_pool" "vpc": #: cidr = "10.1.0.0/16"
			Pool "vpc" is 10.0.0.0/16. It can grow around that or shrink inside it, but not move to 10.1.0.0/16.
			Create a pool under another name and move what this one holds.`),
		resource.TestStep{Config: config(`cidr = "10.0.0.0/16"`), ConfigPlanChecks: emptyPlan},
	)
}

func TestAPoolDoesNotShrinkOverItsHolders(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	config := func(length string) string {
		return `
		resource "cloudpam_pool" "corp" {
		  name = "corp"
		  cidr = "10.0.0.0/` + length + `"
		}
		resource "cloudpam_allocation" "far" {
		  pool = cloudpam_pool.corp.id
		  name = "far"
		  cidr = "10.255.0.0/24"
		}`
	}
	steps(t, server,
		resource.TestStep{Config: config("8")},
		refuses(config("9"), `Error: Pool "corp" cannot be resized with cloudpam_pool.corp, on terraform_plugin_test.tf line #, in resource "cloudpam_pool" "corp": #: cidr = "10.0.0.0/9"
			10.128.0.0/9 is taken: allocation "far" holds 10.255.0.0/24.
			Growing needs the space beside the pool to be free, shrinking needs the space that it gives up to be empty. Release or move what is in the way, or choose another size. Request id:`),
		resource.TestStep{Config: config("8"), ConfigPlanChecks: emptyPlan},
	)
}

func TestSettingsOfAPoolChangeInPlaceAndCanBeRemovedAgain(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	config := func(settings string) string {
		return "resource \"cloudpam_pool\" \"corp\" {\n  name = \"corp\"\n  cidr = \"10.0.0.0/8\"\n" + settings + "\n}\n"
	}
	full := `
	  strategy              = "sparse"
	  min_prefix_length     = 12
	  max_prefix_length     = 28
	  default_prefix_length = 24
	  account               = "123456789012"
	  region                = "eu-west-1"
	  environment           = "prod"
	  owner                 = "network-team"
	  description           = "All of it"
	  labels                = { team = "net", tier = "1" }
	  deletion_protection   = true`
	updated := plans("cloudpam_pool.corp", plancheck.ResourceActionUpdate)
	steps(t, server,
		resource.TestStep{Config: config("")},
		resource.TestStep{Config: config(full), ConfigPlanChecks: updated, ConfigStateChecks: []statecheck.StateCheck{
			has("cloudpam_pool.corp", "strategy", "sparse"), has("cloudpam_pool.corp", "region", "eu-west-1"),
		}},
		resource.TestStep{Config: config(full), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: config(full), ResourceName: "cloudpam_pool.corp", ImportState: true, ImportStateVerify: true},
		resource.TestStep{
			Config: config(full), Destroy: true,
			ExpectError: said(`Error: Pool "corp" is protected`),
		},
		resource.TestStep{Config: config(""), ConfigPlanChecks: updated, ConfigStateChecks: []statecheck.StateCheck{
			has("cloudpam_pool.corp", "strategy", "best_fit"),
			statecheck.ExpectKnownValue("cloudpam_pool.corp", tfjsonpath.New("owner"), knownvalue.Null()),
			statecheck.ExpectKnownValue("cloudpam_pool.corp", tfjsonpath.New("labels"), knownvalue.Null()),
			statecheck.ExpectKnownValue("cloudpam_pool.corp", tfjsonpath.New("min_prefix_length"), knownvalue.Null()),
		}},
		resource.TestStep{Config: config("owner = \"\"\nlabels = {}"), ConfigPlanChecks: updated},
		resource.TestStep{Config: config("owner = \"\"\nlabels = {}"), ConfigPlanChecks: emptyPlan},
	)
}

func TestAPoolThatIsNotEmptyIsNotDeleted(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	config := "resource \"cloudpam_pool\" \"corp\" {\n  name = \"corp\"\n  cidr = \"10.0.0.0/8\"\n}\n"
	var stranger cloudpam.Allocation
	steps(t, server,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				var err error
				stranger, err = server.Client.CreateAllocation(t.Context(), cloudpam.NewAllocation{Pool: "corp", Name: "stranger", PrefixLength: new(24)})
				if err != nil {
					t.Fatal(err)
				}
			},
			Config: config, Destroy: true,
			ExpectError: said(`Error: Pool "corp" is not empty Pool corp is not empty`),
		},
		resource.TestStep{
			Config: config, Destroy: true,
			ExpectError: said(`In the way (the first of them): - allocation "stranger" (10.0.0.0/24), id`),
		},
		resource.TestStep{
			PreConfig: func() {
				if err := server.Client.ReleaseAllocation(t.Context(), stranger.ID); err != nil {
					t.Fatal(err)
				}
			},
			Config: config, ConfigPlanChecks: emptyPlan,
		},
	)
}

func TestAPoolThatDisappearedIsCreatedAgain(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	config := "resource \"cloudpam_pool\" \"corp\" {\n  name = \"corp\"\n  cidr = \"10.0.0.0/8\"\n}\n"
	steps(t, server,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				if err := server.Client.DeletePool(t.Context(), "corp"); err != nil {
					t.Fatal(err)
				}
			},
			Config: config, ConfigPlanChecks: plans("cloudpam_pool.corp", plancheck.ResourceActionCreate),
		},
	)
}

func TestAPoolOfAnotherScopeHasTheScopeInItsID(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	if _, err := server.Client.CreateScope(t.Context(), cloudpam.NewScope{Name: "partner"}); err != nil {
		t.Fatal(err)
	}
	config := `
	resource "cloudpam_pool" "corp" {
	  scope = "partner"
	  name  = "corp"
	  cidr  = "10.0.0.0/8"
	}
	resource "cloudpam_pool" "child" {
	  name          = "child"
	  parent        = cloudpam_pool.corp.id
	  prefix_length = 16
	}
	resource "cloudpam_allocation" "a" {
	  pool          = cloudpam_pool.child.id
	  name          = "a"
	  prefix_length = 24
	}`
	steps(t, server,
		resource.TestStep{
			Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectKnownValue("cloudpam_pool.child", tfjsonpath.New("id"), knownvalue.StringExact("partner.child")),
				plancheck.ExpectKnownValue("cloudpam_pool.child", tfjsonpath.New("scope"), knownvalue.StringExact("partner")),
				plancheck.ExpectKnownValue("cloudpam_allocation.a", tfjsonpath.New("scope"), knownvalue.StringExact("partner")),
			}},
			ConfigStateChecks: []statecheck.StateCheck{has("cloudpam_pool.child", "cidr", "10.0.0.0/16")},
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: config, ResourceName: "cloudpam_pool.child", ImportState: true, ImportStateVerify: true},
	)
}

func TestAPoolIsImportedByItsIDWithAnEmptyPlan(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tree := `
	resource "cloudpam_pool" "corp" {
	  name = "corp"
	  cidr = "10.0.0.0/8"
	}
	resource "cloudpam_pool" "vpc" {
	  name          = "prod-vpc1"
	  parent        = cloudpam_pool.corp.id
	  prefix_length = 16
	  owner         = "network-team"
	}`
	steps(t, server,
		resource.TestStep{Config: tree},
		resource.TestStep{Config: tree, ResourceName: "cloudpam_pool.vpc", ImportState: true, ImportStateId: "prod-vpc1", ImportStateVerify: true},
		resource.TestStep{Config: tree, ResourceName: "cloudpam_pool.vpc", ImportState: true, ImportStateId: "prod-vpc1", ImportStateKind: resource.ImportBlockWithID},
		resource.TestStep{
			Config: tree, ResourceName: "cloudpam_pool.vpc", ImportState: true, ImportStateId: "prod/vpc1",
			ExpectError: said(`Error: Import id names no pool "prod/vpc1" is not the id of a pool.
			Name the pool by its id: <name> in the scope "default", such as prod-euw1, and <scope>.<name> elsewhere, such as partner.prod-euw1.`),
		},
		resource.TestStep{
			Config: tree, ResourceName: "cloudpam_pool.vpc", ImportState: true, ImportStateId: "nowhere",
			ExpectError: said(`Error: Pool "nowhere" does not exist There is no pool "nowhere". Correct the import id. Name the pool by its id: <name> in the scope "default",`),
		},
	)
}
