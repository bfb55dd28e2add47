package provider_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const app = "cloudpam_allocation.a" // its address in what allocation writes

func sized(size string) string { return allocation("name = \"app\"\n" + size) }

func take(t *testing.T, server *acctest.Server, name, cidr string) cloudpam.Allocation {
	t.Helper()
	a, err := server.Client.CreateAllocation(t.Context(), cloudpam.NewAllocation{Pool: "corp", Name: name, CIDR: &cidr})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnAllocationIsResizedInPlace(t *testing.T) {
	t.Parallel()
	id := statecheck.CompareValue(compare.ValuesSame())
	kept := func() []statecheck.StateCheck {
		return []statecheck.StateCheck{id.AddStateValue(app, tfjsonpath.New("id"))}
	}
	all := []resource.TestStep{{Config: sized("prefix_length = 24"), ConfigStateChecks: kept()}}
	for _, c := range []struct{ size, cidr, last string }{
		{"prefix_length = 22", "10.0.0.0/22", "10.0.3.255"},
		{"prefix_length = 26", "10.0.0.0/26", "10.0.0.63"},
		{`cidr = "10.0.0.0/25"`, "10.0.0.0/25", "10.0.0.127"},
		{`cidr = "10.0.0.64/26"`, "10.0.0.64/26", "10.0.0.127"},
		{"prefix_length = 25", "10.0.0.0/25", "10.0.0.127"},
	} {
		all = append(all,
			resource.TestStep{
				Config: sized(c.size),
				ConfigPlanChecks: before(plancheck.ExpectResourceAction(app, plancheck.ResourceActionUpdate),
					known(app, "cidr", c.cidr), known(app, "last_address", c.last)),
				ConfigStateChecks: append(kept(), has(app, "cidr", c.cidr)),
			},
			resource.TestStep{Config: sized(c.size), ConfigPlanChecks: emptyPlan})
	}
	steps(t, acctest.Start(t), all...)
}

func TestABlockThatLiesElsewhereReplaces(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		resource.TestStep{Config: sized(`cidr = "10.0.0.0/24"`)},
		resource.TestStep{
			Config:            sized(`cidr = "10.0.8.0/24"`),
			ConfigPlanChecks:  before(plancheck.ExpectResourceAction(app, plancheck.ResourceActionDestroyBeforeCreate), known(app, "cidr", "10.0.8.0/24")),
			ConfigStateChecks: []statecheck.StateCheck{has(app, "last_address", "10.0.8.255")},
		},
		resource.TestStep{Config: sized(`cidr = "10.0.8.0/24"`), ConfigPlanChecks: emptyPlan},
	)
}

func TestGrowthThatIsBlockedReplacesAndSaysWhy(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, sized("prefix_length = 24"))
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	neighbour := take(t, server, "neighbour", "10.0.1.0/24")
	tf.Write(t, "main.tf", sized("prefix_length = 23"))
	plan := tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
	for _, text := range []string{
		`Warning: Allocation "app" cannot become a /23 where it is, so it is replaced`,
		`10.0.0.0/24 cannot grow to 10.0.0.0/23: 10.0.1.0/24 is taken: allocation "neighbour" holds 10.0.1.0/24.`,
		`- allocation "neighbour" (10.0.1.0/24), id ` + neighbour.ID,
		`The plan gives it another block and releases 10.0.0.0/24.`,
	} {
		if !said(text).MatchString(plan) {
			t.Errorf("the plan does not say: %s\n%s", text, plan)
		}
	}
	for _, line := range []string{`= "10.0.0.0/24" -> "10.0.2.0/23" # forces replacement`, `= 24 -> 23 # forces replacement`} {
		if !strings.Contains(plan, line) {
			t.Errorf("the plan does not show: %s\n%s", line, plan)
		}
	}
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	if cidrs := planned(t, tf); cidrs[app] != "10.0.2.0/23" {
		t.Errorf("applied %v", cidrs)
	}
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
}

// What a plan means an allocation to gain is held for it, so nobody is placed there before the apply: neither a stranger
// nor a new allocation of the same configuration.
func TestWhatAnAllocationIsToGainIsHeldForIt(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	second := `
		resource "cloudpam_allocation" "b" {
		  pool          = cloudpam_pool.corp.id
		  name          = "b"
		  prefix_length = 24
		  depends_on    = [cloudpam_allocation.a]
		}`
	steps(t, server,
		resource.TestStep{Config: sized("prefix_length = 24")},
		resource.TestStep{
			Config: sized("prefix_length = 22") + second,
			ConfigPlanChecks: before(known(app, "cidr", "10.0.0.0/22"), known("cloudpam_allocation.b", "cidr", "10.0.4.0/24"), between(func(ctx context.Context) error {
				stranger, err := server.Client.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: "corp", Name: "stranger", PrefixLength: new(24)})
				if err == nil && stranger.CIDR != "10.0.5.0/24" {
					err = fmt.Errorf("the stranger got %s", stranger.CIDR)
				}
				return err
			})),
		},
		resource.TestStep{
			Config: sized("prefix_length = 22") + second, ConfigPlanChecks: emptyPlan,
			Check: func(*terraform.State) error {
				for hold, err := range server.Client.Holds(t.Context(), cloudpam.ListHoldsParams{}) {
					return fmt.Errorf("left over: %+v, %w", hold, err)
				}
				return nil
			},
		},
		resource.TestStep{PreConfig: func() { drop(t, server, "stranger") }, Config: sized("prefix_length = 22")},
	)
}

func TestGrowthThatIsTakenBetweenPlanAndApplyIsToldInOurWords(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	stolen := before(plancheck.ExpectResourceAction(app, plancheck.ResourceActionUpdate), steal(server))
	steps(t, server,
		resource.TestStep{Config: sized("prefix_length = 24")},
		resource.TestStep{Config: sized("prefix_length = 23"), ConfigPlanChecks: stolen, ExpectError: said(`Error: Allocation "app" cannot grow any more with cloudpam_allocation.a,`)},
		resource.TestStep{PreConfig: func() { drop(t, server, "thief") }, Config: sized("prefix_length = 23"), ConfigPlanChecks: stolen, ExpectError: said(
			`10.0.0.0/24 cannot grow to 10.0.0.0/23: 10.0.1.0/24 is taken: allocation "thief" holds 10.0.1.0/24.
			Its plan was to grow where it is. Nothing was changed for this resource. Run terraform plan again`)},
		resource.TestStep{
			Config: sized("prefix_length = 23"), ConfigPlanChecks: before(plancheck.ExpectResourceAction(app, plancheck.ResourceActionDestroyBeforeCreate)),
			Check: resource.TestCheckResourceAttr(app, "cidr", "10.0.2.0/23"),
		},
		resource.TestStep{PreConfig: func() { drop(t, server, "thief") }, Config: sized("prefix_length = 23"), ConfigPlanChecks: emptyPlan},
	)
}

func TestAReplacementThatIsTakenBetweenPlanAndApplyIsToldInOurWords(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: sized("prefix_length = 24")},
		resource.TestStep{
			PreConfig: func() { take(t, server, "neighbour", "10.0.1.0/24") },
			Config:    sized("prefix_length = 23"), ConfigPlanChecks: before(known(app, "cidr", "10.0.2.0/23"), steal(server)),
			ExpectError: said(`Error: Planned CIDR is no longer available`),
		},
		resource.TestStep{
			PreConfig: func() { drop(t, server, "thief") },
			Config:    sized("prefix_length = 23"), Check: resource.TestCheckResourceAttr(app, "cidr", "10.0.2.0/23"),
		},
		resource.TestStep{PreConfig: func() { drop(t, server, "neighbour") }, Config: sized("prefix_length = 23"), ConfigPlanChecks: emptyPlan},
	)
}

func TestASizeThatIsKnownAfterApplyDestroysNothing(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	size := func(n int) string {
		return fmt.Sprintf("resource \"terraform_data\" \"size\" {\n  input = %d\n}\n", n) + sized("prefix_length = terraform_data.size.output")
	}
	steps(t, server,
		resource.TestStep{Config: size(24)},
		resource.TestStep{
			Config: size(23), ConfigPlanChecks: before(
				plancheck.ExpectResourceAction(app, plancheck.ResourceActionUpdate), plancheck.ExpectUnknownValue(app, tfjsonpath.New("cidr"))),
			Check: resource.TestCheckResourceAttr(app, "cidr", "10.0.0.0/23"),
		},
		resource.TestStep{
			PreConfig: func() { take(t, server, "neighbour", "10.0.2.0/24") },
			Config:    size(22), ExpectError: said(`Error: Allocation "app" cannot grow any more`),
		},
		resource.TestStep{
			Config: size(22), ConfigPlanChecks: before(plancheck.ExpectResourceAction(app, plancheck.ResourceActionDestroyBeforeCreate)),
			Check: resource.TestCheckResourceAttr(app, "cidr", "10.0.4.0/22"),
		},
		resource.TestStep{PreConfig: func() { drop(t, server, "neighbour") }, Config: size(22), ConfigPlanChecks: emptyPlan},
	)
}

func TestWithPlanModeOffASizeChangesInPlaceOrNotAtAll(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	off := func(size string) string {
		return strings.Replace(server.ProviderConfig(), "{", "{\n  plan_mode = \"off\"", 1) + sized(size)
	}
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		{Config: off("prefix_length = 24")},
		{Config: off("prefix_length = 23"), ConfigPlanChecks: before(known(app, "cidr", "10.0.0.0/23")), Check: resource.TestCheckResourceAttr(app, "cidr", "10.0.0.0/23")},
		{
			PreConfig: func() { take(t, server, "neighbour", "10.0.2.0/24") },
			Config:    off("prefix_length = 22"), ExpectError: said(`Error: Allocation "app" cannot grow any more`),
		},
		{PreConfig: func() { drop(t, server, "neighbour") }, Config: off("prefix_length = 22"), Check: resource.TestCheckResourceAttr(app, "cidr", "10.0.0.0/22")},
	}})
}

func TestASizeThatThePoolDoesNotHandOutFailsThePlan(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		resource.TestStep{Config: sized("prefix_length = 24")},
		resource.TestStep{Config: sized("prefix_length = 15"), PlanOnly: true, ExpectError: said(`Error: CloudPAM refuses a value with cloudpam_allocation.a,`)},
		resource.TestStep{Config: sized("prefix_length = 64"), PlanOnly: true, ExpectError: said(`Error: Prefix length is longer than the address`)},
	)
}
