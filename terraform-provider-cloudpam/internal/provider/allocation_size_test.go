package provider_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/provider"
)

const theApp = "cloudpam_allocation.app"

func sizedApp(settings string) string {
	return corp + "resource \"cloudpam_allocation\" \"app\" {\n  pool = cloudpam_pool.corp.id\n  name = \"app\"\n" + settings + "\n}\n"
}

func TestAnAllocationIsSizedByHosts(t *testing.T) {
	t.Parallel()
	hosts := func(n int, target string) string { return sizedApp(fmt.Sprintf("hosts = %d\ntarget = %q", n, target)) }
	length := func(n int64) plancheck.PlanCheck {
		return plancheck.ExpectKnownValue(theApp, tfjsonpath.New("prefix_length"), knownvalue.Int64Exact(n))
	}
	steps(t, acctest.Start(t),
		resource.TestStep{Config: hosts(251, "aws_subnet"), ConfigPlanChecks: before(known(theApp, "cidr", "10.0.0.0/24"), length(24))},
		resource.TestStep{Config: hosts(251, "aws_subnet"), ConfigPlanChecks: emptyPlan},
		resource.TestStep{ // the clouds differ, and the block grows where it stands
			Config:           hosts(253, "gcp_subnetwork"),
			ConfigPlanChecks: before(plancheck.ExpectResourceAction(theApp, plancheck.ResourceActionUpdate), known(theApp, "cidr", "10.0.0.0/23"), length(23)),
		},
		resource.TestStep{Config: hosts(250, "gcp_subnetwork"), ConfigPlanChecks: before(known(theApp, "cidr", "10.0.0.0/24"), length(24))},
		resource.TestStep{Config: hosts(250, "gcp_subnetwork"), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: sizedApp("prefix_length = 24\ntarget = \"aws_subnet\""), ConfigPlanChecks: before(plancheck.ExpectResourceAction(theApp, plancheck.ResourceActionUpdate))},
		refuses(sizedApp("prefix_length = 30\ntarget = \"aws_subnet\""), `An AWS subnet cannot be a /30: it is a /16 to a /28; use /28`),
		refuses(sizedApp("hosts = 70000\ntarget = \"aws_subnet\""), `70000 hosts do not fit an AWS subnet: the largest is a /16`),
		refuses(sizedApp("hosts = 10"), `Attribute "target" must be specified when "hosts" is specified`),
		refuses(sizedApp("hosts = 10\ntarget = \"aws_subnet\"\nprefix_length = 24"), `Attribute "prefix_length" cannot be specified when "hosts" is specified`),
		resource.TestStep{Config: corp}, // what is refused cannot be destroyed either
	)
}

// The provider plans a resize by hosts on its own: it must come to what the server says, wherever that changes.
func TestHostsComeToWhatTheServerSays(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	for pool, cidr := range map[string]string{"four": "0.0.0.0/0", "six": "2001:db8::/32"} {
		if _, err := server.Client.CreatePool(t.Context(), cloudpam.NewPool{Name: pool, CIDR: &cidr}); err != nil {
			t.Fatal(err)
		}
	}
	version := map[string]int64{"four": 4, "six": 6}
	for _, target := range []string{"aws_subnet", "gcp_subnetwork", "azure_subnet"} {
		for _, pool := range []string{"four", "six"} {
			for bits := range 17 {
				for _, around := range []int64{-6, -5, -4, -3, 0} {
					n := int64(1)<<bits + around
					if n < 1 || n > 65531 {
						continue
					}
					hold, err := server.Client.PlaceHold(t.Context(), cloudpam.NewHold{Pool: pool, Name: fmt.Sprint(target, n), Hosts: &n, Target: new(cloudpam.Target(target))})
					if err != nil {
						t.Fatal(err)
					}
					if got := provider.LengthFor(n, target, version[pool]); got != hold.PrefixLength {
						t.Errorf("%d hosts in %s in %s: /%d, the server says /%d", n, target, pool, got, hold.PrefixLength)
					}
				}
			}
		}
	}
}

// selectable are two pools with a label, the first of them full.
const selectable = `
	resource "cloudpam_pool" "full" {
	  name   = "a"
	  cidr   = "10.0.0.0/24"
	  labels = { tier = "prd" }
	}
	resource "cloudpam_allocation" "full" {
	  pool = cloudpam_pool.full.id
	  name = "full"
	  cidr = "10.0.0.0/24"
	}
	resource "cloudpam_pool" "free" {
	  name   = "b"
	  cidr   = "10.1.0.0/16"
	  labels = { tier = "prd" }
	}
`

func TestAnAllocationTakesAPoolByItsLabelsAndStaysThere(t *testing.T) {
	t.Parallel()
	app := func(settings string) string {
		return `
			resource "cloudpam_allocation" "app" {
			  pool_selector = { labels = { tier = "prd" } }
			  name          = "app"
			  ` + settings + `
			}`
	}
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: selectable},
		resource.TestStep{Config: selectable + app("prefix_length = 24"), ConfigPlanChecks: before(known(theApp, "pool", "b"), known(theApp, "cidr", "10.1.0.0/24"))},
		resource.TestStep{
			PreConfig: func() { // now the pool that is asked first has room
				for a, err := range server.Client.Allocations(context.Background(), cloudpam.ListAllocationsParams{Pool: new("a")}) {
					if err != nil {
						t.Fatal(err)
					}
					if err := server.Client.ReleaseAllocation(context.Background(), a.ID); err != nil {
						t.Fatal(err)
					}
				}
			},
			Config: selectable + app("prefix_length = 24"), PlanOnly: true, ExpectNonEmptyPlan: true, // only full comes back
		},
		resource.TestStep{
			Config:           selectable + app("prefix_length = 23"), // it grows in its pool
			ConfigPlanChecks: before(plancheck.ExpectResourceAction(theApp, plancheck.ResourceActionUpdate), known(theApp, "pool", "b"), known(theApp, "cidr", "10.1.0.0/23")),
		},
		resource.TestStep{Config: selectable + app("prefix_length = 23"), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: selectable + app("prefix_length = 23"), Taint: []string{theApp}, Check: func(s *terraform.State) error {
			if at := s.RootModule().Resources[theApp].Primary.Attributes; at["pool"] != "b" || at["cidr"] != "10.1.0.0/23" {
				return fmt.Errorf("the successor is %s in %s", at["cidr"], at["pool"])
			}
			return nil
		}},
		refuses(selectable+app("pool = \"b\""), `Error: The pool is named twice`),
		refuses(selectable+`
			resource "cloudpam_allocation" "app" {
			  name = "app"
			}`, `Error: No pool is named`),
		resource.TestStep{Config: selectable},
	)
}

func TestAPlanSaysWhyNoPoolOfASelectorWillDo(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		resource.TestStep{Config: selectable},
		refuses(selectable+`
			resource "cloudpam_allocation" "app" {
			  pool_selector = { labels = { tier = "prd" } }
			  name          = "app"
			  prefix_length = 8
			}`, `No room in an IPv4 pool with tier=prd; asked 2 pools: a: a /8 is larger than pool a`),
		refuses(selectable+`
			resource "cloudpam_allocation" "app" {
			  count         = 2
			  pool_selector = { labels = { tier = "prd" } }
			  name          = "app"
			  prefix_length = 24
			}`, `Another allocation of this configuration is named "app" in pool "b" too.`),
		resource.TestStep{Config: selectable},
	)
}

func TestWithoutHoldsThePoolOfASelectorIsKnownAfterTheApply(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	const off = "provider \"cloudpam\" {\n  plan_mode = \"off\"\n}\n"
	tf := acctest.NewTerraform(t, server, off+selectable)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Write(t, "main.tf", off+selectable+`
		resource "cloudpam_allocation" "app" {
		  pool_selector = { labels = { tier = "prd" } }
		  name          = "app"
		  hosts         = 300
		  target        = "aws_subnet"
		}
		output "app" { value = "${cloudpam_allocation.app.pool} ${cloudpam_allocation.app.cidr}" }`)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	if got := tf.Run(t, "output", "-raw", "app"); got != "b 10.1.0.0/23" {
		t.Errorf("made %s", got)
	}
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
}

func TestTheGKEGuidePlansWhatItShows(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	pool := cloudpam.NewPool{Name: "gcp", CIDR: new("10.64.0.0/10"), Labels: &cloudpam.Labels{"cloud": "gcp", "tier": "prd"}}
	if _, err := server.Client.CreatePool(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile(filepath.Join(acctest.Root(), "terraform-provider-cloudpam", "templates", "guides", "gke-cluster.md.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(guide), "```text\n")
	shown, _, _ = strings.Cut(shown, "```")
	tf := example(t, server, filepath.Join(registryExamples, "guides", "gke-cluster"))
	tf.Write(t, "versions.tf", "terraform {\n  required_providers {\n    cloudpam = { source = \"cloudpam/cloudpam\" }\n  }\n}\n")
	if out := tf.Run(t, "plan", "-no-color"); !strings.Contains(out, strings.TrimSpace(shown)) {
		t.Errorf("the guide shows\n%s\nand the plan\n%s", shown, out)
	}
}
