package provider_test

import (
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const manyInOnePool = `
resource "cloudpam_pool" "corp" {
  name = "corp"
  cidr = "10.0.0.0/8"
}
resource "cloudpam_allocation" "a" {
  count         = 200
  pool          = cloudpam_pool.corp.id
  name          = "app-${count.index}"
  prefix_length = 20 + count.index % 8
}
`

// At the default parallelism ten resources are planned at once, so a request carries ten where the machine is quiet. On a busy one
// they come apart, so the bound is far from that.
func TestWhatTerraformAsksAtOneMomentIsOneRequest(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	proxy := server.Proxy(t, nil)
	tf := acctest.NewTerraform(t, server, proxy.ProviderConfig("")+manyInOnePool)
	requests := func() int {
		sum := 0
		for _, n := range proxy.Counts() {
			sum += n
		}
		return sum
	}
	tf.Run(t, "plan", "-out=plan")
	if n := requests(); n > 100 {
		t.Errorf("a plan of 201 new resources took %d requests", n)
	}
	tf.Run(t, "apply", "plan")
	requests()
	tf.Run(t, "plan", "-detailed-exitcode")
	if n := requests(); n > 20 {
		t.Errorf("the plan after the apply took %d requests", n)
	}
}

// What is asked at one moment gets the same blocks in every run: the fixed one its own, the largest first, then by name.
func TestTheOrderInWhichTerraformWalksDoesNotMatter(t *testing.T) {
	t.Parallel()
	config := poolNamed("corp", `cidr = "10.0.0.0/16"`) + fixedIn("old", "corp", "10.0.0.0/24") +
		sizedIn("d", "corp", 24) + sizedIn("c", "corp", 24) + sizedIn("b", "corp", 20) + sizedIn("a", "corp", 28)
	want := map[string]string{"a": "10.0.3.0/28", "b": "10.0.16.0/20", "c": "10.0.1.0/24", "d": "10.0.2.0/24"}
	for range 5 {
		for _, parallelism := range []string{"10", "50"} {
			t.Run(parallelism, func(t *testing.T) {
				t.Parallel()
				server := acctest.Start(t)
				tf := acctest.NewTerraform(t, server, config)
				tf.Run(t, "apply", "-auto-approve", "-parallelism="+parallelism)
				for name, cidr := range want {
					if got := strings.TrimSpace(tf.Run(t, "output", "-raw", name)); got != cidr {
						t.Errorf("%s is %s, want %s", name, got, cidr)
					}
				}
			})
		}
	}
}
