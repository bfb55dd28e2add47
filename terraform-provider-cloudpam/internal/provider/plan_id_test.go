package provider_test

import (
	"fmt"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// named is a provider block whose plans have the id that the variable says.
const named = `
variable "plan" {
  type    = string
  default = null
}
provider "cloudpam" {
  plan_id = var.plan
}
`

// overtaken leaves two saved plans, one.tfplan and two.tfplan, of which the first was promised what another has by now.
func overtaken(t *testing.T, server *acctest.Server, provider, config string, plan func(tf *acctest.Terraform, id string)) *acctest.Terraform {
	t.Helper()
	tf := acctest.NewTerraform(t, server, provider+corp)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Write(t, "main.tf", provider+config)
	plan(tf, "one")
	for hold, err := range server.Client.Holds(t.Context(), cloudpam.ListHoldsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Client.ReleaseHold(t.Context(), hold.ID); err != nil {
			t.Fatal(err)
		}
	}
	for draft, err := range server.Client.Drafts(t.Context(), cloudpam.ListDraftsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Client.ReleaseDraft(t.Context(), draft.Pool.ID); err != nil {
			t.Fatal(err)
		}
	}
	take(t, server, "thief", "10.0.0.0/24")
	plan(tf, "two")
	return tf
}

func wantToldOfTheLoss(t *testing.T, tf *acctest.Terraform, plan string) {
	t.Helper()
	_, all, err := tf.Try("apply", "-no-color", plan)
	if err == nil || !said(`Error: Planned CIDR is no longer available`).MatchString(all) || strings.Contains(all, "inconsistent") {
		t.Errorf("applying the old plan: %v\n%s", err, all)
	}
}

func TestAnOldPlanIsToldOfANewerOne(t *testing.T) {
	t.Parallel()
	newPool := corp + `
		resource "cloudpam_pool" "env" {
		  name          = "env"
		  parent        = cloudpam_pool.corp.id
		  prefix_length = 24
		}`
	for what, c := range map[string]struct{ config, address string }{
		"of an allocation": {allocation(appA), app}, "of a pool": {newPool, "cloudpam_pool.env"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t)
			tf := overtaken(t, server, named, c.config, func(tf *acctest.Terraform, id string) {
				tf.Run(t, "plan", "-no-color", "-var", "plan="+id, "-out="+id+".tfplan")
			})
			wantToldOfTheLoss(t, tf, "one.tfplan")
			tf.Run(t, "apply", "-no-color", "-auto-approve", "-var", "plan=three")
			if cidrs := planned(t, tf); cidrs[c.address] != "10.0.1.0/24" {
				t.Errorf("applied %v", cidrs)
			}
		})
	}
}

func TestThePlanIDComesFromTheEnvironmentToo(t *testing.T) {
	t.Parallel()
	for _, variable := range []string{"CLOUDPAM_PLAN_ID", "TFC_RUN_ID", "SPACELIFT_RUN_ID"} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t)
			tf := overtaken(t, server, "", allocation(appA), func(tf *acctest.Terraform, id string) {
				tf.Setenv(variable, id)
				tf.Run(t, "plan", "-no-color", "-out="+id+".tfplan")
			})
			tf.Setenv(variable, "one")
			wantToldOfTheLoss(t, tf, "one.tfplan")
			tf.Setenv(variable, "three")
			tf.Run(t, "apply", "-no-color", "-auto-approve")
		})
	}
}

func TestThePlanTimestampNamesAPlan(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	const stamped = "provider \"cloudpam\" {\n  plan_id = plantimestamp()\n}\n"
	tf := acctest.NewTerraform(t, server, stamped+allocation(appA))
	tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
	tf.Write(t, "main.tf", stamped+allocation(appA)+strings.ReplaceAll(allocation("name = \"b\"\nprefix_length = 24")[len(corp):], `"a"`, `"b"`))
	tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
	if err := steal(server)(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantToldOfTheLoss(t, tf, "p.tfplan") // a plan made within the same second would be taken for this one
}

// Without a plan_id only Terraform knows what the plan was, and has words of its own for that. Ours say what they mean, and nothing is
// handed out; the newest plan is as good as ever. What tells the plans apart is not kept in private state by Read: an apply that fails
// would write the state then, and make other saved plans stale.
func TestAnOldPlanWithoutAnIDIsWarnedOf(t *testing.T) {
	t.Parallel()
	const set, fixed = "resource \"cloudpam_allocation_set\" \"s\" {\n  pool = cloudpam_pool.corp.id\n  name = \"s\"\n  subnets = { a = 24%s }\n}\n",
		"resource \"cloudpam_allocation\" \"fixed\" {\n  pool = cloudpam_pool.corp.id\n  name = \"fixed\"\n  cidr = %q\n}\n"
	const told = `An earlier plan was shown %s for %s, and the last one %s, which is what there is for it. If Terraform
		says that the final plan is inconsistent, this plan is the earlier one, and nothing was made for it: run terraform plan again, and apply that.
		Plans that name themselves, with plan_id in the provider block, are told apart.`
	for what, c := range map[string]struct{ applied, one, two, told, name, cidr string }{
		"of an allocation": {
			corp, allocation(appA), allocation(appA) + fmt.Sprintf(fixed, "10.0.0.0/24"),
			fmt.Sprintf(told, "10.0.0.0/24", `allocation "app"`, "10.0.1.0/24"), "app", "10.0.1.0/24",
		},
		"of a member of a set that exists": {
			corp + fmt.Sprintf(set, ""), corp + fmt.Sprintf(set, ", b = 24"), corp + fmt.Sprintf(set, ", b = 24") + fmt.Sprintf(fixed, "10.0.1.0/24"),
			fmt.Sprintf(told, "10.0.1.0/24", `the member "b"`, "10.0.2.0/24"), "s/b", "10.0.2.0/24",
		},
		"of a pool": {
			corp, corpAndVPC, corpAndVPC + fmt.Sprintf(fixed, "10.0.0.0/20"),
			fmt.Sprintf(told, "10.0.0.0/20", `pool "vpc"`, "10.0.16.0/20"), "", "",
		},
	} {
		for plan, parallelism := range map[string]string{"one": "1", "two": "10"} {
			t.Run(what+", "+plan, func(t *testing.T) {
				t.Parallel()
				server := acctest.Start(t)
				tf := acctest.NewTerraform(t, server, c.applied)
				tf.Run(t, "apply", "-no-color", "-auto-approve")
				tf.Write(t, "main.tf", c.one)
				tf.Run(t, "plan", "-no-color", "-out=one.tfplan")
				tf.Write(t, "main.tf", c.two)
				tf.Run(t, "plan", "-no-color", "-out=two.tfplan", "-parallelism="+parallelism)
				_, out, err := tf.Try("apply", "-no-color", plan+".tfplan")
				if !said(`Warning: This plan may be older than the last one`).MatchString(out) || !said(c.told).MatchString(out) {
					t.Errorf("no warning:\n%s", out)
				}
				if (err == nil) != (plan == "two") {
					t.Errorf("applying plan %s: %v\n%s", plan, err, out)
				}
				for a, err := range server.Client.Allocations(t.Context(), cloudpam.ListAllocationsParams{Name: &c.name}) {
					if c.name != "" && (plan == "one" || err != nil || a.CIDR != c.cidr) {
						t.Errorf("handed out: %+v, %v", a, err)
					}
				}
				tf.Run(t, "apply", "-no-color", "-auto-approve")
				tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
			})
		}
	}
}
