package provider_test

import (
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// planThenApply applies a saved plan that shows all of these texts, and wants nothing to be planned afterwards.
func planThenApply(t *testing.T, tf *acctest.Terraform, parallelism string, shows ...string) {
	t.Helper()
	plan := tf.Run(t, "plan", "-no-color", "-out=p.tfplan", parallelism)
	for _, text := range shows {
		if !said(text).MatchString(plan) {
			t.Errorf("the plan does not show %q:\n%s", text, plan)
		}
	}
	tf.Run(t, "apply", "-no-color", parallelism, "p.tfplan")
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode", parallelism)
}

func appOfCorpWith(more string) string {
	return strings.Replace(appOfCorp, "prefix_length = 24", "prefix_length = 24\n  "+more, 1)
}

func TestOneRequestSaysHowItsBlockIsChosen(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		others(corpPool)(t, server.Client)
		tf := acctest.NewTerraform(t, server, appOfCorpWith(""))
		tf.Run(t, "plan", "-no-color", parallelism) // holds what the next plan excludes
		tf.Write(t, "main.tf", appOfCorpWith(`exclude = ["10.0.0.0/17", "10.0.128.0/24"]`))
		planThenApply(t, tf, parallelism, `cidr = "10.0.129.0/24"`)
		tf.Write(t, "main.tf", appOfCorpWith("exclude = [\"10.0.129.0/24\"]\n  strategy = \"sparse\"")) // what stands stays
		planThenApply(t, tf, parallelism, "0 to add, 1 to change, 0 to destroy")
		tf.Write(t, "main.tf", appOfCorpWith("")+`
			resource "cloudpam_pool" "child" {
			  name            = "child"
			  parent          = "corp"
			  prefix_length   = 20
			  exclude         = ["10.0.0.0/18"]
			  parent_strategy = "first_fit"
			  strategy        = "sparse"
			}
			resource "cloudpam_allocation_set" "set" {
			  pool     = cloudpam_pool.child.id
			  name     = "set"
			  subnets  = { a = 24, b = 24 }
			  exclude  = ["10.0.64.0/23", "2001:db8::/32"]
			  strategy = "first_fit"
			}
			resource "cloudpam_allocation" "sparse" {
			  pool          = cloudpam_pool.child.id
			  name          = "sparse"
			  prefix_length = 28
			  depends_on    = [cloudpam_allocation_set.set]
			}`)
		planThenApply(t, tf, parallelism, `cidr = "10.0.64.0/20"`, `"a" = "10.0.66.0/24" + "b" = "10.0.67.0/24"`, `cidr = "10.0.76.0/28"`)
	})
}

func TestAMemberOfASetMayHaveACIDROfItsOwn(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		others(corpPool)(t, server.Client)
		tf := acctest.NewTerraform(t, server, setOfCorp("subnets = { a = 24, b = 24 }\n  fixed = { dns = \"10.0.0.0/28\" }"))
		planThenApply(t, tf, parallelism, `"a" = "10.0.1.0/24" + "b" = "10.0.2.0/24" + "dns" = "10.0.0.0/28"`)
		tf.Write(t, "main.tf", setOfCorp("subnets = { b = 24 }\n  fixed = { dns = \"10.0.0.0/27\", a = \"10.0.9.0/24\" }")) // grows; moves
		planThenApply(t, tf, parallelism, `"a" = "10.0.1.0/24" -> "10.0.9.0/24"`, `"dns" = "10.0.0.0/28" -> "10.0.0.0/27"`, "0 to add, 1 to change, 0 to destroy")
		tf.Write(t, "main.tf", setOfCorp("subnets = { b = 24, a = 24 }\n  fixed = { dns = \"10.0.0.0/27\" }")) // fixed no more, it stays
		planThenApply(t, tf, parallelism, "0 to add, 1 to change, 0 to destroy")
		set, err := cloudpam.Collect(server.Client.AllocationSets(t.Context(), cloudpam.ListAllocationSetsParams{}))
		if err != nil || len(set) != 1 || set[0].Members[0].CIDR != "10.0.9.0/24" {
			t.Errorf("%+v, %v", set, err)
		}
		tf.Run(t, "destroy", "-no-color", "-auto-approve", parallelism)
	})
}

func TestAPoolFindsItsParentByLabels(t *testing.T) {
	t.Parallel()
	labelled := func(name, cidr string) cloudpam.NewPool {
		return cloudpam.NewPool{Name: name, CIDR: &cidr, Labels: &cloudpam.Labels{"tier": "prd"}}
	}
	selects := func(selector string) string {
		return "resource \"cloudpam_pool\" \"vpc\" {\n  name          = \"vpc\"\n  prefix_length = 20\n  " + selector + "\n}\n" + appOfVPC
	}
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		others([]cloudpam.NewPool{labelled("a", "10.0.0.0/24"), labelled("b", "10.1.0.0/16"), labelled("c", "10.2.0.0/16"), {Name: "d", CIDR: new("10.3.0.0/16")}})(t, server.Client)
		tf := acctest.NewTerraform(t, server, selects(`pool_selector = { labels = { tier = "prd" } }`))
		tf.Run(t, "plan", "-no-color", parallelism)
		// What comes before it now, and has room, is no home for what was promised already.
		if _, err := server.Client.UpdatePool(t.Context(), "a", cloudpam.PoolPatch{CIDR: new("10.0.0.0/16")}); err != nil {
			t.Fatal(err)
		}
		planThenApply(t, tf, parallelism, `parent = "b"`, `cidr = "10.1.0.0/20"`, `cidr = "10.1.0.0/24"`)
		tf.Write(t, "main.tf", selects(`pool_selector = { labels = { tier = "dev" } }`)) // changed later, it moves nothing
		planThenApply(t, tf, parallelism, "0 to add, 1 to change, 0 to destroy")
		tf.Write(t, "main.tf", selects(`parent = "b"`))
		planThenApply(t, tf, parallelism, "0 to add, 1 to change, 0 to destroy")
		tf.Write(t, "main.tf", strings.Replace(selects(`parent = "b"`), appOfVPC, "", 1))
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism)
		tf.Write(t, "main.tf", strings.Replace(selects(`parent = "d"`), appOfVPC, "", 1)) // that moves it
		planThenApply(t, tf, parallelism, `parent = "b" -> "d"`)
		tf.Run(t, "destroy", "-no-color", "-auto-approve", parallelism)
	})
}

func TestAPoolFindsAParentThatTheSamePlanCreates(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		tf := acctest.NewTerraform(t, server, `
			resource "cloudpam_scope" "s" { name = "partner" }
			resource "cloudpam_pool" "env" {
			  scope  = cloudpam_scope.s.name
			  name   = "env"
			  cidr   = "10.0.0.0/16"
			  labels = { tier = "prd" }
			}
			resource "cloudpam_pool" "vpc" {
			  name          = "vpc"
			  pool_selector = { scope = cloudpam_scope.s.name, labels = { tier = "prd" } }
			  prefix_length = 20
			  depends_on    = [cloudpam_pool.env]
			}
			resource "cloudpam_allocation" "a" {
			  pool          = cloudpam_pool.vpc.id
			  name          = "app"
			  prefix_length = 24
			}`)
		planThenApply(t, tf, parallelism, `parent = "partner.env"`, `pool = "partner.vpc"`, `cidr = "10.0.0.0/24"`)
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism, "-refresh=false")
		tf.Run(t, "destroy", "-no-color", "-auto-approve", parallelism)
	})
}
