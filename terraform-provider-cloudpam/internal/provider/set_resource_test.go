package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const theSet = "cloudpam_allocation_set.s"

// set is a configuration with one allocation set of the pool corp.
func set(settings string) string {
	return corp + "resource \"cloudpam_allocation_set\" \"s\" {\n  pool = cloudpam_pool.corp.id\n  name = \"shop\"\n" + settings + "\n}\n"
}

// everyCIDR checks the whole map in a plan: every member known, and no other.
func everyCIDR(want map[string]string) plancheck.PlanCheck {
	checks := map[string]knownvalue.Check{}
	for key, cidr := range want {
		checks[key] = knownvalue.StringExact(cidr)
	}
	return plancheck.ExpectKnownValue(theSet, tfjsonpath.New("cidrs"), knownvalue.MapExact(checks))
}

const twoZones = `subnets = { app-a = 24, app-b = 24, db-a = 26 }`

var inTwoZones = map[string]string{"app-a": "10.0.0.0/24", "app-b": "10.0.1.0/24", "db-a": "10.0.2.0/26"}

func TestThePlanShowsEveryCIDROfASet(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		resource.TestStep{Config: set(twoZones), ConfigPlanChecks: before(everyCIDR(inTwoZones), plancheck.ExpectUnknownValue(theSet, tfjsonpath.New("id")))},
		resource.TestStep{Config: set(twoZones), ConfigPlanChecks: emptyPlan},
	)
}

func TestMembersComeGoAndResizeWithoutMovingAnother(t *testing.T) {
	t.Parallel()
	var ids map[string]string
	steps(t, acctest.Start(t),
		resource.TestStep{Config: set(twoZones), Check: readMembers(&ids)},
		resource.TestStep{
			Config: set(`subnets = { app-0 = 24, app-a = 24, app-b = 24, db-a = 26 }`),
			ConfigPlanChecks: before(plancheck.ExpectResourceAction(theSet, plancheck.ResourceActionUpdate),
				everyCIDR(map[string]string{"app-0": "10.0.3.0/24", "app-a": "10.0.0.0/24", "app-b": "10.0.1.0/24", "db-a": "10.0.2.0/26"})),
			Check: keptIDs(&ids, "app-a", "app-b", "db-a"),
		},
		resource.TestStep{
			Config: set(`subnets = { app-0 = 24, app-b = 22, db-a = 28 }`),
			ConfigPlanChecks: before(plancheck.ExpectResourceAction(theSet, plancheck.ResourceActionUpdate),
				everyCIDR(map[string]string{"app-0": "10.0.3.0/24", "app-b": "10.0.4.0/22", "db-a": "10.0.2.0/28"})),
		},
		resource.TestStep{
			Config:           set(`subnets = { app-0 = 24, app-a = 24, app-b = 22, db-a = 28 }`), // app-a comes back to where it was
			ConfigPlanChecks: before(everyCIDR(map[string]string{"app-0": "10.0.3.0/24", "app-a": "10.0.0.0/24", "app-b": "10.0.4.0/22", "db-a": "10.0.2.0/28"})),
		},
		resource.TestStep{Config: set(`subnets = { app-0 = 24, app-a = 24, app-b = 22, db-a = 28 }`), ConfigPlanChecks: emptyPlan},
	)
}

func readMembers(into *map[string]string) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		*into = map[string]string{}
		for name, value := range s.RootModule().Resources[theSet].Primary.Attributes {
			if key, ok := strings.CutPrefix(name, "ids."); ok && key != "%" {
				(*into)[key] = value
			}
		}
		return nil
	}
}

func keptIDs(was *map[string]string, keys ...string) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		var now map[string]string
		_ = readMembers(&now)(s)
		for _, key := range keys {
			if now[key] == "" || now[key] != (*was)[key] {
				return fmt.Errorf("member %s was %s and is %s", key, (*was)[key], now[key])
			}
		}
		return nil
	}
}

// What a user builds on the map must not notice the others: with for_each over it, a new zone is only something new.
func TestAddingAZonePlansOnlyAdditions(t *testing.T) {
	t.Parallel()
	downstream := `
		resource "terraform_data" "subnet" {
		  for_each         = cloudpam_allocation_set.s.cidrs
		  input            = each.key
		  triggers_replace = each.value
		}`
	tf := acctest.NewTerraform(t, acctest.Start(t), set(twoZones)+downstream)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Write(t, "main.tf", set(`subnets = { app-0 = 24, app-a = 24, app-b = 24, app-c = 24, db-a = 26, db-c = 26 }`)+downstream)
	tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
	var plan struct {
		ResourceChanges []struct {
			Address string
			Change  struct{ Actions []string }
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(tf.Run(t, "show", "-json", "p.tfplan")), &plan); err != nil {
		t.Fatal(err)
	}
	changes := map[string][]string{}
	for _, c := range plan.ResourceChanges {
		if !slices.Equal(c.Change.Actions, []string{"no-op"}) {
			changes[c.Address] = c.Change.Actions
		}
	}
	want := map[string][]string{
		theSet: {"update"}, `terraform_data.subnet["app-0"]`: {"create"}, `terraform_data.subnet["app-c"]`: {"create"}, `terraform_data.subnet["db-c"]`: {"create"},
	}
	if fmt.Sprint(changes) != fmt.Sprint(want) {
		t.Errorf("planned %v, want %v", changes, want)
	}
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
	tf.Run(t, "destroy", "-no-color", "-auto-approve")
}

func TestASetThatDoesNotFitHoldsNothing(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: corp},
		resource.TestStep{Config: set(`subnets = { a = 24, b = 17, c = 17 }`), PlanOnly: true, ExpectError: said(`Error: Pool is exhausted with cloudpam_allocation_set.s,`)},
		resource.TestStep{Config: corp, Check: func(*terraform.State) error {
			for hold, err := range server.Client.Holds(context.Background(), cloudpam.ListHoldsParams{}) {
				return fmt.Errorf("held: %v, %w", hold, err)
			}
			return nil
		}},
	)
}

func TestMembersAreSizedByTheHostsTheyHave(t *testing.T) {
	t.Parallel()
	config := set("target = \"aws_subnet\"\nhosts = { app = 300, db = 11 }\nsubnets = { edge = 28 }")
	steps(t, acctest.Start(t),
		refuses(set("target = \"aws_subnet\"\nsubnets = { a = 29 }"), `Member a: an AWS subnet cannot be a /29: it is a /16 to a /28; use /28`),
		refuses(set("hosts = { a = 29 }"), `target`),
		resource.TestStep{Config: config, ConfigPlanChecks: before(everyCIDR(map[string]string{"app": "10.0.0.0/23", "db": "10.0.2.0/28", "edge": "10.0.2.16/28"}))},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
	)
}

func TestAGKEClusterIsPlannedWhole(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		refuses(set("gke = { nodes = 59 }\nsubnets = { pods = 24 }"), `The member "pods" of this set is asked for twice`),
		resource.TestStep{
			Config:           set("gke = { nodes = 59 }\nsubnets = { bastion = 28 }"),
			ConfigPlanChecks: before(everyCIDR(map[string]string{"pods": "10.0.0.0/18", "services": "10.0.64.0/20", "nodes": "10.0.80.0/26", "bastion": "10.0.80.64/28"})),
		},
		resource.TestStep{Config: set("gke = { nodes = 59 }\nsubnets = { bastion = 28 }"), ConfigPlanChecks: emptyPlan},
		resource.TestStep{
			Config:           set("gke = { nodes = 100 }\nsubnets = { bastion = 28 }"), // nodes and pods grow: the others stay
			ConfigPlanChecks: before(plancheck.ExpectResourceAction(theSet, plancheck.ResourceActionUpdate)),
			Check: resource.ComposeTestCheckFunc(resource.TestCheckResourceAttr(theSet, "cidrs.services", "10.0.64.0/20"),
				resource.TestCheckResourceAttr(theSet, "cidrs.bastion", "10.0.80.64/28"), resource.TestCheckResourceAttr(theSet, "cidrs.pods", "10.0.128.0/17")),
		},
	)
}

func TestAnEKSClusterIsPlannedWhole(t *testing.T) {
	t.Parallel()
	config := set(`eks = { zones = ["a", "b"], nodes_per_zone = 10, max_pods_per_node = 29 }`)
	steps(t, acctest.Start(t),
		resource.TestStep{Config: config, ConfigPlanChecks: before(everyCIDR(map[string]string{
			"nodes-a": "10.0.0.0/23", "nodes-b": "10.0.2.0/23", "control-plane-a": "10.0.4.0/28", "control-plane-b": "10.0.4.16/28",
		}))},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
	)
}

func TestALostMemberIsToldAndTheNextApplyConverges(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: corp},
		resource.TestStep{
			Config: set(`subnets = { a = 24 }`), ConfigPlanChecks: before(steal(server)),
			ExpectError: said(`Error: Planned CIDR is no longer available with cloudpam_allocation_set.s,`),
		},
		resource.TestStep{Config: set(`subnets = { a = 24 }`), ConfigPlanChecks: before(everyCIDR(map[string]string{"a": "10.0.1.0/24"}))},
		resource.TestStep{PreConfig: func() { drop(t, server, "thief") }, Config: set(`subnets = { a = 24 }`), ConfigPlanChecks: emptyPlan},
	)
}

func TestAMemberReleasedByAPersonComesBackWithItsCIDR(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: set(twoZones)},
		resource.TestStep{
			PreConfig: func() { drop(t, server, "shop/app-b") }, Config: set(twoZones),
			ConfigPlanChecks: before(plancheck.ExpectResourceAction(theSet, plancheck.ResourceActionUpdate), everyCIDR(inTwoZones)),
		},
		resource.TestStep{Config: set(twoZones), ConfigPlanChecks: emptyPlan},
	)
}

func TestASetThatIsGoneIsPlannedWhereItWas(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	gone := func() {
		for s, err := range server.Client.AllocationSets(t.Context(), cloudpam.ListAllocationSetsParams{}) {
			if err == nil {
				err = server.Client.ReleaseAllocationSet(t.Context(), s.ID)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	steps(t, server,
		resource.TestStep{Config: set(twoZones)},
		resource.TestStep{PreConfig: gone, Config: set(twoZones), ConfigPlanChecks: before(plancheck.ExpectResourceAction(theSet, plancheck.ResourceActionCreate), everyCIDR(inTwoZones))},
	)
}

func TestATaintedSetIsPlannedAgain(t *testing.T) {
	t.Parallel()
	for order, lifecycle := range map[string]string{"destroyed first": "", "created first": "\nlifecycle {\n  create_before_destroy = true\n}"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			config := set("subnets = { a = 24, b = 26 }" + lifecycle)
			steps(t, acctest.Start(t),
				resource.TestStep{Config: config},
				resource.TestStep{Taint: []string{theSet}, Config: config, ConfigPlanChecks: before(everyCIDR(map[string]string{"a": "10.0.0.0/24", "b": "10.0.1.0/26"}))},
				resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
			)
		})
	}
}

func TestWithoutHoldsASetsMembersAreKnownAndItsCIDRsFollow(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	off := func(config string) string { return unplanned(server.ProviderConfig()) + config }
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		{Config: off(set(twoZones)), ConfigPlanChecks: before(plancheck.ExpectUnknownValue(theSet, tfjsonpath.New("cidrs").AtMapKey("app-a")))},
		{Config: off(set(twoZones)), ConfigPlanChecks: emptyPlan},
		{
			Config: off(set(`subnets = { app-a = 24, app-b = 24, app-c = 24, db-a = 26 }`)),
			ConfigPlanChecks: before(plancheck.ExpectUnknownValue(theSet, tfjsonpath.New("cidrs").AtMapKey("app-c")),
				plancheck.ExpectKnownValue(theSet, tfjsonpath.New("cidrs").AtMapKey("app-a"), knownvalue.StringExact("10.0.0.0/24"))),
			Check: resource.TestCheckResourceAttr(theSet, "cidrs.db-a", "10.0.2.0/26"),
		},
	}})
}

func TestASetIsImportedWithAnEmptyPlan(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: set(twoZones)},
		resource.TestStep{ResourceName: theSet, ImportState: true, ImportStateVerify: true},
		resource.TestStep{ResourceName: theSet, ImportState: true, ImportStateVerify: true, ImportStateId: "corp/shop"},
		resource.TestStep{ResourceName: theSet, ImportState: true, ImportStateKind: resource.ImportBlockWithID, ImportStateId: "corp/shop"},
		resource.TestStep{ResourceName: theSet, ImportState: true, ImportStateId: "corp/nothing", ExpectError: said(`There is no allocation set "nothing" in pool "corp".`)},
		resource.TestStep{ResourceName: theSet, ImportState: true, ImportStateId: "Corp/x", ExpectError: said(`Name the set in one of two ways`)},
	)
}

func TestADuplicateSetFailsThePlan(t *testing.T) {
	t.Parallel()
	second := strings.Replace(strings.TrimPrefix(set(`subnets = { a = 24 }`), corp), `"s"`, `"t"`, 1)
	steps(t, acctest.Start(t), resource.TestStep{Config: set(`subnets = { a = 24 }`) + second, PlanOnly: true, ExpectError: said(
		`Another allocation set of this configuration is named "shop" in pool "corp" too.`)})
}

func TestAPoolSelectorTakesTheFirstPoolWithRoomAndKeepsIt(t *testing.T) {
	t.Parallel()
	config := func(more string) string {
		return `
			resource "cloudpam_pool" "full" {
			  name   = "a"
			  cidr   = "10.0.0.0/24"
			  labels = { tier = "prd" }
			}
			resource "cloudpam_pool" "free" {
			  name   = "b"
			  cidr   = "10.1.0.0/16"
			  labels = { tier = "prd" }
			}` + more
	}
	selecting := config(`
			resource "cloudpam_allocation_set" "s" {
			  pool_selector = { labels = { tier = "prd" } }
			  name          = "shop"
			  subnets       = { a = 24, b = 24 }
			  depends_on    = [cloudpam_pool.full, cloudpam_pool.free] // or the pools may be destroyed first
			}`)
	steps(t, acctest.Start(t),
		resource.TestStep{Config: config("")},
		resource.TestStep{Config: selecting, ConfigPlanChecks: before(known(theSet, "pool", "b"), everyCIDR(map[string]string{"a": "10.1.0.0/24", "b": "10.1.1.0/24"}))},
		resource.TestStep{Config: selecting, ConfigPlanChecks: emptyPlan},
	)
}

// The successor of a set lives beside it for a while, in both orders of replacement, under the CIDRs of the saved plan.
func TestASetIsReplacedUnderTheCIDRsOfTheSavedPlan(t *testing.T) {
	t.Parallel()
	for name, lifecycle := range map[string]string{
		"destroyed first": "", "created first": "lifecycle { create_before_destroy = true }",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t)
			tf := acctest.NewTerraform(t, server, set(`subnets = { a = 24, b = 25 }`+"\n"+lifecycle)+`output "cidrs" { value = cloudpam_allocation_set.s.cidrs }`)
			tf.Run(t, "apply", "-no-color", "-auto-approve")
			was := tf.Run(t, "output", "-json", "cidrs")
			tf.Run(t, "plan", "-no-color", "-replace="+theSet, "-out=p.tfplan")
			var plan struct {
				Changes map[string]struct {
					After map[string]string
				} `json:"output_changes"`
			}
			if err := json.Unmarshal([]byte(tf.Run(t, "show", "-json", "p.tfplan")), &plan); err != nil {
				t.Fatal(err)
			}
			tf.Run(t, "apply", "-no-color", "p.tfplan")
			var now map[string]string
			if err := json.Unmarshal([]byte(tf.Run(t, "output", "-json", "cidrs")), &now); err != nil {
				t.Fatal(err)
			}
			if planned := plan.Changes["cidrs"].After; len(planned) != 2 || planned["a"] != now["a"] || planned["b"] != now["b"] {
				t.Errorf("planned %v, made %v, before %s", planned, now, was)
			}
			tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
			var names []string
			for a, err := range server.Client.Allocations(t.Context(), cloudpam.ListAllocationsParams{}) {
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, a.Name)
			}
			if slices.Sort(names); !slices.Equal(names, []string{"shop/a", "shop/b"}) {
				t.Errorf("left are %v", names)
			}
			for hold, err := range server.Client.Holds(t.Context(), cloudpam.ListHoldsParams{}) {
				t.Errorf("still held: %v, %v", hold, err)
			}
		})
	}
}
