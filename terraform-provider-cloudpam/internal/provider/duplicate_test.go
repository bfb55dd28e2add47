package provider_test

import (
	"fmt"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// atEach runs a test with one and with ten things at a time.
func atEach(t *testing.T, body func(t *testing.T, parallelism string)) {
	t.Helper()
	for _, n := range []int{1, 10} {
		t.Run(fmt.Sprintf("parallelism %d", n), func(t *testing.T) {
			t.Parallel()
			body(t, fmt.Sprintf("-parallelism=%d", n))
		})
	}
}

const regionModule = `
variable "name" {}
resource "cloudpam_pool" "vpc" {
  name          = var.name
  parent        = "corp"
  prefix_length = 20
}
resource "cloudpam_allocation" "app" {
  pool          = cloudpam_pool.vpc.id
  name          = "app"
  prefix_length = 24
}
`

func eastWest(east, west string) string {
	return fmt.Sprintf("module \"east\" {\n  source = \"./region\"\n  name = %q\n}\nmodule \"west\" {\n  source = \"./region\"\n  name = %q\n}\n", east, west)
}

// A module that is used twice with one name makes two pools of it; nothing of either is applied.
func TestTwoPoolsOfOneNameAreRefusedWhilePlanning(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		others(corpPool)(t, server.Client)
		tf := acctest.NewTerraform(t, server, eastWest("vpc", "vpc"))
		tf.WriteModule(t, "region", regionModule)
		tf.Run(t, "get", "-no-color")
		_, out, err := tf.Try("apply", "-no-color", "-auto-approve", parallelism)
		if err == nil || strings.Count(out, "Error: Duplicate pool name") != 1 || strings.Count(out, "Error: ") != 1 {
			t.Errorf("%v\n%s", err, out)
		}
		if _, err := server.Client.GetPool(t.Context(), "vpc"); !isNotFound(err) {
			t.Errorf("a pool was made nevertheless: %v", err)
		}
		tf.Write(t, "main.tf", eastWest("vpc-east", "vpc-west"))
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism)
		tf.Write(t, "main.tf", eastWest("vpc-west", "vpc-east")) // each leaves its name for the other to take
		_, out, err = tf.Try("plan", "-no-color", parallelism)
		if strings.Contains(out, "Duplicate") {
			t.Errorf("exchanging two names is no duplicate: %v\n%s", err, out)
		}
		tf.Write(t, "main.tf", eastWest("vpc-west", "vpc-west"))
		if _, out, err = tf.Try("plan", "-no-color", parallelism); err == nil || !strings.Contains(out, "Error: Duplicate pool name") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

func TestAnAllocationIsNoMemberOfASetBesides(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		others(corpPool)(t, server.Client)
		both := setOfCorp("subnets = { app = 24, data = 24 }") + strings.Replace(appOfCorp, "\"app\"\n", "\"shop/app\"\n", 1)
		tf := acctest.NewTerraform(t, server, both)
		if _, out, err := tf.Try("apply", "-no-color", "-auto-approve", parallelism); err == nil || strings.Count(out, "Error: Duplicate allocation name") != 1 || strings.Count(out, "Error: ") != 1 {
			t.Errorf("%v\n%s", err, out)
		}
		for a, err := range server.Client.Allocations(t.Context(), cloudpam.ListAllocationsParams{Pool: new("corp")}) {
			t.Errorf("handed out: %+v, %v", a, err)
		}
		tf.Write(t, "main.tf", setOfCorp("subnets = { app = 24, data = 24 }"))
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism)
		tf.Run(t, "plan", "-no-color", "-detailed-exitcode", parallelism)
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism, "-replace=cloudpam_allocation_set.shop")
		tf.Write(t, "main.tf", both)
		if _, out, err := tf.Try("plan", "-no-color", parallelism); err == nil || !strings.Contains(out, "Error: Duplicate allocation name") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
