package provider_test

import (
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const corpAndVPC = corp + `
resource "cloudpam_pool" "vpc" {
  parent        = cloudpam_pool.corp.id
  name          = "vpc"
  prefix_length = 20
}
`

const appOfVPC = `
resource "cloudpam_allocation" "a" {
  pool          = cloudpam_pool.vpc.id
  name          = "app"
  prefix_length = 24
}
`

// What is in a pool cannot follow it, so that replacing one that is not empty is refused while planning, however it is asked for.
func TestAPoolThatIsNotEmptyIsNotReplaced(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		tf := acctest.NewTerraform(t, server, corpAndVPC+appOfVPC)
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism)
		refused := func(args ...string) {
			t.Helper()
			_, out, err := tf.Try(append([]string{"plan", "-no-color", parallelism}, args...)...)
			if err == nil || strings.Count(out, "Error: ") != 1 || !said(`Error: Pool "vpc" is not empty, so it cannot be replaced`).MatchString(out) || !said(`allocation "app" (10.0.0.0/24)`).MatchString(out) {
				t.Errorf("%v: %v\n%s", args, err, out)
			}
		}
		refused("-replace=cloudpam_pool.vpc")
		tf.Run(t, "taint", "cloudpam_pool.vpc")
		refused()
		tf.Run(t, "untaint", "cloudpam_pool.vpc") // as the message says
		tf.Run(t, "plan", "-no-color", "-detailed-exitcode", parallelism)

		// An empty one is replaced in either way, and gets its block again; what only a plan holds is no content.
		tf.Write(t, "main.tf", corpAndVPC)
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism)
		if _, err := server.Client.PlaceHold(t.Context(), cloudpam.NewHold{Pool: "vpc", Name: "promised", PrefixLength: new(24)}); err != nil {
			t.Fatal(err)
		}
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism, "-replace=cloudpam_pool.vpc")
		tf.Run(t, "taint", "cloudpam_pool.vpc")
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism)
		tf.Run(t, "plan", "-no-color", "-detailed-exitcode", parallelism)
	})
}

// A pool that takes the name that another leaves replaces nothing. It has that name in the next apply.
func TestANameThatIsLeftIsNoReplacement(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, corpAndVPC+appOfVPC)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	renamed := strings.Replace(corpAndVPC, `"vpc"
`, `"vpc-old"
`, 1) + appOfVPC
	next := renamed + "resource \"cloudpam_pool\" \"new\" {\n  parent        = cloudpam_pool.corp.id\n  name          = \"vpc\"\n  prefix_length = 20\n  depends_on    = [cloudpam_pool.vpc]\n}\n"
	tf.Write(t, "main.tf", next)
	if _, out, err := tf.Try("plan", "-no-color"); err == nil || !strings.Contains(out, "Names of pools are handed on in two applies") {
		t.Errorf("%v\n%s", err, out)
	}
	tf.Write(t, "main.tf", renamed)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Write(t, "main.tf", next)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
}
