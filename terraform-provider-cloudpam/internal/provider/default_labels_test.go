package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// labelled is a scope, a pool in it and an allocation, each with these labels of its own.
func labelled(labels string) string {
	return `
	resource "cloudpam_scope" "x" {
	  name   = "partner"
	  labels = ` + labels + `
	}
	resource "cloudpam_pool" "x" {
	  scope  = cloudpam_scope.x.name
	  name   = "corp"
	  cidr   = "10.0.0.0/16"
	  labels = ` + labels + `
	}
	resource "cloudpam_allocation" "x" {
	  pool          = cloudpam_pool.x.id
	  name          = "app"
	  prefix_length = 24
	  labels        = ` + labels + `
	}
	`
}

// withDefaults is a provider block with default_labels, an expression.
func withDefaults(server *acctest.Server, defaults string) string {
	return strings.Replace(server.ProviderConfig(), "{", "{\n  default_labels = "+defaults+"\n", 1)
}

var labelledKinds = []string{"cloudpam_scope.x", "cloudpam_pool.x", "cloudpam_allocation.x"}

func plansLabels(action plancheck.ResourceActionType, all map[string]string) resource.ConfigPlanChecks {
	var checks []plancheck.PlanCheck
	exact := map[string]knownvalue.Check{}
	for key, value := range all {
		exact[key] = knownvalue.StringExact(value)
	}
	for _, address := range labelledKinds {
		checks = append(checks, plancheck.ExpectResourceAction(address, action),
			plancheck.ExpectKnownValue(address, tfjsonpath.New("labels_all"), knownvalue.MapExact(exact)))
	}
	return resource.ConfigPlanChecks{PreApply: checks}
}

func TestDefaultLabelsReachEverythingAndChangeInPlace(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	labels := func(want map[string]string) resource.TestCheckFunc {
		return func(*terraform.State) error {
			scope, err := server.Client.GetScope(t.Context(), "partner")
			if err != nil {
				return err
			}
			pool, err := server.Client.GetPool(t.Context(), "partner.corp")
			if err != nil {
				return err
			}
			page, err := server.Client.ListAllocations(t.Context(), cloudpam.ListAllocationsParams{Pool: &pool.ID})
			if err != nil {
				return err
			}
			for _, got := range []cloudpam.Labels{scope.Labels, pool.Labels, page.Items[0].Labels} {
				if fmt.Sprint(got) != fmt.Sprint(want) {
					return fmt.Errorf("the server has the labels %v, want %v", got, want)
				}
			}
			return nil
		}
	}
	empty := before(plancheck.ExpectEmptyPlan())
	type both = map[string]string
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		{
			Config:           withDefaults(server, `{ team = "net", env = "dev" }`) + labelled(`{ env = "prod" }`),
			ConfigPlanChecks: plansLabels(plancheck.ResourceActionCreate, both{"team": "net", "env": "prod"}), Check: labels(both{"team": "net", "env": "prod"}),
		},
		{Config: withDefaults(server, `{ team = "net", env = "dev" }`) + labelled(`{ env = "prod" }`), ConfigPlanChecks: empty},
		{ // other defaults
			Config:           withDefaults(server, `{ team = "core", cost = "7" }`) + labelled(`{ env = "prod" }`),
			ConfigPlanChecks: plansLabels(plancheck.ResourceActionUpdate, both{"team": "core", "cost": "7", "env": "prod"}),
			Check:            labels(both{"team": "core", "cost": "7", "env": "prod"}),
		},
		{ // a label that repeats a default is the resource's own, and no diff comes of it
			Config: withDefaults(server, `{ env = "prod" }`) + labelled(`{ env = "prod" }`), Check: labels(both{"env": "prod"}),
		},
		{Config: withDefaults(server, `{ env = "prod" }`) + labelled(`{ env = "prod" }`), ConfigPlanChecks: empty},
		{Config: withDefaults(server, `{ env = "prod" }`) + labelled(`null`), Check: labels(both{"env": "prod"})},
		{Config: withDefaults(server, `{ env = "prod" }`) + labelled(`null`), ConfigPlanChecks: empty},
		{Config: withDefaults(server, `null`) + labelled(`{}`), ConfigPlanChecks: plansLabels(plancheck.ResourceActionUpdate, both{}), Check: labels(both{})},
		{Config: server.ProviderConfig() + labelled(`null`)},
		{Config: server.ProviderConfig() + labelled(`null`), ConfigPlanChecks: empty},
	}})
}

func TestAnImportOfWhatHasTheDefaultsGivesAnEmptyPlan(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	if _, err := server.Client.CreatePool(t.Context(), cloudpam.NewPool{
		Name: "corp", CIDR: new("10.0.0.0/16"), Labels: &cloudpam.Labels{"team": "net", "env": "dev"},
	}); err != nil {
		t.Fatal(err)
	}
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{{
		Config: withDefaults(server, `{ team = "net" }`) + `
			import {
			  to = cloudpam_pool.x
			  id = "corp"
			}
			resource "cloudpam_pool" "x" {
			  name   = "corp"
			  cidr   = "10.0.0.0/16"
			  labels = { env = "dev" }
			}`,
		ConfigPlanChecks: before(plancheck.ExpectResourceAction("cloudpam_pool.x", plancheck.ResourceActionNoop)),
	}}})
}

func TestDefaultLabelsMayBeKnownAfterApply(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	config := func(run string) string {
		return withDefaults(server, `{ run = terraform_data.run.output, team = "net" }`) + labelled(`{ env = "prod" }`) +
			"resource \"terraform_data\" \"run\" {\n  input = \"" + run + "\"\n}\n"
	}
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		{Config: config("1"), ConfigPlanChecks: before(plancheck.ExpectUnknownValue("cloudpam_allocation.x", tfjsonpath.New("labels_all").AtMapKey("run")))},
		{Config: config("1"), ConfigPlanChecks: emptyPlan},
		{Config: config("2"), Check: resource.TestCheckResourceAttr("cloudpam_allocation.x", "labels_all.run", "2")},
		{Config: config("2"), ConfigPlanChecks: emptyPlan},
	}})
}

func TestALabelMayBeKnownAfterApply(t *testing.T) {
	t.Parallel()
	config := labelled(`{ run = terraform_data.run.output, env = "prod" }`) + "resource \"terraform_data\" \"run\" {\n  input = \"1\"\n}\n"
	steps(t, acctest.Start(t),
		resource.TestStep{Config: config, ConfigPlanChecks: before(
			known("cloudpam_allocation.x", "cidr", "10.0.0.0/24"), // a label that is not known hides no CIDR
			plancheck.ExpectUnknownValue("cloudpam_pool.x", tfjsonpath.New("labels_all").AtMapKey("run")),
		), Check: resource.TestCheckResourceAttr("cloudpam_pool.x", "labels_all.run", "1")},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
	)
}

func TestTooManyOrNoLabelsAreRefusedWhilePlanning(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	many := func(prefix string) string { return `{ for i in range(40) : "` + prefix + `${i}" => "x" }` }
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		refuses(withDefaults(server, many("a"))+labelled(many("b")),
			`With the provider's default_labels these are 80 labels; an object has at most 64. Leave some of them out.`),
		refuses(withDefaults(server, `{ team = null }`)+labelled(`null`), `Error: Label has no value`),
	}})
}
