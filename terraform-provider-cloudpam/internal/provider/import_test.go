package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// brownfield is a server with a pool of n allocations that no Terraform knows.
func brownfield(t *testing.T, n int) *acctest.Server {
	t.Helper()
	server := acctest.Start(t)
	if _, err := server.Client.CreatePool(t.Context(), cloudpam.NewPool{Name: "corp", CIDR: new("10.0.0.0/8")}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := server.Client.CreateAllocation(t.Context(), cloudpam.NewAllocation{
			Pool: "corp", Name: fmt.Sprint("app-", i), PrefixLength: new(24 + i%5), Owner: new("payments"), Labels: &cloudpam.Labels{"team": "pay"},
		}); err != nil {
			t.Fatal(err)
		}
	}
	return server
}

func TestABrownfieldIsImportedThroughForEachWithAnEmptyPlan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form, id string
		n        int
	}{{"pool and name", `"corp/${each.key}"`, 500}, {"id", "each.value.id", 100}, {"pool and CIDR", `"corp@${each.value.cidr}"`, 100}} {
		t.Run(c.form, func(t *testing.T) {
			t.Parallel()
			server := brownfield(t, c.n)
			proxy := server.Proxy(t, nil)
			tf := acctest.NewTerraform(t, server, proxy.ProviderConfig("default_labels = { team = \"pay\" }")+`
				data "cloudpam_allocations" "all" {
				  pool = "corp"
				}
				import {
				  for_each = data.cloudpam_allocations.all.by_name
				  to       = cloudpam_allocation.brownfield[each.key]
				  id       = `+c.id+`
				}
				resource "cloudpam_allocation" "brownfield" {
				  for_each = data.cloudpam_allocations.all.by_name
				  pool     = each.value.pool
				  name     = each.key
				  cidr     = each.value.cidr
				  owner    = each.value.owner
				}`)
			plan := tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
			if want := fmt.Sprintf("Plan: %d to import, 0 to add, 0 to change, 0 to destroy.", c.n); !strings.Contains(plan, want) {
				t.Errorf("not planned: %s\n%s", want, plan[max(0, len(plan)-2000):])
			}
			asked := 0
			for _, times := range proxy.Counts() {
				asked += times
			}
			if asked > 50 { // each of Terraform's ten walkers asks alone until the list is in
				t.Errorf("an import of %d allocations asked the server %d times", c.n, asked)
			}
			tf.Run(t, "apply", "-no-color", "p.tfplan")
			tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
		})
	}
}

// everything is one object of each kind with all of its settings, and one with none.
const everything = `
resource "cloudpam_scope" "full" {
  name        = "partner"
  description = "Networks of our partners"
  labels      = { team = "net" }
}
resource "cloudpam_pool" "bare" {
  name = "corp"
  cidr = "10.0.0.0/8"
}
resource "cloudpam_pool" "full" {
  scope                 = cloudpam_scope.full.name
  name                  = "corp"
  cidr                  = "2001:DB8:0::/48"
  strategy              = "sparse"
  min_prefix_length     = 52
  max_prefix_length     = 64
  default_prefix_length = 64
  account               = "1"
  region                = "eu-west-1"
  environment           = "prod"
  owner                 = "net"
  description           = "d"
  labels                = { team = "net" }
  deletion_protection   = false
}
resource "cloudpam_allocation" "bare" {
  pool          = cloudpam_pool.bare.id
  name          = "app"
  prefix_length = 24
}
resource "cloudpam_allocation" "full" {
  pool        = cloudpam_pool.full.id
  name        = "eu/app:1"
  account     = "1"
  region      = "eu-west-1"
  environment = "prod"
  owner       = "net"
  purpose     = "nodes"
  description = "d"
  labels      = { team = "net", env = "prod" }
}
`

func TestGeneratedConfigurationIsValidAndPlansNothing(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	author := acctest.NewTerraform(t, server, everything)
	author.Run(t, "apply", "-auto-approve", "-no-color")

	var imports strings.Builder
	for address, id := range map[string]string{
		"cloudpam_scope.full": "partner", "cloudpam_pool.bare": "corp", "cloudpam_pool.full": "partner.corp",
		"cloudpam_allocation.bare": "corp@10.0.0.0/24", "cloudpam_allocation.full": "partner.corp/eu/app:1",
	} {
		fmt.Fprintf(&imports, "import {\n  to = %s\n  id = %q\n}\n", address, id)
	}
	adopter := acctest.NewTerraform(t, server, imports.String())
	if plan := adopter.Run(t, "plan", "-no-color", "-generate-config-out=generated.tf"); !strings.Contains(plan, "Plan: 5 to import, 0 to add, 0 to change, 0 to destroy.") {
		t.Errorf("generated configuration plans changes:\n%s", plan)
	}
	adopter.Run(t, "validate", "-no-color")
	adopter.Run(t, "apply", "-auto-approve", "-no-color")
	adopter.Run(t, "plan", "-no-color", "-detailed-exitcode")
}

// The same through the testing framework, which checks the generated configuration by its own rules.
func TestTheTestingFrameworkAcceptsTheGeneratedConfiguration(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	all := []resource.TestStep{{Config: everything}}
	for address, id := range map[string]string{
		"cloudpam_scope.full": "partner", "cloudpam_pool.full": "partner.corp", "cloudpam_allocation.full": "partner.corp/eu/app:1",
	} {
		all = append(all, resource.TestStep{
			ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithID, ImportStateId: id, GenerateConfig: true,
		})
	}
	for i := range all {
		all[i].Config = server.ProviderConfig() + all[i].Config
	}
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: all})
}

func TestAWrongImportIDSaysWhichOnesThereAre(t *testing.T) {
	t.Parallel()
	server, _ := stock(t)
	const forms = `Name the allocation in one of four ways: - <id> such as alloc_06f2k1m9v8q3t7r5w4x0c1b2n
		- <pool>/<name> such as prod-euw1/app-a - <pool>@<cidr> such as prod-euw1@10.0.1.0/24
		- <cloud>:<id> such as aws:subnet-0123 or gcp:my-project/europe-west1/nodes, of what CloudPAM has seen there; with @<cidr> where it has several blocks`
	tf := acctest.NewTerraform(t, server, `
		resource "cloudpam_scope" "x" {
		  name = "partner"
		}
		resource "cloudpam_pool" "x" {
		  name = "corp"
		  cidr = "10.0.0.0/16"
		}
		resource "cloudpam_allocation" "x" {
		  pool = "corp"
		  name = "app"
		}`)
	for _, c := range []struct{ kind, id, want string }{
		{"allocation", "app", `Error: Import id names no allocation "app" is not the id of an allocation. ` + forms},
		{"allocation", "corp", `"corp" is not the id of an allocation. ` + forms},
		{"allocation", "10.0.1.0/24", `"10.0.1.0" is not the id of a pool. ` + forms},
		{"allocation", "corp@10.0.1.7", `"10.0.1.7" has no prefix length. Did you mean "10.0.1.7/32"? ` + forms},
		{"allocation", "corp@10.0.1.7/24", `10.0.1.7/24 is an address inside 10.0.1.0/24. Did you mean "10.0.1.0/24"? ` + forms},
		{"allocation", "corp/other", `Error: Allocation does not exist There is no allocation "other" in pool "corp". It may have been released, or lie in another pool.`},
		{"allocation", "nowhere/app", `There is no allocation "app" in pool "nowhere". Pool "nowhere" does not exist either.`},
		{"allocation", "corp@10.0.1.0/25", `There is no allocation 10.0.1.0/25 in pool "corp". That CIDR is a part of "app", which is 10.0.1.0/24.`},
		{"allocation", "corp@10.0.0.0/23", `There is no allocation 10.0.0.0/23 in pool "corp". Inside that CIDR there is "app", which is 10.0.1.0/24.`},
		{"allocation", "alloc_gone", `Error: Allocation "alloc_gone" does not exist`},
		{"pool", "corp/app", `Error: Import id names no pool "corp/app" is not the id of a pool. Name the pool by its id:
			<name> in the scope "default", such as prod-euw1, and <scope>.<name> elsewhere, such as partner.prod-euw1.`},
		{"pool", "partner.gone", `Error: Pool "partner.gone" does not exist There is no pool "partner.gone". Correct the import id. Name the pool by its id:`},
		{"scope", "partner.corp", `Error: Import id names no scope "partner.corp" is not the name of a scope. Name the scope as it is, such as partner.`},
		{"scope", "gone", `Error: Scope "gone" does not exist There is no scope "gone". Correct the import id. Name the scope as it is, such as partner.`},
	} {
		if _, out, err := tf.Try("import", "-no-color", "cloudpam_"+c.kind+".x", c.id); err == nil || !said(c.want).MatchString(out) {
			t.Errorf("import of %s %s: %v\n%s", c.kind, c.id, err, out)
		}
	}
	for address, id := range map[string]string{"scope.x": "partner", "pool.x": "corp", "allocation.x": "corp@10.0.1.0/24"} {
		tf.Run(t, "import", "-no-color", "cloudpam_"+address, id)
	}
	tf.Run(t, "plan", "-no-color")
}
