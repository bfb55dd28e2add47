package provider_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const vpc = "cloudpam_pool.vpc"

// regions is a pool with two others in it, and one more of the settings.
func regions(settings string) string {
	return `
	resource "cloudpam_pool" "corp" {
	  name = "corp"
	  cidr = "10.0.0.0/8"
	}
	resource "cloudpam_pool" "west" {
	  name          = "west"
	  parent        = cloudpam_pool.corp.id
	  cidr          = "10.0.0.0/16"
	}
	resource "cloudpam_pool" "east" {
	  name          = "east"
	  parent        = cloudpam_pool.corp.id
	  cidr          = "10.1.0.0/16"
	}
	resource "cloudpam_pool" "vpc" {
	  name = "vpc"
	  ` + settings + `
	}
	`
}

const inVPC = `
	resource "cloudpam_allocation" "a" {
	  pool          = cloudpam_pool.vpc.id
	  name          = "app"
	  prefix_length = 26
	}
`

func TestAnEmptyPoolMovesInPlace(t *testing.T) {
	t.Parallel()
	id := statecheck.CompareValue(compare.ValuesSame())
	is := func(parent, cidr string) []statecheck.StateCheck {
		return []statecheck.StateCheck{has(vpc, "parent", parent), has(vpc, "cidr", cidr), id.AddStateValue(vpc, tfjsonpath.New("id"))}
	}
	const west, east, east2, root = "parent = cloudpam_pool.west.id\nprefix_length = 24", "parent = cloudpam_pool.east.id\nprefix_length = 24",
		"parent = cloudpam_pool.east.id\ncidr = \"10.1.8.0/22\"", "cidr = \"192.168.0.0/24\""
	update := plancheck.ExpectResourceAction(vpc, plancheck.ResourceActionUpdate)
	steps(t, acctest.Start(t),
		resource.TestStep{Config: regions(west), ConfigStateChecks: is("west", "10.0.0.0/24")},
		resource.TestStep{
			Config: regions(east) + inVPC, ConfigStateChecks: append(is("east", "10.1.0.0/24"), has(app, "cidr", "10.1.0.0/26")),
			ConfigPlanChecks: before(update, plancheck.ExpectUnknownValue(vpc, tfjsonpath.New("cidr")), known(vpc, "id", "vpc"),
				plancheck.ExpectUnknownValue(app, tfjsonpath.New("cidr"))),
		},
		resource.TestStep{Config: regions(east) + inVPC, ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: regions(east)},
		resource.TestStep{Config: regions(west)},
		resource.TestStep{Config: regions(east2), ConfigPlanChecks: before(update, known(vpc, "cidr", "10.1.8.0/22")), ConfigStateChecks: is("east", "10.1.8.0/22")},
		resource.TestStep{Config: regions(root), ConfigPlanChecks: before(update), Check: resource.TestCheckNoResourceAttr(vpc, "parent")},
		resource.TestStep{Config: regions(root), ConfigPlanChecks: emptyPlan},
	)
}

func TestAPoolThatIsNotEmptyStaysInItsParent(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: regions("parent = cloudpam_pool.west.id\nprefix_length = 24") + inVPC},
		resource.TestStep{
			Config: regions("parent = cloudpam_pool.east.id\nprefix_length = 24") + inVPC, PlanOnly: true,
			ExpectError: said(`Error: Pool "vpc" is not empty, so it stays in its parent with cloudpam_pool.vpc,`),
		},
		resource.TestStep{
			Config: regions("parent = cloudpam_pool.east.id\nprefix_length = 24") + inVPC, PlanOnly: true,
			ExpectError: said(`In the way (the first of them): - allocation "app" (10.0.0.0/26), id`),
		},
		resource.TestStep{
			Config: regions("parent = \"nowhere\"\nprefix_length = 24") + inVPC, PlanOnly: true,
			ExpectError: said(`Error: Pool does not exist with cloudpam_pool.vpc,`),
		},
	)
}

func TestAPoolThatCannotBeResizedFailsThePlan(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: regions("parent = cloudpam_pool.west.id\ncidr = \"10.0.0.0/24\"") + inVPC},
		resource.TestStep{
			PreConfig: func() {
				if _, err := server.Client.CreateAllocation(t.Context(), cloudpam.NewAllocation{Pool: "west", Name: "neighbour", CIDR: new("10.0.1.0/24")}); err != nil {
					t.Fatal(err)
				}
			},
			Config: regions("parent = cloudpam_pool.west.id\nprefix_length = 23") + inVPC, PlanOnly: true,
			ExpectError: said(`Error: Pool "vpc" cannot be resized with cloudpam_pool.vpc, on terraform_plugin_test.tf line #, in resource "cloudpam_pool" "vpc": #: resource "cloudpam_pool" "vpc" {
				10.0.0.0/24 cannot grow to 10.0.0.0/23: 10.0.1.0/24 is taken: allocation "neighbour" holds 10.0.1.0/24.`),
		},
		resource.TestStep{
			Config: regions("parent = cloudpam_pool.west.id\ncidr = \"10.0.0.128/25\"") + inVPC, PlanOnly: true,
			ExpectError: said(`Error: Pool "vpc" cannot be resized`),
		},
		resource.TestStep{PreConfig: func() { drop(t, server, "neighbour") }, Config: regions("parent = cloudpam_pool.west.id\ncidr = \"10.0.0.0/24\"") + inVPC, ConfigPlanChecks: emptyPlan},
	)
}

func TestAResizeOfAPoolThatIsTakenBetweenPlanAndApplyIsToldInOurWords(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: regions("parent = cloudpam_pool.west.id\nprefix_length = 24")},
		resource.TestStep{
			Config: regions("parent = cloudpam_pool.west.id\nprefix_length = 23"),
			ConfigPlanChecks: before(between(func(ctx context.Context) error {
				if err := server.Client.ReleaseDraft(ctx, "vpc~10-0-1-0-24"); err != nil { // what the plan keeps, a person may give up
					return err
				}
				_, err := server.Client.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: "west", Name: "thief", CIDR: new("10.0.1.0/24")})
				return err
			})),
			ExpectError: said(`Error: Pool "vpc" cannot be resized`),
		},
		resource.TestStep{PreConfig: func() { drop(t, server, "thief") }, Config: regions("parent = cloudpam_pool.west.id\nprefix_length = 23"), ConfigStateChecks: []statecheck.StateCheck{has(vpc, "cidr", "10.0.0.0/23")}},
	)
}

// The space that a pool gains in a plan is there for what is in it by the time that this is applied.
func TestAPoolGrowsTogetherWithWhatIsInIt(t *testing.T) {
	t.Parallel()
	config := func(corp, vpc int, more string) string {
		return fmt.Sprintf(`
		resource "cloudpam_pool" "corp" {
		  name = "corp"
		  cidr = "10.0.0.0/%d"
		}
		resource "cloudpam_pool" "vpc" {
		  name          = "vpc"
		  parent        = cloudpam_pool.corp.id
		  prefix_length = %d
		}
		resource "cloudpam_allocation" "all" {
		  pool = cloudpam_pool.vpc.id
		  name = "all"
		  cidr = "10.0.0.0/24"
		}
		`, corp, vpc) + more
	}
	steps(t, acctest.Start(t),
		resource.TestStep{Config: config(24, 24, "")},
		resource.TestStep{Config: config(22, 23, inVPC), ConfigStateChecks: []statecheck.StateCheck{
			has(vpc, "cidr", "10.0.0.0/23"), has(app, "cidr", "10.0.1.0/26"),
		}},
		resource.TestStep{Config: config(22, 23, inVPC), ConfigPlanChecks: emptyPlan},
	)
}

// What a pool is to have is known while planning, so that what will not fit is refused there: it may not wait for an apply that cannot work.
func TestAPlanCountsWhatAPoolWillHave(t *testing.T) {
	t.Parallel()
	config := func(length int, more string) string {
		return fmt.Sprintf(`
		resource "cloudpam_pool" "corp" {
		  name = "corp"
		  cidr = "10.0.0.0/16"
		}
		resource "cloudpam_pool" "vpc" {
		  name          = "vpc"
		  parent        = cloudpam_pool.corp.id
		  prefix_length = %d
		}`, length) + more
	}
	sized := func(name string, length int) string {
		return fmt.Sprintf("\nresource \"cloudpam_allocation\" %q {\n  pool = cloudpam_pool.vpc.id\n  name = %q\n  prefix_length = %d\n}\n", name, name, length)
	}
	for name, c := range map[string]struct {
		applied, refused, works string
		says                    string
	}{
		"where it shrinks": {
			config(24, sized("half", 25)), config(25, sized("half", 25)+sized("more", 26)), config(24, sized("half", 25)+sized("more", 26)),
			`Error: Pool is exhausted with cloudpam_allocation.more, on main.tf line #, in resource "cloudpam_allocation" "more": #: prefix_length = 26
				Pool vpc has no free /26; nothing in it is free; plans hold 1 block, 10.0.0.128/25 for what the pool gives up until`,
		},
		"where it grows": {
			config(25, sized("all", 25)), config(24, sized("all", 25)+sized("more", 24)), config(24, sized("all", 25)+sized("more", 25)),
			`Error: Pool is exhausted with cloudpam_allocation.more, on main.tf line #, in resource "cloudpam_allocation" "more": #: prefix_length = 24
				Pool vpc has no free /24 before it has grown, as it is planned to: apply that first, and then this.`,
		},
		"where what it gains is promised": {
			config(25, sized("all", 25)), config(24, sized("all", 25)+sized("more", 25)+sized("most", 25)), config(24, sized("all", 25)+sized("more", 25)),
			`nothing in it is free; pool corp has room; what it is planned to gain has none either.`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tf := acctest.NewTerraform(t, acctest.Start(t), c.applied)
			tf.Run(t, "apply", "-no-color", "-auto-approve")
			tf.Write(t, "main.tf", c.refused)
			if _, out, err := tf.Try("plan", "-no-color"); err == nil || !said(c.says).MatchString(out) {
				t.Errorf("%v\n%s", err, out)
			}
			tf.Write(t, "main.tf", c.works)
			tf.Run(t, "apply", "-no-color", "-auto-approve")
			tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
		})
	}
}

func TestAPoolMovesIntoOneOfTheSamePlanAndIsReplacedInAnotherScope(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	if _, err := server.Client.CreateScope(t.Context(), cloudpam.NewScope{Name: "partner"}); err != nil {
		t.Fatal(err)
	}
	const more = `
	resource "cloudpam_pool" "south" {
	  name          = "south"
	  parent        = cloudpam_pool.corp.id
	  prefix_length = 16
	}
	resource "cloudpam_pool" "partner" {
	  scope = "partner"
	  name  = "corp"
	  cidr  = "10.0.0.0/8"
	}
	`
	steps(t, server,
		resource.TestStep{Config: regions("parent = cloudpam_pool.west.id\nprefix_length = 24")},
		resource.TestStep{
			Config:            regions("parent = cloudpam_pool.south.id\nprefix_length = 24") + more,
			ConfigPlanChecks:  before(plancheck.ExpectResourceAction(vpc, plancheck.ResourceActionUpdate)),
			ConfigStateChecks: []statecheck.StateCheck{has(vpc, "cidr", "10.2.0.0/24")},
		},
		resource.TestStep{
			Config:            regions("parent = cloudpam_pool.partner.id\nprefix_length = 24") + more,
			ConfigPlanChecks:  before(plancheck.ExpectResourceAction(vpc, plancheck.ResourceActionDestroyBeforeCreate), known(vpc, "id", "partner.vpc"), known(vpc, "cidr", "10.0.0.0/24")),
			ConfigStateChecks: []statecheck.StateCheck{has(vpc, "id", "partner.vpc")},
		},
		resource.TestStep{Config: regions("parent = cloudpam_pool.partner.id\nprefix_length = 24") + more, ConfigPlanChecks: emptyPlan},
	)
}
