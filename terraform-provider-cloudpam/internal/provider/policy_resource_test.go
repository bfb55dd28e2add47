package provider_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const pol = "cloudpam_policy.p"

func policed(name, rules string) string {
	return fmt.Sprintf("resource \"cloudpam_pool\" \"corp\" {\n  name = %q\n  cidr = \"10.0.0.0/16\"\n}\nresource \"cloudpam_policy\" \"p\" {\n  pool = cloudpam_pool.corp.id\n%s\n}\n", name, rules)
}

func TestAPolicyIsSetChangedInPlaceAndImported(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	full := `
	  description             = "d"
	  min_prefix_length       = 20
	  max_prefix_length       = 28
	  pool_min_prefix_length  = 18
	  pool_max_prefix_length  = 24
	  accounts                = ["aws:2", "aws:1"]
	  regions                 = ["eu-west-1"]
	  environments            = ["prd"]
	  required_labels         = { team = ["b", "a"], any = [] }
	  owner_required          = true
	  name_pattern            = "[a-z]+"
	  exclude                 = ["10.0.1.0/24"]
	  exclude_sets            = ["docker"]
	  usable_only             = true
	  skip_first              = 4
	  max_owner_share_percent = 50
	  expression              = "prefix_length > 0"
	  expression_message      = "no"
	  approval_above          = 24
	  pool_approval_above     = 22
	  release_approval_above  = 31
	  approval_groups         = [{ role = "admin", approval_above = 20, pool_approval_above = 18 }, { labels = { team = "net" }, approval_above = 22 }]`
	updates := plans(pol, plancheck.ResourceActionUpdate)
	steps(t, server,
		resource.TestStep{Config: policed("corp", "min_prefix_length = 20")},
		resource.TestStep{Config: policed("corp", "min_prefix_length = 20\nowner_required = false"), ConfigPlanChecks: updates},
		resource.TestStep{Config: policed("corp", full), ConfigPlanChecks: updates},
		resource.TestStep{Config: policed("corp", full), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: policed("corp", full), ResourceName: pol, ImportState: true, ImportStateId: "corp", ImportStateVerify: true},
		resource.TestStep{Config: policed("corp", full), ResourceName: pol, ImportState: true, ImportStateVerify: true},
		resource.TestStep{Config: policed("company", full), ConfigPlanChecks: updates, ConfigStateChecks: []statecheck.StateCheck{has(pol, "pool", "company")}},
		resource.TestStep{Config: policed("company", "skip_first = 2"), ConfigPlanChecks: updates, ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(pol, tfjsonpath.New("required_labels"), knownvalue.Null()), statecheck.ExpectKnownValue(pol, tfjsonpath.New("owner_required"), knownvalue.Null()),
		}},
		resource.TestStep{
			PreConfig: func() {
				if err := server.Client.DeletePolicy(t.Context(), "company"); err != nil {
					t.Fatal(err)
				}
			},
			Config: policed("company", "skip_first = 2"), ConfigPlanChecks: plans(pol, plancheck.ResourceActionCreate),
		},
		resource.TestStep{ResourceName: pol, ImportState: true, ImportStateId: "nobody", ExpectError: said(`There is no pool "nobody". Correct the import id. Name the policy by its pool`)},
	)
}

func TestAPlanIsRefusedWhatAPolicyForbidsAndSaysWhatWouldPass(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	rules := "min_prefix_length = 24\nmax_prefix_length = 28\nowner_required = true\nrequired_labels = { team = [\"payments\", \"search\"] }\nexclude = [\"10.0.0.0/24\"]\npool_min_prefix_length = 20"
	alloc := func(of string) string {
		return policed("corp", rules) + "resource \"cloudpam_allocation\" \"a\" {\n  pool = cloudpam_pool.corp.id\n  name = \"a\"\n  depends_on = [cloudpam_policy.p]\n" + of + "\n}\n"
	}
	plan := func(config, text string) resource.TestStep {
		return resource.TestStep{Config: config, PlanOnly: true, ExpectError: said(text)}
	}
	good := "prefix_length = 24\nowner = \"net\"\nlabels = { team = \"payments\" }"
	steps(t, server,
		resource.TestStep{Config: policed("corp", rules)},
		plan(alloc("prefix_length = 20\nowner = \"net\"\nlabels = { team = \"payments\" }"), `Error: Pool's policy does not allow this with cloudpam_allocation.a, on terraform_plugin_test.tf line #, in resource "cloudpam_allocation" "a": #: prefix_length = 20 `+
			`A /20 is too large: the policy of pool corp has min_prefix_length 24; use /24 to /28. Ask for what the pool allows, use another pool, or change the pool's settings.`),
		plan(alloc("prefix_length = 24\nlabels = { team = \"sales\" }"), `No owner is named, and the policy of pool corp asks for one.`),
		plan(alloc("prefix_length = 24\nlabels = { team = \"sales\" }"), `The label team=sales is not allowed by the policy of pool corp; use "payments" or "search".`),
		plan(alloc("cidr = \"10.0.0.0/26\"\nowner = \"net\"\nlabels = { team = \"payments\" }"), `10.0.0.0/26 is in 10.0.0.0/24, which the policy of pool corp excludes; name another block, or none to have one chosen.`),
		plan(policed("corp", rules)+"resource \"cloudpam_allocation_set\" \"s\" {\n  pool = cloudpam_pool.corp.id\n  name = \"s\"\n  subnets = { a = 25, b = 30 }\n  owner = \"net\"\n  labels = { team = \"payments\" }\n}\n",
			`a /30 is too small: the policy of pool corp has max_prefix_length 28; use /24 to /28.`),
		plan(policed("corp", rules)+"resource \"cloudpam_pool\" \"child\" {\n  name = \"child\"\n  parent = cloudpam_pool.corp.id\n  prefix_length = 18\n}\n",
			`A /18 is too large: the policy of pool corp has pool_min_prefix_length 20; use /20 to /32.`),
		resource.TestStep{Config: alloc(good), ConfigPlanChecks: before(known("cloudpam_allocation.a", "cidr", "10.0.1.0/24"))},
		plan(alloc("prefix_length = 22\nowner = \"net\"\nlabels = { team = \"payments\" }"), `A /22 is too large: the policy of pool corp has min_prefix_length 24; use /24 to /28.`),
	)
}

func TestAPolicyThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	child := "resource \"cloudpam_pool\" \"child\" {\n  name = \"child\"\n  parent = cloudpam_pool.corp.id\n  prefix_length = 20\n}\n" +
		"resource \"cloudpam_policy\" \"child\" {\n  pool = cloudpam_pool.child.id\n  min_prefix_length = 22\n  depends_on = [cloudpam_policy.p]\n}\n"
	steps(t, server,
		refuses(policed("corp", "min_prefix_length = 24")+child, `The policy of pool child would allow what the policy of pool corp forbids: its min_prefix_length is 22, and that of the outer one 24; leave it out, or use 24.`),
		refuses(policed("corp", "expression = \"prefix_length >\""), `This is no CEL expression`),
		refuses(policed("corp", "exclude_sets = [\"doker\"]"), `"doker" is no set of ranges; use aks_services, docker,`),
		refuses(policed("corp", ""), `The policy asks for nothing; name one rule at least, or delete the policy.`),
	)
	server = acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: "resource \"cloudpam_pool\" \"corp\" {\n  name = \"corp\"\n  cidr = \"10.0.0.0/16\"\n}\n"},
		resource.TestStep{
			PreConfig: func() {
				if _, err := server.Client.SetPolicy(t.Context(), "corp", cloudpam.NewPolicy{Rules: cloudpam.PolicyRules{SkipFirst: new(3)}}); err != nil {
					t.Fatal(err)
				}
			},
			Config: policed("corp", "skip_first = 2"), ExpectError: said(`Error: Pool has a policy already`),
		},
	)
}
