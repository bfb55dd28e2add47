package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

func known(address, attribute, value string) plancheck.PlanCheck {
	return plancheck.ExpectKnownValue(address, tfjsonpath.New(attribute), knownvalue.StringExact(value))
}

func before(checks ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: checks}
}

// between runs something between a plan and its apply.
type between func(ctx context.Context) error

func (b between) CheckPlan(ctx context.Context, _ plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	resp.Error = b(ctx)
}

// releaseAll gives up every hold, as a person or the clock would, and lets then happen.
func releaseAll(server *acctest.Server, then func(context.Context, cloudpam.Hold) error) between {
	return func(ctx context.Context) error { return releaseHolds(ctx, server.Client, then) }
}

func steal(server *acctest.Server) between {
	return releaseAll(server, func(ctx context.Context, hold cloudpam.Hold) error {
		_, err := server.Client.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: hold.Pool, Name: "thief", CIDR: &hold.CIDR})
		return err
	})
}

const appA = `
	name          = "app"
	prefix_length = 24`

func TestThePlanShowsTheCIDRAndTheApplyUsesIt(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		resource.TestStep{Config: allocation(appA), ConfigPlanChecks: before(
			known("cloudpam_allocation.a", "cidr", "10.0.0.0/24"), known("cloudpam_allocation.a", "last_address", "10.0.0.255"),
			plancheck.ExpectUnknownValue("cloudpam_allocation.a", tfjsonpath.New("id")),
		), Check: resource.TestCheckResourceAttr("cloudpam_allocation.a", "cidr", "10.0.0.0/24")},
		resource.TestStep{Config: allocation(appA), ConfigPlanChecks: emptyPlan},
	)
}

const threeLevels = `
resource "cloudpam_pool" "corp" {
  name = "corp"
  cidr = "10.0.0.0/8"
}
resource "cloudpam_pool" "env" {
  name          = "env"
  parent        = cloudpam_pool.corp.id
  prefix_length = 16
}
resource "cloudpam_pool" "vpc" {
  name          = "vpc"
  parent        = cloudpam_pool.env.id
  prefix_length = 20
}
resource "cloudpam_allocation" "app" {
  pool          = cloudpam_pool.vpc.id
  name          = "app"
  prefix_length = 22
  lifecycle {
    postcondition {
      condition     = startswith(self.cidr, "10.")
      error_message = "not private"
    }
  }
}
`

// subnets need the CIDR while planning: for_each takes nothing that is known after apply.
const subnets = `
resource "terraform_data" "subnet" {
  for_each = toset(cidrsubnets(cloudpam_allocation.app.cidr, 2, 2))
  input    = each.key
}
`

func TestPoolsOfTheSamePlanAreKnown(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		resource.TestStep{Config: threeLevels, ConfigPlanChecks: before(
			known("cloudpam_pool.env", "cidr", "10.0.0.0/16"), known("cloudpam_pool.vpc", "cidr", "10.0.0.0/20"),
			known("cloudpam_allocation.app", "cidr", "10.0.0.0/22"),
		)},
		resource.TestStep{Config: threeLevels, ConfigPlanChecks: emptyPlan},
	)
}

func TestDraftsAreInvisibleAndASavedPlanIsAppliedAsPlanned(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, threeLevels+subnets)
	if plan := tf.Run(t, "plan", "-no-color", "-out=p.tfplan"); !strings.Contains(plan, `terraform_data.subnet["10.0.1.0/24"] will be created`) {
		t.Errorf("for_each over the planned CIDR is not in the plan:\n%s", plan)
	}
	if _, err := server.Client.GetPool(t.Context(), "env"); !isNotFound(err) {
		t.Errorf("a planned pool can be read: %v", err)
	}
	// Somebody else's plan and apply in between must get other space.
	other := acctest.NewTerraform(t, server, `
		resource "cloudpam_pool" "other" {
		  name = "other"
		  cidr = "172.16.0.0/12"
		}`)
	other.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Run(t, "plan", "-no-color")
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	if cidrs := planned(t, tf); cidrs["cloudpam_allocation.app"] != "10.0.0.0/22" {
		t.Errorf("applied %v", cidrs)
	}
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
	tf.Run(t, "destroy", "-no-color", "-auto-approve")
}

func isNotFound(err error) bool {
	return errors.Is(err, cloudpam.ErrNotFound)
}

// planned reads the CIDRs of the state.
func planned(t *testing.T, tf *acctest.Terraform) map[string]string {
	t.Helper()
	var show struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Address string
					Values  map[string]any
				}
			} `json:"root_module"`
		}
	}
	if err := json.Unmarshal([]byte(tf.Run(t, "show", "-json")), &show); err != nil {
		t.Fatal(err)
	}
	cidrs := map[string]string{}
	for _, r := range show.Values.RootModule.Resources {
		if cidr, ok := r.Values["cidr"].(string); ok {
			cidrs[r.Address] = cidr
		}
	}
	return cidrs
}

func TestALostHoldIsToldInOurWordsAndTheNextApplyConverges(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: corp},
		resource.TestStep{Config: allocation(appA), ConfigPlanChecks: before(steal(server)), ExpectError: said(
			`Error: Planned CIDR is no longer available with cloudpam_allocation.a,`)},
		resource.TestStep{
			Config: allocation(appA), ConfigPlanChecks: before(plancheck.ExpectResourceAction("cloudpam_allocation.a", plancheck.ResourceActionCreate)),
			Check: resource.TestCheckResourceAttr("cloudpam_allocation.a", "cidr", "10.0.1.0/24"),
		},
		resource.TestStep{PreConfig: func() { drop(t, server, "thief") }, Config: allocation(appA), ConfigPlanChecks: emptyPlan},
	)
}

func nothing(context.Context, cloudpam.Hold) error { return nil }

func drop(t *testing.T, server *acctest.Server, name string) {
	t.Helper()
	for a, err := range server.Client.Allocations(t.Context(), cloudpam.ListAllocationsParams{Name: &name}) {
		if err == nil {
			err = server.Client.ReleaseAllocation(t.Context(), a.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAReleasedHoldThatIsStillFreeIsAppliedAsPlanned(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: allocation(appA), ConfigPlanChecks: before(releaseAll(server, nothing), known("cloudpam_allocation.a", "cidr", "10.0.0.0/24"))},
		resource.TestStep{Config: allocation(appA), ConfigPlanChecks: emptyPlan},
	)
}

func TestPlanModeOffAsksNothingWhilePlanning(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	off := func(endpoint string) string { return unplanned(providerBlock(endpoint, acctest.Token)) }
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		{Config: off(acctest.Nowhere(t)) + allocation(appA), PlanOnly: true, ExpectNonEmptyPlan: true},
		{Config: off(server.Endpoint) + allocation(appA), ConfigPlanChecks: before(plancheck.ExpectUnknownValue("cloudpam_allocation.a", tfjsonpath.New("cidr")))},
		{Config: off(server.Endpoint) + allocation(appA), ConfigPlanChecks: emptyPlan},
	}})
}

func TestPlanningWithoutAServerSaysHowToPlanWithoutOne(t *testing.T) {
	t.Parallel()
	nowhere := acctest.Nowhere(t)
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		refuses(providerBlock(nowhere, acctest.Token)+corp, `Error: Cannot reach CloudPAM to plan with cloudpam_pool.corp,`),
		refuses(providerBlock(nowhere, acctest.Token)+corp,
			`The CIDR is chosen while planning, so planning needs the server. Check that it runs and that the provider's endpoint is right;
			or set plan_mode = "off" in the provider block, and CIDRs are shown as (known after apply).`),
	}})
}

func TestAnExhaustedPoolFailsThePlan(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t), resource.TestStep{Config: corp + `
		resource "cloudpam_allocation" "all" {
		  pool          = cloudpam_pool.corp.id
		  name          = "all"
		  prefix_length = 16
		}
		resource "cloudpam_allocation" "more" {
		  pool          = cloudpam_pool.corp.id
		  name          = "more"
		  prefix_length = 24
		  depends_on    = [cloudpam_allocation.all]
		}`, PlanOnly: true, ExpectError: said(`Error: Pool is exhausted`)})
}

func TestADuplicateNameFailsThePlan(t *testing.T) {
	t.Parallel()
	second := `
		resource "cloudpam_allocation" "b" {
		  pool          = cloudpam_pool.corp.id
		  name          = "app"
		  prefix_length = 24
		}`
	steps(t, acctest.Start(t),
		resource.TestStep{Config: allocation(appA) + second, PlanOnly: true, ExpectError: said(
			`Another allocation of this configuration is named "app" in pool "corp" too.`)},
		resource.TestStep{Config: allocation(appA)},
		resource.TestStep{Config: allocation(appA) + second, PlanOnly: true, ExpectError: said(`Duplicate allocation name`)},
	)
}

func TestTwoWorkspacesNeverPlanTheSameName(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	holder := func(name string) string {
		return strings.Replace(server.ProviderConfig(), "{", "{\n  holder = \""+name+"\"\n", 1)
	}
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		{Config: server.ProviderConfig() + corp},
		{Config: holder("blue") + allocation(appA), PlanOnly: true, ExpectNonEmptyPlan: true},
		{Config: holder("green") + allocation(appA), PlanOnly: true, ExpectError: said(`Error: Name is held by another plan`)},
	}})
}

func TestAReplacementIsPlannedInBothOrders(t *testing.T) {
	t.Parallel()
	for order, lifecycle := range map[string]string{"destroyed first": "", "created first": "\nlifecycle {\n  create_before_destroy = true\n}"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t)
			bigger := allocation("name = \"app\"\nprefix_length = 22" + lifecycle)
			steps(t, server,
				resource.TestStep{Config: allocation(appA + lifecycle)},
				resource.TestStep{
					PreConfig: func() { take(t, server, "neighbour", "10.0.1.0/24") },
					Config:    bigger, ConfigPlanChecks: before(known("cloudpam_allocation.a", "cidr", "10.0.4.0/22")),
					Check: resource.TestCheckResourceAttr("cloudpam_allocation.a", "cidr", "10.0.4.0/22"),
				},
				resource.TestStep{PreConfig: func() { drop(t, server, "neighbour") }, Config: bigger, ConfigPlanChecks: emptyPlan},
			)
		})
	}
}

func TestATaintedAllocationIsPlannedAgain(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		resource.TestStep{Config: allocation(appA)},
		resource.TestStep{
			Taint: []string{"cloudpam_allocation.a"}, Config: allocation(appA),
			ConfigPlanChecks: before(known("cloudpam_allocation.a", "cidr", "10.0.0.0/24")),
		},
		resource.TestStep{Config: allocation(appA), ConfigPlanChecks: emptyPlan},
	)
}

// What a pool depends on may be known after apply only: then what stands in it is, too.
func TestWhatStandsInAPoolThatCannotBePlannedFollowsAfterApply(t *testing.T) {
	t.Parallel()
	config := corp + `
		resource "terraform_data" "size" {
		  input = 20
		}
		resource "cloudpam_pool" "vpc" {
		  name          = "vpc"
		  parent        = cloudpam_pool.corp.id
		  prefix_length = terraform_data.size.output
		}
		resource "cloudpam_pool" "part" {
		  name          = "part"
		  parent        = cloudpam_pool.vpc.id
		  prefix_length = 22
		}
		resource "cloudpam_allocation" "a" {
		  pool          = cloudpam_pool.part.id
		  name          = "a"
		  prefix_length = 24
		}`
	steps(t, acctest.Start(t),
		resource.TestStep{
			Config: config,
			ConfigPlanChecks: before(known("cloudpam_pool.corp", "cidr", "10.0.0.0/16"), plancheck.ExpectUnknownValue("cloudpam_pool.vpc", tfjsonpath.New("cidr")),
				plancheck.ExpectUnknownValue("cloudpam_allocation.a", tfjsonpath.New("cidr"))),
			Check: resource.TestCheckResourceAttr("cloudpam_allocation.a", "cidr", "10.0.0.0/24"),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
	)
}
