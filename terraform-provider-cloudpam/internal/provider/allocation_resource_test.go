package provider_test

import (
	"context"
	"maps"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const corp = `
resource "cloudpam_pool" "corp" {
  name = "corp"
  cidr = "10.0.0.0/16"
}
`

// allocation is a configuration with one allocation of the pool corp.
func allocation(settings string) string {
	return corp + "resource \"cloudpam_allocation\" \"a\" {\n  pool = cloudpam_pool.corp.id\n" + settings + "\n}\n"
}

func TestWithAConfiguredCIDREverythingButTheIDIsKnownWhilePlanning(t *testing.T) {
	t.Parallel()
	known := func(attribute string, value knownvalue.Check) plancheck.PlanCheck {
		return plancheck.ExpectKnownValue("cloudpam_allocation.a", tfjsonpath.New(attribute), value)
	}
	steps(t, acctest.Start(t), resource.TestStep{
		Config: allocation(`
		  name = "a"
		  cidr = "10.0.16.0/20"`),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			known("prefix_length", knownvalue.Int64Exact(20)), known("ip_version", knownvalue.Int64Exact(4)),
			known("network_address", knownvalue.StringExact("10.0.16.0")), known("first_address", knownvalue.StringExact("10.0.16.0")),
			known("last_address", knownvalue.StringExact("10.0.31.255")), known("scope", knownvalue.StringExact("default")),
			plancheck.ExpectUnknownValue("cloudpam_allocation.a", tfjsonpath.New("id")),
		}},
	})
}

func TestAnUpdateInPlaceKeepsTheCIDR(t *testing.T) {
	t.Parallel()
	cidr, id := statecheck.CompareValue(compare.ValuesSame()), statecheck.CompareValue(compare.ValuesSame())
	kept := func() []statecheck.StateCheck {
		return []statecheck.StateCheck{
			cidr.AddStateValue("cloudpam_allocation.a", tfjsonpath.New("cidr")), id.AddStateValue("cloudpam_allocation.a", tfjsonpath.New("id")),
		}
	}
	updated := func(settings string) resource.TestStep {
		return resource.TestStep{Config: allocation(settings), ConfigStateChecks: kept(), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction("cloudpam_allocation.a", plancheck.ResourceActionUpdate),
			plancheck.ExpectKnownValue("cloudpam_allocation.a", tfjsonpath.New("cidr"), knownvalue.StringExact("10.0.0.0/24")),
		}}}
	}
	steps(t, acctest.Start(t),
		resource.TestStep{Config: allocation("name = \"a\"\nprefix_length = 24"), ConfigStateChecks: kept()},
		updated("name = \"renamed\"\nprefix_length = 24"),
		updated("name = \"renamed\"\nprefix_length = 24\nowner = \"payments\"\npurpose = \"nodes\"\nlabels = { team = \"pay\" }\ndescription = \"d\"\naccount = \"1\"\nregion = \"r\"\nenvironment = \"e\""),
		updated("name = \"renamed\"\nprefix_length = 24\nlabels = { team = \"web\" }"),
		updated("name = \"a\""), // the size stays when it is no longer configured
		resource.TestStep{Config: allocation("name = \"a\"\ncidr = \"10.0.0.0/24\"\nprefix_length = 24"), ConfigPlanChecks: emptyPlan},
	)
}

func TestAnotherSpellingOfAnIPv6CIDRIsNoChange(t *testing.T) {
	t.Parallel()
	config := func(pool, block string) string {
		return `
		resource "cloudpam_pool" "v6" {
		  name = "v6"
		  cidr = "` + pool + `"
		}
		resource "cloudpam_allocation" "a" {
		  pool = cloudpam_pool.v6.id
		  name = "a"
		  cidr = "` + block + `"
		}`
	}
	steps(t, acctest.Start(t),
		resource.TestStep{
			Config:            config("2001:DB8:0:0::/32", "2001:0db8:00ab::/48"),
			ConfigStateChecks: []statecheck.StateCheck{has("cloudpam_pool.v6", "cidr", "2001:DB8:0:0::/32"), has("cloudpam_allocation.a", "network_address", "2001:db8:ab::")},
		},
		resource.TestStep{Config: config("2001:DB8:0:0::/32", "2001:0db8:00ab::/48"), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: config("2001:db8::/32", "2001:DB8:AB::/48"), ConfigPlanChecks: emptyPlan},
	)
}

func TestDestroyThenApplyGivesTheSameCIDRs(t *testing.T) {
	t.Parallel()
	pool := corp
	all := corp + `
	resource "cloudpam_allocation" "a" {
	  for_each      = { a = 24, b = 26, c = 20, d = 28, e = 32 }
	  pool          = cloudpam_pool.corp.id
	  name          = each.key
	  prefix_length = each.value
	}
	output "cidrs" { value = { for k, a in cloudpam_allocation.a : k => a.cidr } }`
	before, after := outputOf{"cidrs", map[string]any{}}, outputOf{"cidrs", map[string]any{}}
	steps(t, acctest.Start(t),
		resource.TestStep{Config: all, ConfigStateChecks: []statecheck.StateCheck{before}},
		resource.TestStep{Config: pool},
		resource.TestStep{Config: all, ConfigStateChecks: []statecheck.StateCheck{after}},
		resource.TestStep{Config: all, Destroy: true},
	)
	if len(before.value) != 5 || !maps.Equal(before.value, after.value) {
		t.Errorf("before the destroy %v, after it %v", before.value, after.value)
	}
}

// outputOf is a state check that keeps an output that is a map.
type outputOf struct {
	name  string
	value map[string]any
}

// CheckState copies the output.
func (o outputOf) CheckState(_ context.Context, req statecheck.CheckStateRequest, _ *statecheck.CheckStateResponse) {
	value, _ := req.State.Values.Outputs[o.name].Value.(map[string]any)
	maps.Copy(o.value, value)
}

func TestAnAllocationThatDisappearedIsCreatedAgainWithItsCIDR(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	config := allocation("name = \"a\"\nprefix_length = 24")
	var id string
	cidr, ids := statecheck.CompareValue(compare.ValuesSame()), statecheck.CompareValue(compare.ValuesDiffer())
	checks := func() []statecheck.StateCheck {
		return []statecheck.StateCheck{
			cidr.AddStateValue("cloudpam_allocation.a", tfjsonpath.New("cidr")), ids.AddStateValue("cloudpam_allocation.a", tfjsonpath.New("id")),
		}
	}
	steps(t, server,
		resource.TestStep{Config: config, ConfigStateChecks: checks(), Check: resource.TestCheckResourceAttrWith("cloudpam_allocation.a", "id", func(value string) error {
			id = value
			return nil
		})},
		resource.TestStep{
			PreConfig: func() {
				if err := server.Client.ReleaseAllocation(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			},
			Config: config, ConfigStateChecks: checks(), ConfigPlanChecks: plans("cloudpam_allocation.a", plancheck.ResourceActionCreate),
		},
	)
}

func TestAnAllocationIsImportedByEachOfItsIDsWithAnEmptyPlan(t *testing.T) {
	t.Parallel()
	config := allocation("name = \"eu/app:1\"\nprefix_length = 24\nowner = \"payments\"")
	all := []resource.TestStep{{Config: config}}
	byID := func(s *terraform.State) (string, error) {
		return s.RootModule().Resources["cloudpam_allocation.a"].Primary.ID, nil
	}
	for _, kind := range []resource.ImportStateKind{resource.ImportCommandWithID, resource.ImportBlockWithID} {
		for _, id := range []string{"", "corp/eu/app:1", "corp@10.0.0.0/24"} {
			step := resource.TestStep{
				Config: config, ResourceName: "cloudpam_allocation.a", ImportState: true, ImportStateId: id,
				ImportStateKind: kind, ImportStateVerify: kind == resource.ImportCommandWithID,
			}
			if id == "" {
				step.ImportStateIdFunc = byID
			}
			all = append(all, step)
		}
	}
	for id, want := range map[string]string{
		"app-a": `Error: Import id names no allocation "app-a" is not the id of an allocation. Name the allocation in one of four ways:
			- <id> such as alloc_06f2k1m9v8q3t7r5w4x0c1b2n - <pool>/<name> such as prod-euw1/app-a - <pool>@<cidr> such as prod-euw1@10.0.1.0/24`,
		"corp@10.0.0.7/24":    `10.0.0.7/24 is an address inside 10.0.0.0/24. Did you mean "10.0.0.0/24"?`,
		"corp/other":          `There is no allocation "other" in pool "corp". It may have been released, or lie in another pool.`,
		"corp@10.0.9.0/24":    `There is no allocation 10.0.9.0/24 in pool "corp". It may have been released, or lie in another pool.`,
		"alloc_doesnotexist0": `Allocation "alloc_doesnotexist0" does not exist`,
	} {
		all = append(all, resource.TestStep{
			Config: config, ResourceName: "cloudpam_allocation.a", ImportState: true, ImportStateId: id, ExpectError: said(want),
		})
	}
	steps(t, acctest.Start(t), all...)
}
