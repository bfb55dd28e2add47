package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

func providerBlock(endpoint, token string) string {
	return fmt.Sprintf("provider \"cloudpam\" {\n  endpoint    = %q\n  token       = %q\n  max_retries = 0\n}\n", endpoint, token)
}

// unplanned is a provider block that asks the server nothing while planning.
func unplanned(block string) string {
	return strings.Replace(block, "{", "{\n  plan_mode   = \"off\"", 1)
}

func TestAServerThatIsDownIsNamed(t *testing.T) {
	t.Parallel()
	nowhere := acctest.Nowhere(t)
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		refuses(unplanned(providerBlock(nowhere, acctest.Token))+corp, `Error: Cannot reach CloudPAM with cloudpam_pool.corp,
			on terraform_plugin_test.tf line #, in resource "cloudpam_pool" "corp": #: resource "cloudpam_pool" "corp" {
			To create pool "corp": cannot reach CloudPAM at `+nowhere+`: dial tcp `+nowhere[len("http://"):]+`: connect: connection refused.
			Check that the server runs and that the provider's endpoint is right, then run Terraform again.
			If the server got the request after all, its effect shows in the next plan.`),
	}})
}

func TestAWrongTokenIsNamed(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		refuses(providerBlock(server.Endpoint, "cpam_wrong_0123456789")+corp, `Error: CloudPAM does not accept the token with cloudpam_pool.corp`),
		refuses(providerBlock(server.Endpoint, "cpam_wrong_0123456789")+corp,
			`Set a valid token in CLOUDPAM_TOKEN, in the file that CLOUDPAM_TOKEN_FILE names, or in the provider block. Request id:`),
	}})
}

func TestAnotherServerIsNotTakenForCloudPAM(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		refuses(providerBlock(server.Endpoint+"/elsewhere", acctest.Token)+corp,
			`Check the provider's endpoint; it is the server's URL without a path.`),
	}})
}

func TestAnExhaustedPoolSaysWhatIsLeftAndWhereThereIsRoom(t *testing.T) {
	t.Parallel()
	config := func(second string) string {
		return `
		resource "cloudpam_pool" "small" {
		  name = "small"
		  cidr = "10.0.0.0/24"
		}
		resource "cloudpam_allocation" "half" {
		  pool          = cloudpam_pool.small.id
		  name          = "half"
		  prefix_length = 25
		}
		resource "cloudpam_allocation" "quarter" {
		  pool          = cloudpam_pool.small.id
		  name          = "quarter"
		  prefix_length = 26
		}` + second
	}
	more := `
		resource "cloudpam_allocation" "more" {
		  pool          = cloudpam_pool.small.id
		  name          = "more"
		  prefix_length = 25
		}`
	spare := `
		resource "cloudpam_pool" "spare" {
		  name = "spare"
		  cidr = "10.9.0.0/16"
		}`
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{Config: config("")},
		refuses(config(more), `Error: Pool is exhausted with cloudpam_allocation.more, on terraform_plugin_test.tf line #, in resource "cloudpam_allocation" "more": #: prefix_length = 25
			Pool small has no free /25; its largest free block is a /26.
			Use another pool, ask for a smaller block (a larger prefix_length), grow pool "small", or release what is no longer needed. Request id:`),
		resource.TestStep{Config: config(spare)},
		refuses(config(spare+more), `Use pool "spare", ask for a smaller block (a larger prefix_length), grow pool "small", or release what is no longer needed.`),
		// A refusal leaves nothing behind: no half-made resource, nothing tainted.
		resource.TestStep{Config: config(spare), ConfigPlanChecks: emptyPlan},
	)
}

func TestATakenNameComesWithAnImportBlock(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	var stranger cloudpam.Allocation
	steps(t, server,
		resource.TestStep{Config: corp},
		resource.TestStep{
			PreConfig: func() {
				var err error
				stranger, err = server.Client.CreateAllocation(t.Context(), cloudpam.NewAllocation{Pool: "corp", Name: "a", PrefixLength: new(24)})
				if err != nil {
					t.Fatal(err)
				}
			},
			Config: allocation("name = \"a\"\nprefix_length = 24"),
			ExpectError: said(`is adopted with an import block:
				import { to = cloudpam_allocation.NAME id = "corp/a" }`),
		},
		refuses(allocation("name = \"a\"\nprefix_length = 24"), `Error: Name is taken with cloudpam_allocation.a,`),
		// What the message offers works: the stranger is adopted, with its CIDR.
		resource.TestStep{
			Config:           "import {\n  to = cloudpam_allocation.a\n  id = \"corp/a\"\n}\n" + allocation("name = \"a\"\nprefix_length = 24"),
			ConfigPlanChecks: plans("cloudpam_allocation.a", plancheck.ResourceActionNoop),
			Check: func(*terraform.State) error {
				got, err := server.Client.GetAllocation(t.Context(), stranger.ID)
				if err == nil && got.CIDR != stranger.CIDR {
					err = fmt.Errorf("the CIDR is %s and was %s", got.CIDR, stranger.CIDR)
				}
				return err
			},
		},
		resource.TestStep{
			PreConfig:   func() { others([]cloudpam.NewPool{{Name: "strange", CIDR: new("172.20.0.0/16")}})(t, server.Client) },
			Config:      allocation("name = \"a\"\nprefix_length = 24") + "resource \"cloudpam_pool\" \"again\" {\n  name = \"strange\"\n  cidr = \"172.16.0.0/12\"\n}\n",
			ExpectError: said(`import { to = cloudpam_pool.NAME id = "strange" }`),
		},
	)
}

func TestATakenCIDRNamesItsHolders(t *testing.T) {
	t.Parallel()
	config := func(cidr string) string {
		return allocation("name = \"a\"\ncidr = \"10.0.1.0/24\"") + `
		resource "cloudpam_allocation" "b" {
		  pool = cloudpam_pool.corp.id
		  name = "b"
		  cidr = "10.0.3.0/24"
		}
		resource "cloudpam_allocation" "c" {
		  pool       = cloudpam_pool.corp.id
		  name       = "c"
		  cidr       = "` + cidr + `"
		  depends_on = [cloudpam_allocation.a, cloudpam_allocation.b]
		}`
	}
	steps(t, acctest.Start(t),
		refuses(config("10.0.1.0/26"), `Error: CIDR is taken with cloudpam_allocation.c, on terraform_plugin_test.tf line #, in resource "cloudpam_allocation" "c": #: cidr = "10.0.1.0/26"
			10.0.1.0/26 is taken: hold "a" holds 10.0.1.0/24.
			Choose another CIDR, or leave cidr out and set prefix_length, so that CloudPAM chooses a free one. Request id:`),
		refuses(config("10.0.0.0/22"), `In the way (the first of them): - hold "a" (10.0.1.0/24), id`),
		refuses(config("10.1.0.0/24"), `Error: CIDR lies outside the pool with cloudpam_allocation.c, on terraform_plugin_test.tf line #, in resource "cloudpam_allocation" "c": #: cidr = "10.1.0.0/24"
			10.1.0.0/24 lies outside pool corp, which is 10.0.0.0/16. Choose a CIDR inside pool "corp", or leave cidr out and set prefix_length. Request id:`),
		resource.TestStep{Config: config("10.0.2.0/24")},
	)
}

func TestAPolicyIsExplainedAtTheAttribute(t *testing.T) {
	t.Parallel()
	config := func(length string) string {
		return `
		resource "cloudpam_pool" "corp" {
		  name              = "corp"
		  cidr              = "10.0.0.0/16"
		  min_prefix_length = 20
		}
		resource "cloudpam_allocation" "a" {
		  pool          = cloudpam_pool.corp.id
		  name          = "a"
		  prefix_length = ` + length + `
		}`
	}
	steps(t, acctest.Start(t),
		refuses(config("18"), `Error: Pool's policy does not allow this with cloudpam_allocation.a, on terraform_plugin_test.tf line #, in resource "cloudpam_allocation" "a": #: prefix_length = 18
			A /18 is too large for pool corp: its min_prefix_length is 20. Ask for what the pool allows, use another pool, or change the pool's settings. Request id:`),
		refuses(config("40"), `Error: CloudPAM refuses a value with cloudpam_allocation.a, on terraform_plugin_test.tf line #, in resource "cloudpam_allocation" "a": #: prefix_length = 40`),
		resource.TestStep{Config: config("20")},
	)
}

func TestAPoolThatDoesNotExistIsNamedAtTheAttribute(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		refuses("resource \"cloudpam_allocation\" \"a\" {\n  pool = \"nowhere\"\n  name = \"a\"\n  prefix_length = 24\n}\n",
			`Error: Pool does not exist with cloudpam_allocation.a, on terraform_plugin_test.tf line #, in resource "cloudpam_allocation" "a": #: pool = "nowhere"
			There is no pool "nowhere". Create it, or correct its id. If this configuration creates it, reference it (pool = cloudpam_pool.NAME.id), so that Terraform creates it first. Request id:`),
		refuses("resource \"cloudpam_pool\" \"a\" {\n  parent = \"nowhere\"\n  name = \"a\"\n  prefix_length = 24\n}\n", `Error: Pool does not exist`),
	)
}

func TestEveryAttributeOfARefusalHasItsPlace(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		refuses("resource \"cloudpam_pool\" \"a\" {\n  name = \"a\"\n  cidr = \"10.0.0.0/8\"\n  min_prefix_length = 28\n  max_prefix_length = 20\n}\n",
			`Error: CloudPAM refuses a value with cloudpam_pool.a, on terraform_plugin_test.tf line #, in resource "cloudpam_pool" "a": #: max_prefix_length = 20
			max_prefix_length 20 is smaller than min_prefix_length 28; the longest length is the smallest block. Correct the value and run Terraform again. Request id:`),
	)
}
