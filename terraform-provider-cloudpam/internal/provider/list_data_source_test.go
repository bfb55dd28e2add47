package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// estate is a server with pools of two scopes and both families, and allocations in them.
func estate(t *testing.T) *acctest.Server {
	t.Helper()
	server := acctest.Start(t)
	if _, err := server.Client.CreateScope(t.Context(), cloudpam.NewScope{Name: "partner"}); err != nil {
		t.Fatal(err)
	}
	for _, pool := range []cloudpam.NewPool{
		{Name: "corp", CIDR: new("10.0.0.0/8"), Owner: new("network-team")},
		{Name: "prod", Parent: new("corp"), CIDR: new("10.1.0.0/16"), Labels: &cloudpam.Labels{"tier": "prod", "team": "net"}},
		{Name: "test", Parent: new("corp"), CIDR: new("10.2.0.0/16"), Labels: &cloudpam.Labels{"tier": "test", "team": "net"}},
		{Name: "corp6", CIDR: new("2001:db8::/32")},
		{Name: "corp", Scope: new("partner"), CIDR: new("10.0.0.0/8")},
	} {
		if _, err := server.Client.CreatePool(t.Context(), pool); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range []cloudpam.NewAllocation{
		{Pool: "prod", Name: "app", CIDR: new("10.1.0.0/24"), Owner: new("payments"), Account: new("123456789012")},
		{Pool: "prod", Name: "data", CIDR: new("10.1.1.0/24"), Owner: new("payments"), Labels: &cloudpam.Labels{"team": "data"}},
		{Pool: "test", Name: "app", CIDR: new("10.2.0.0/24")},
		{Pool: "partner.corp", Name: "app", CIDR: new("10.1.0.0/24")},
		{Pool: "corp6", Name: "app", CIDR: new("2001:db8::/56")},
	} {
		if _, err := server.Client.CreateAllocation(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	return server
}

// names is a check that a list holds exactly what has these keys in by_name, and nothing else in the list itself.
func names(address, list string, want ...string) []statecheck.StateCheck {
	keys := map[string]knownvalue.Check{}
	for _, name := range want {
		keys[name] = knownvalue.NotNull()
	}
	return []statecheck.StateCheck{
		statecheck.ExpectKnownValue(address, tfjsonpath.New("by_name"), knownvalue.MapExact(keys)),
		statecheck.ExpectKnownValue(address, tfjsonpath.New(list), knownvalue.ListSizeExact(len(want))),
	}
}

func TestListsAreNarrowedByEveryFilter(t *testing.T) {
	t.Parallel()
	config, checks := "", []statecheck.StateCheck{}
	list := func(typ, filter string, want ...string) {
		name := fmt.Sprintf("x%d", len(checks))
		config += fmt.Sprintf("data \"cloudpam_%s\" \"%s\" {\n%s\n}\n", typ, name, filter)
		checks = append(checks, names("data.cloudpam_"+typ+"."+name, typ, want...)...)
	}
	list("pools", "", "corp", "prod", "test", "corp6", "partner.corp")
	list("pools", `scope = "partner"`, "partner.corp")
	list("pools", `parent = "corp"`, "prod", "test")
	list("pools", `ip_version = 6`, "corp6")
	list("pools", `labels = { team = "net" }`, "prod", "test")
	list("pools", `labels = { team = "net", tier = "prod" }`, "prod")
	list("pools", `search = "NETWORK"`, "corp")
	list("pools", `within = "10.1.0.0/16"`, "prod")
	list("pools", "contains = \"10.1.2.3\"\nscope = \"default\"", "corp", "prod")
	list("pools", "contains = \"2001:DB8:0::/48\"", "corp6")
	list("pools", "parent = \"prod\"")
	list("allocations", "", "prod/app", "prod/data", "test/app", "partner.corp/app", "corp6/app")
	list("allocations", `pool = "prod"`, "app", "data")
	list("allocations", `scope = "partner"`, "partner.corp/app")
	list("allocations", `account = "123456789012"`, "prod/app")
	list("allocations", `owner = "payments"`, "prod/app", "prod/data")
	list("allocations", `ip_version = 6`, "corp6/app")
	list("allocations", `labels = { team = "data" }`, "prod/data")
	list("allocations", `search = "dat"`, "prod/data")
	list("allocations", `within = "10.2.0.0/15"`, "test/app")
	list("allocations", "pool = \"prod\"\ncontains = \"10.1.1.77\"", "data")
	steps(t, estate(t), resource.TestStep{Config: config, ConfigStateChecks: checks})
}

func TestListsReadTheirElementsInFull(t *testing.T) {
	t.Parallel()
	steps(t, estate(t), resource.TestStep{
		Config: "data \"cloudpam_pools\" \"x\" {\n  within = \"10.1.0.0/16\"\n}\ndata \"cloudpam_allocations\" \"x\" {\n  pool = \"prod\"\n}\n",
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data.cloudpam_pools.x", tfjsonpath.New("by_name").AtMapKey("prod"), knownvalue.ObjectPartial(map[string]knownvalue.Check{
				"id": knownvalue.StringExact("prod"), "cidr": knownvalue.StringExact("10.1.0.0/16"), "prefix_length": knownvalue.Int64Exact(16), "owner": knownvalue.StringExact(""),
			})),
			statecheck.ExpectKnownValue("data.cloudpam_allocations.x", tfjsonpath.New("by_name").AtMapKey("data"), knownvalue.ObjectPartial(map[string]knownvalue.Check{
				"cidr": knownvalue.StringExact("10.1.1.0/24"), "last_address": knownvalue.StringExact("10.1.1.255"), "owner": knownvalue.StringExact("payments"),
				"labels": knownvalue.MapExact(map[string]knownvalue.Check{"team": knownvalue.StringExact("data")}),
			})),
		},
	})
}

func TestAFilterThatCannotBeIsRefusedWithoutAServer(t *testing.T) {
	t.Parallel()
	list := func(filter string) string {
		return providerBlock("http://127.0.0.1:1", acctest.Token) + "data \"cloudpam_pools\" \"x\" {\n  " + filter + "\n}\n"
	}
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		refuses(list(`within = "10.1.2.3/16"`), `10.1.2.3/16 is an address inside 10.1.0.0/16. Did you mean "10.1.0.0/16"?`),
		refuses(list(`contains = "here"`), `"here" is not a CIDR or an address; one looks like 10.0.0.0/24 or 2001:db8::/56.`),
		refuses(list(`ip_version = 5`), `Attribute ip_version value must be one of: ["4" "6"], got: 5`),
		refuses(list(`scope = "A"`), `must be 1 to 63 lower-case letters`),
	}})
}

// The testing framework cannot show for_each over a map of objects, so this drives the command line itself.
func TestAListDrivesForEach(t *testing.T) {
	t.Parallel()
	tf := acctest.NewTerraform(t, estate(t), `
data "cloudpam_allocations" "prod" {
  pool = "prod"
}
resource "terraform_data" "subnet" {
  for_each = data.cloudpam_allocations.prod.by_name
  input    = each.value.cidr
}
data "cloudpam_pools" "corp" {
  parent = "corp"
}
data "cloudpam_allocations" "each" {
  for_each = data.cloudpam_pools.corp.by_name
  pool     = each.value.id
}
import {
  for_each = data.cloudpam_allocations.prod.by_name
  to       = cloudpam_allocation.adopted[each.key]
  id       = each.value.id
}
resource "cloudpam_allocation" "adopted" {
  for_each = data.cloudpam_allocations.prod.by_name
  pool     = each.value.pool
  name     = each.key
  cidr     = each.value.cidr
  account  = each.value.account == "" ? null : each.value.account
  owner    = each.value.owner == "" ? null : each.value.owner
  labels   = length(each.value.labels) == 0 ? null : each.value.labels
}
output "subnets" {
  value = jsonencode({ for name, subnet in terraform_data.subnet : name => subnet.output })
}
output "counts" {
  value = jsonencode({ for pool, list in data.cloudpam_allocations.each : pool => length(list.allocations) })
}
`)
	if out := tf.Run(t, "apply", "-auto-approve", "-no-color"); !said("Apply complete! Resources: 2 imported, 2 added, 0 changed, 0 destroyed.").MatchString(out) {
		t.Error(out)
	}
	for name, want := range map[string]string{"subnets": `{"app":"10.1.0.0/24","data":"10.1.1.0/24"}`, "counts": `{"prod":2,"test":1}`} {
		if got := strings.TrimSpace(tf.Run(t, "output", "-raw", name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
}

func TestAListIsReadToItsLastPage(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	if _, err := server.Client.CreatePool(t.Context(), cloudpam.NewPool{Name: "corp", CIDR: new("10.0.0.0/8")}); err != nil {
		t.Fatal(err)
	}
	const more = 1001 // than fit on a page
	for i := range more {
		if _, err := server.Client.CreateAllocation(t.Context(), cloudpam.NewAllocation{Pool: "corp", Name: fmt.Sprintf("a%d", i), PrefixLength: new(32)}); err != nil {
			t.Fatal(err)
		}
	}
	steps(t, server, resource.TestStep{
		Config: "data \"cloudpam_allocations\" \"x\" {\n  pool = \"corp\"\n}\n",
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data.cloudpam_allocations.x", tfjsonpath.New("allocations"), knownvalue.ListSizeExact(more)),
		},
	})
}
