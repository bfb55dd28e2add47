package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

func TestAnAddressIsLookedUp(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	shopEstate(t, server)
	config := `
	data "cloudpam_lookup" "taken" {
	  address = "10.4.1.7"
	}
	data "cloudpam_lookup" "free" {
	  address = "10.4.16.0/24"
	}
	data "cloudpam_lookup" "mixed" {
	  address = "10.4.0.0/21"
	}
	data "cloudpam_lookup" "nowhere" {
	  address = "192.0.2.1"
	}`
	list := func(texts ...string) knownvalue.Check {
		var all []knownvalue.Check
		for _, x := range texts {
			all = append(all, knownvalue.StringExact(x))
		}
		return knownvalue.ListExact(all)
	}
	steps(t, server,
		resource.TestStep{Config: config, ConfigStateChecks: []statecheck.StateCheck{
			has("data.cloudpam_lookup.taken", "status", "allocated"), has("data.cloudpam_lookup.taken", "scope", "default"), has("data.cloudpam_lookup.taken", "pool", "prod"),
			has("data.cloudpam_lookup.taken", "kind", "allocation"), has("data.cloudpam_lookup.taken", "name", "shop"), has("data.cloudpam_lookup.taken", "cidr", "10.4.1.0/24"),
			has("data.cloudpam_lookup.taken", "owner", "payments"), has("data.cloudpam_lookup.taken", "free", ""),
			statecheck.ExpectKnownValue("data.cloudpam_lookup.taken", tfjsonpath.New("pools"), list("corp", "prod")),
			statecheck.ExpectKnownValue("data.cloudpam_lookup.taken", tfjsonpath.New("labels"), knownvalue.MapExact(map[string]knownvalue.Check{"app": knownvalue.StringExact("shop")})),
			has("data.cloudpam_lookup.free", "status", "free"), has("data.cloudpam_lookup.free", "free", "10.4.16.0/20"), has("data.cloudpam_lookup.free", "owner", ""),
			has("data.cloudpam_lookup.mixed", "status", "mixed"), has("data.cloudpam_lookup.mixed", "pool", "prod"), has("data.cloudpam_lookup.mixed", "name", ""),
			has("data.cloudpam_lookup.nowhere", "status", "outside"), has("data.cloudpam_lookup.nowhere", "pool", ""),
			statecheck.ExpectKnownValue("data.cloudpam_lookup.nowhere", tfjsonpath.New("pools"), knownvalue.ListExact(nil)),
		}},
		refuses("data \"cloudpam_lookup\" \"x\" {\n  address = \"10.4.1.7\"\n  scope = \"nowhere\"\n}\n", `"nowhere" does not exist`),
	)
}

func TestAPrefixSetFeedsAPrefixList(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	shopEstate(t, server)
	config := `
	data "cloudpam_prefix_set" "shop" {
	  labels     = { app = "shop" }
	  ip_version = 4
	}
	data "cloudpam_prefix_set" "pools" {
	  of   = "pools"
	  pool = "corp"
	}
	data "cloudpam_prefix_set" "none" {
	  labels = { app = "none" }
	}
	resource "terraform_data" "entries" {
	  count = length(data.cloudpam_prefix_set.shop.cidrs) # known while planning
	  input = data.cloudpam_prefix_set.shop.cidrs[count.index]
	}
	output "entries" {
	  value = terraform_data.entries[*].output
	}`
	steps(t, server,
		resource.TestStep{Config: config, ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data.cloudpam_prefix_set.shop", tfjsonpath.New("cidrs"), knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("10.4.0.0/23"), knownvalue.StringExact("10.4.4.0/24")})),
			statecheck.ExpectKnownValue("data.cloudpam_prefix_set.shop", tfjsonpath.New("matched"), knownvalue.Int64Exact(3)),
			statecheck.ExpectKnownValue("data.cloudpam_prefix_set.pools", tfjsonpath.New("cidrs"), knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("10.4.0.0/16")})),
			statecheck.ExpectKnownValue("data.cloudpam_prefix_set.none", tfjsonpath.New("cidrs"), knownvalue.ListExact(nil)),
			statecheck.ExpectKnownOutputValue("entries", knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("10.4.0.0/23"), knownvalue.StringExact("10.4.4.0/24")})),
		}},
		refuses("data \"cloudpam_prefix_set\" \"x\" {\n  ip_version = 4\n}\n", `That would be everything`),
	)
}

// shopEstate has two pools and three allocations of a shop, two of them side by side.
func shopEstate(t *testing.T, server *acctest.Server) {
	t.Helper()
	for _, p := range []cloudpam.NewPool{{Name: "corp", CIDR: new("10.0.0.0/8")}, {Name: "prod", Parent: new("corp"), CIDR: new("10.4.0.0/16")}} {
		if _, err := server.Client.CreatePool(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for name, cidr := range map[string]string{"shop": "10.4.1.0/24", "shop-a": "10.4.0.0/24", "shop-b": "10.4.4.0/24"} {
		a := cloudpam.NewAllocation{Pool: "prod", Name: name, CIDR: new(cidr), Owner: new("payments"), Labels: new(cloudpam.Labels{"app": "shop"})}
		if _, err := server.Client.CreateAllocation(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
}
