package provider_test

import (
	"flag"
	"maps"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const manyInTwoPools = `
resource "cloudpam_pool" "root" {
  name = "root"
  cidr = "10.0.0.0/8"
}
resource "cloudpam_pool" "child" {
  count         = 12
  parent        = cloudpam_pool.root.id
  name          = "child-${count.index}"
  prefix_length = 16
}
resource "cloudpam_allocation_set" "s" {
  count   = 20
  pool    = cloudpam_pool.child[2].id
  name    = "set-${count.index}"
  subnets = { a = 28, b = 27 }
}
resource "cloudpam_allocation" "a" {
  count         = 100
  pool          = cloudpam_pool.child[count.index % 2].id
  name          = "app-${count.index}"
  prefix_length = 28
}
`

// Four single reads and one list for the scope's pools, and the same for each of the two pools that hold allocations, and for the one that holds sets.
func TestAPlanOverManyObjectsAsksForAHandfulOfLists(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	proxy := server.Proxy(t, nil)
	tf := acctest.NewTerraform(t, server, proxy.ProviderConfig("")+manyInTwoPools)
	tf.Run(t, "apply", "-auto-approve", "-no-color", "-parallelism=30")
	proxy.Counts()

	tf.Run(t, "plan", "-no-color", "-detailed-exitcode", "-parallelism=30")
	want := map[string]int{"GET pools/{id}": 4, "GET pools": 1, "GET allocations/{id}": 8, "GET allocations": 2, "GET allocation-sets/{id}": 4, "GET allocation-sets": 1}
	if got := proxy.Counts(); !maps.Equal(got, want) {
		t.Errorf("the plan asked %v, want %v", got, want)
	}

	// What changed behind Terraform's back shows all the same.
	drop(t, server, "app-42")
	if plan := tf.Run(t, "plan", "-no-color"); !strings.Contains(plan, "cloudpam_allocation.a[42] will be created") || !strings.Contains(plan, "1 to add, 0 to change") {
		t.Errorf("a released allocation is not planned again:\n%s", plan)
	}
}

var manyPlanned = flag.Int("requests.allocations", 500, "how many allocations are planned, applied and planned again")

// At the parallelism that Terraform has when nobody says another, up to ten are asked for at a time: on a machine that does nothing
// else about ten, on a busy one fewer.
func TestAPlanOfManyNewAllocationsAsksForSeveralAtATime(t *testing.T) {
	t.Parallel()
	n := *manyPlanned
	server := acctest.Start(t)
	proxy := server.Proxy(t, nil)
	tf := acctest.NewTerraform(t, server, proxy.ProviderConfig("")+"resource \"cloudpam_pool\" \"big\" {\n  name = \"big\"\n  cidr = \"10.0.0.0/8\"\n}\n"+subnetsOf(n, "cloudpam_pool.big.id", "subnet"))
	asked := func(what string, most int, args ...string) {
		t.Helper()
		proxy.Counts()
		tf.Run(t, args...)
		total, counts := 0, proxy.Counts()
		for _, count := range counts {
			total += count
		}
		if t.Logf("%s of %d allocations: %d requests, %v", what, n, total, counts); total > most {
			t.Errorf("%s of %d allocations took %d requests, at most %d are wanted: %v", what, n, total, most, counts)
		}
	}
	asked("a plan", n/2, "plan", "-no-color", "-out=plan")
	asked("the apply", 2*n+n/2, "apply", "-no-color", "plan")
	asked("a plan after it", 10+n/100, "plan", "-no-color", "-detailed-exitcode")
}
