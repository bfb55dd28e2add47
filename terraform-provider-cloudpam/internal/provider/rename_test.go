package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// network is a pool under a name with everything that can refer to it.
const network = `
variable "scope" { default = "partner" }
variable "name" { default = "corp" }
resource "cloudpam_scope" "s" { name = var.scope }
resource "cloudpam_pool" "root" {
  scope = cloudpam_scope.s.name
  name  = var.name
  cidr  = "10.0.0.0/8"
}
resource "cloudpam_pool" "child" {
  parent        = cloudpam_pool.root.id
  name          = "child"
  prefix_length = 16
}
resource "cloudpam_allocation" "a" {
  count         = 6
  pool          = cloudpam_pool.root.id
  name          = "app-${count.index}"
  prefix_length = 20 + count.index
}
resource "cloudpam_allocation" "hosts" {
  pool   = cloudpam_pool.child.id
  name   = "hosts"
  hosts  = 300
  target = "aws_subnet"
}
resource "cloudpam_allocation_set" "set" {
  pool    = cloudpam_pool.root.id
  name    = "set"
  subnets = { a = 24, b = 26 }
}
resource "cloudpam_reservation" "kept" {
  pool   = cloudpam_pool.root.id
  cidr   = "10.200.0.0/16"
  reason = "later"
}
data "cloudpam_pool" "root" { id = cloudpam_pool.root.id }
data "cloudpam_allocations" "all" { pool = cloudpam_pool.root.id }
data "cloudpam_utilization" "root" { pool = cloudpam_pool.root.id }
`

// blocks are the CIDRs of all that a configuration manages, by address, and where uids are kept, those too.
func blocks(t *testing.T, tf *acctest.Terraform) map[string]string {
	t.Helper()
	var state struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Address, Mode string
					Values        map[string]any
				}
			} `json:"root_module"`
		}
	}
	if err := json.Unmarshal([]byte(tf.Run(t, "show", "-json")), &state); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, r := range state.Values.RootModule.Resources {
		if r.Mode == "managed" {
			all[r.Address] = fmt.Sprint(r.Values["cidr"], r.Values["cidrs"], r.Values["uid"])
		}
	}
	return all
}

var plannedCIDR = regexp.MustCompile(`\+ cidr +=` + " \"10")

var counts = regexp.MustCompile(`Plan: \d+ to add, \d+ to change, \d+ to destroy|No changes`)

func plansTo(t *testing.T, tf *acctest.Terraform, want string, args ...string) string {
	t.Helper()
	out := tf.Run(t, append([]string{"plan", "-no-color"}, args...)...)
	if got := counts.FindString(out); got != want {
		t.Fatalf("plan %v: %s, want %s\n%s", args, got, want, out)
	}
	return out
}

// A name is one row of the server. Terraform replaces nothing, whatever refers to the pool.
func TestAnotherNameOfAPoolOrAScopeIsAnUpdateInPlaceThatMovesNothing(t *testing.T) {
	t.Parallel()
	for mode, plan := range map[string]func(tf *acctest.Terraform, args ...string){
		"a saved plan": func(tf *acctest.Terraform, args ...string) {
			tf.Run(t, append([]string{"plan", "-out=p", "-no-color"}, args...)...)
			tf.Run(t, "apply", "-no-color", "p")
		},
		"without holds": func(tf *acctest.Terraform, args ...string) {
			tf.Setenv("CLOUDPAM_PLAN_MODE", "off")
			tf.Run(t, append([]string{"apply", "-auto-approve", "-no-color"}, args...)...)
		},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t)
			tf := acctest.NewTerraform(t, server, network)
			tf.Run(t, "apply", "-auto-approve", "-no-color")
			before := blocks(t, tf)

			out := plansTo(t, tf, "Plan: 0 to add, 10 to change, 0 to destroy", "-var=name=company")
			for _, want := range []string{`~ name `, `"corp" -> "company"`, `"partner.corp" -> "partner.company"`} {
				if !strings.Contains(out, want) {
					t.Errorf("the plan does not say %s:\n%s", want, out)
				}
			}
			plan(tf, "-var=name=company")
			plansTo(t, tf, "No changes", "-var=name=company", "-detailed-exitcode")
			if after := blocks(t, tf); !maps.Equal(before, after) {
				t.Errorf("a rename moved something:\n%v\n%v", before, after)
			}

			plansTo(t, tf, "Plan: 0 to add, 12 to change, 0 to destroy", "-var=name=company", "-var=scope=friends")
			plan(tf, "-var=name=company", "-var=scope=friends")
			plansTo(t, tf, "No changes", "-var=name=company", "-var=scope=friends", "-detailed-exitcode")
			if after := blocks(t, tf); !maps.Equal(before, after) {
				t.Errorf("the rename of a scope moved something:\n%v\n%v", before, after)
			}
			if pool, err := server.Client.GetPool(t.Context(), "friends.company"); err != nil || pool.CIDR != "10.0.0.0/8" {
				t.Errorf("the pool is %v, %v", pool, err)
			}
			tf.Run(t, "destroy", "-auto-approve", "-no-color", "-var=name=company", "-var=scope=friends")
		})
	}
}

// What a plan creates in a pool that it renames is promised by the pool's present name and created under its new one.
func TestAPlanThatRenamesAPoolShowsTheBlocksOfWhatItCreatesInIt(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, network)
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	tf.Write(t, "more.tf", `
resource "cloudpam_allocation" "new" {
  pool          = cloudpam_pool.root.id
  name          = "new"
  prefix_length = 24
}
resource "cloudpam_allocation_set" "new" {
  pool    = cloudpam_pool.child.id
  name    = "new"
  subnets = { a = 24 }
}
resource "cloudpam_reservation" "new" {
  pool   = cloudpam_pool.root.id
  cidr   = "10.240.0.0/16"
  reason = "new"
}
resource "cloudpam_pool" "new" {
  parent        = cloudpam_pool.root.id
  name          = "new"
  prefix_length = 16
}
resource "cloudpam_allocation" "deep" {
  pool          = cloudpam_pool.new.id
  name          = "deep"
  prefix_length = 24
}
`)
	args := []string{"-var=name=company", "-var=scope=friends"}
	out := plansTo(t, tf, "Plan: 5 to add, 12 to change, 0 to destroy", append(args, "-out=p")...)
	if n := len(plannedCIDR.FindAllString(out, -1)); n != 4 || strings.Contains(out, "cidrs      = (known after apply)") {
		t.Errorf("%d blocks are planned:\n%s", n, out)
	}
	tf.Run(t, "apply", "-no-color", "p")
	plansTo(t, tf, "No changes", append(args, "-detailed-exitcode")...)
}

func TestAPoolThatOthersRenameIsFollowedByItsKeyAndNotReplaced(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, network)
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	before := blocks(t, tf)
	if _, err := server.Client.UpdatePool(t.Context(), "partner.corp", cloudpam.PoolPatch{Name: new("company")}); err != nil {
		t.Fatal(err)
	}
	if out := plansTo(t, tf, "Plan: 0 to add, 10 to change, 0 to destroy"); !strings.Contains(out, `"company" -> "corp"`) {
		t.Errorf("the plan does not take the name back:\n%s", out)
	}
	// Whoever agrees writes the new name, and nothing is to be done.
	plansTo(t, tf, "No changes", "-var=name=company", "-detailed-exitcode")
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	plansTo(t, tf, "No changes", "-detailed-exitcode")
	if after := blocks(t, tf); !maps.Equal(before, after) {
		t.Errorf("a rename moved something:\n%v\n%v", before, after)
	}
}

// An apply that was cut short has renamed the pool and nothing else in the state.
func TestAStateThatIsNotRefreshedAfterARenameReplacesNothing(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, network)
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	before := blocks(t, tf)
	tf.Run(t, "apply", "-auto-approve", "-no-color", "-var=name=company", "-target=cloudpam_pool.root")
	plansTo(t, tf, "Plan: 0 to add, 9 to change, 0 to destroy", "-var=name=company", "-refresh=false")
	tf.Run(t, "apply", "-auto-approve", "-no-color", "-var=name=company", "-refresh=false")
	plansTo(t, tf, "No changes", "-var=name=company", "-detailed-exitcode")

	args := []string{"-var=name=company", "-var=scope=friends"}
	tf.Run(t, append([]string{"apply", "-auto-approve", "-no-color", "-target=cloudpam_scope.s"}, args...)...)
	plansTo(t, tf, "Plan: 0 to add, 11 to change, 0 to destroy", append(args, "-refresh=false")...)
	tf.Run(t, append([]string{"apply", "-auto-approve", "-no-color", "-refresh=false"}, args...)...)
	plansTo(t, tf, "No changes", append(args, "-detailed-exitcode")...)
	if after := blocks(t, tf); !maps.Equal(before, after) {
		t.Errorf("a rename moved something:\n%v\n%v", before, after)
	}
}

func TestAnotherPoolStillReplaces(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, `
variable "in" { default = "a" }
resource "cloudpam_pool" "p" {
  for_each = { a = "10.1.0.0/16", b = "10.2.0.0/16" }
  name     = each.key
  cidr     = each.value
}
resource "cloudpam_allocation" "app" {
  pool          = cloudpam_pool.p[var.in].id
  name          = "app"
  prefix_length = 24
}
`)
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	plansTo(t, tf, "Plan: 1 to add, 0 to change, 1 to destroy", "-var=in=b")
	tf.Run(t, "apply", "-auto-approve", "-no-color", "-var=in=b")
	plansTo(t, tf, "No changes", "-var=in=b", "-detailed-exitcode")
}

// The name of the pool may come from what is itself changed by the apply.
func TestANameThatIsKnownAfterApplyRenamesInPlaceToo(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, `
variable "name" { default = "corp" }
resource "terraform_data" "name" { input = var.name }
resource "cloudpam_pool" "p" {
  name = terraform_data.name.output
  cidr = "10.1.0.0/16"
}
resource "cloudpam_allocation" "app" {
  pool          = cloudpam_pool.p.id
  name          = "app"
  prefix_length = 24
}
`)
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	plansTo(t, tf, "Plan: 0 to add, 3 to change, 0 to destroy", "-var=name=company")
	tf.Run(t, "apply", "-auto-approve", "-no-color", "-var=name=company")
	plansTo(t, tf, "No changes", "-var=name=company", "-detailed-exitcode")
}
