package provider_test

import (
	"context"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// A protected pool stops its destruction while it is planned: what is in it is still there.
func TestDestroyingAProtectedPoolReleasesNothing(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		protected := strings.Replace(corpAndVPC, `"vpc"
`, "\"vpc\"\n  deletion_protection = true\n", 1)
		tf := acctest.NewTerraform(t, server, protected+appOfVPC)
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism)
		refused := func(command ...string) {
			t.Helper()
			_, out, err := tf.Try(append(command, "-no-color", "-auto-approve", parallelism)...)
			if err == nil || strings.Count(out, "Error: ") != 1 || !strings.Contains(out, `Error: Pool "vpc" is protected`) {
				t.Errorf("%v: %v\n%s", command, err, out)
			}
			tf.Run(t, "plan", "-no-color", "-detailed-exitcode", parallelism)
		}
		refused("destroy")
		tf.Write(t, "main.tf", corp)
		_, out, err := tf.Try("apply", "-no-color", "-auto-approve", parallelism) // out of the configuration, with what is in it
		if err == nil || !strings.Contains(out, `Error: Pool "vpc" is protected`) {
			t.Errorf("%v\n%s", err, out)
		}
		if all, err := cloudpam.Collect(server.Client.Allocations(t.Context(), cloudpam.ListAllocationsParams{})); err != nil || len(all) != 1 {
			t.Errorf("there are %v, %v", all, err)
		}

		// Who switches it off elsewhere is believed, though the state is old.
		tf.Write(t, "main.tf", protected+appOfVPC)
		if _, err := server.Client.UpdatePool(t.Context(), "vpc", cloudpam.PoolPatch{DeletionProtection: new(false)}); err != nil {
			t.Fatal(err)
		}
		tf.Run(t, "destroy", "-no-color", "-auto-approve", parallelism, "-refresh=false")
	})
}

// repeated names pools by their ids where it could reference them, so that Terraform knows no order.
const repeated = `
resource "cloudpam_scope" "partner" { name = "partner" }
resource "cloudpam_pool" "corp" {
  scope = "partner"
  name  = "corp"
  cidr  = "10.0.0.0/8"
}
resource "cloudpam_pool" "vpc" {
  parent        = "partner.corp"
  name          = "vpc"
  cidr          = "10.0.0.0/16"
}
resource "cloudpam_allocation" "app" {
  count         = 12
  pool          = "partner.vpc"
  name          = "app-${count.index}"
  prefix_length = 24
}
resource "cloudpam_allocation_set" "set" {
  pool    = "partner.corp"
  name    = "set"
  subnets = { a = 24, b = 24 }
  exclude = ["10.0.0.0/16"]
}
resource "cloudpam_reservation" "kept" {
  pool   = "partner.vpc"
  cidr   = "10.0.240.0/20"
  reason = "later"
}
`

// ordered is a configuration with the references that it lacks, to be created by.
func ordered(config string) string {
	return strings.NewReplacer(`"partner.corp"`, "cloudpam_pool.corp.id", `"partner.vpc"`, "cloudpam_pool.vpc.id", `scope = "partner"`, "scope = cloudpam_scope.partner.name").Replace(config)
}

// A pool waits for what the same run destroys in it, in whatever order that begins.
func TestAPoolThatNothingReferencesIsDestroyedWithWhatIsInIt(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, ordered(repeated))
	for range 3 {
		tf.Write(t, "main.tf", ordered(repeated))
		tf.Run(t, "apply", "-no-color", "-auto-approve")
		tf.Write(t, "main.tf", repeated)
		tf.Run(t, "apply", "-no-color", "-auto-approve", "-refresh=false") // the state has no references either
		tf.Run(t, "destroy", "-no-color", "-auto-approve")
	}
}

// With -parallelism=1 who waits is in the way of all others. Then it gives up, says what to do, and that works.
func TestAPoolThatWaitsInVainGivesUp(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, ordered(repeated))
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Write(t, "main.tf", repeated)
	tf.Run(t, "apply", "-no-color", "-auto-approve", "-refresh=false")
	for try := range 4 { // each level of pools may be in the way once
		_, out, err := tf.Try("destroy", "-no-color", "-auto-approve", "-parallelism=1", "-refresh=false")
		if err == nil {
			return
		}
		if try == 3 || !said("run Terraform again, a destroy with -refresh=false").MatchString(out) || strings.Count(out, "is not empty") < 1 {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

// What is not of this run is not waited for long, and is said.
func TestAPoolWithSomethingForeignIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, corp+app24)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	if _, err := server.Client.CreateAllocation(context.Background(), cloudpam.NewAllocation{Pool: "corp", Name: "foreign", PrefixLength: new(24)}); err != nil {
		t.Fatal(err)
	}
	if _, out, err := tf.Try("destroy", "-no-color", "-auto-approve"); err == nil || !said(`Error: Pool "corp" is not empty`).MatchString(out) || !strings.Contains(out, "foreign") {
		t.Errorf("%v\n%s", err, out)
	}
}
