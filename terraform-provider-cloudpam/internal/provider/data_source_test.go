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

func TestDataSourcesReadWhatSomethingElseManages(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	if _, err := server.Client.CreatePool(t.Context(), cloudpam.NewPool{Name: "corp", CIDR: new("2001:db8::/32"), DefaultPrefixLength: new(56)}); err != nil {
		t.Fatal(err)
	}
	a, err := server.Client.CreateAllocation(t.Context(), cloudpam.NewAllocation{Pool: "corp", Name: "app", Owner: new("payments")})
	if err != nil {
		t.Fatal(err)
	}
	config := `
	data "cloudpam_pool" "corp" {
	  id = "corp"
	}
	data "cloudpam_allocation" "by_name" {
	  pool = data.cloudpam_pool.corp.id
	  name = "app"
	}
	data "cloudpam_allocation" "by_cidr" {
	  pool = data.cloudpam_pool.corp.id
	  cidr = "2001:DB8:0::/56"
	}
	data "cloudpam_allocation" "by_id" {
	  id = "` + a.ID + `"
	}`
	checks := []statecheck.StateCheck{
		has("data.cloudpam_pool.corp", "cidr", "2001:db8::/32"),
		has("data.cloudpam_pool.corp", "owner", ""), // empty rather than null, so that it can be used without a check
		statecheck.ExpectKnownValue("data.cloudpam_pool.corp", tfjsonpath.New("default_prefix_length"), knownvalue.Int64Exact(56)),
		statecheck.ExpectKnownValue("data.cloudpam_pool.corp", tfjsonpath.New("parent"), knownvalue.Null()),
	}
	for _, way := range []string{"by_name", "by_cidr", "by_id"} {
		checks = append(checks,
			has("data.cloudpam_allocation."+way, "id", a.ID), has("data.cloudpam_allocation."+way, "owner", "payments"),
			has("data.cloudpam_allocation."+way, "last_address", "2001:db8:0:ff:ffff:ffff:ffff:ffff"))
	}
	steps(t, server,
		resource.TestStep{Config: config, ConfigStateChecks: checks},
		refuses("data \"cloudpam_pool\" \"x\" {\n  id = \"nowhere\"\n}\n", `Pool "nowhere" does not exist`),
		refuses("data \"cloudpam_allocation\" \"x\" {\n  pool = \"corp\"\n  name = \"nothing\"\n}\n", `There is no allocation "nothing" in pool "corp".`),
	)
}
