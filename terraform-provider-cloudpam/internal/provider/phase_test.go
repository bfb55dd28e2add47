package provider_test

import (
	"context"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// A plan that has refreshed something is known to be one, so that it is told of no loss that is not its own; the apply of the plan
// whose block was lost is.
func TestAPlanAfterALossIsAFreshOne(t *testing.T) {
	t.Parallel()
	for what, more := range map[string]string{
		"of an allocation": app24,
		"of a set":         "resource \"cloudpam_allocation_set\" \"a\" {\n  pool    = cloudpam_pool.corp.id\n  name    = \"a\"\n  subnets = { a = 24, b = 24 }\n}\n",
		"of a pool":        "resource \"cloudpam_pool\" \"a\" {\n  parent        = cloudpam_pool.corp.id\n  name          = \"a\"\n  prefix_length = 24\n}\n",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			atEach(t, func(t *testing.T, parallelism string) {
				server := acctest.Start(t)
				tf := overtaken(t, server, "", corp+more, func(tf *acctest.Terraform, id string) {
					tf.Run(t, "plan", "-no-color", "-out="+id+".tfplan", parallelism) // the second one after the loss
				})
				tf.Run(t, "apply", "-no-color", parallelism, "two.tfplan")
				tf.Run(t, "plan", "-no-color", "-detailed-exitcode", parallelism)
			})
		})
	}
}

func TestTheApplyOfALostPlanIsToldThoughItChangesThingsBefore(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		tf := acctest.NewTerraform(t, server, corp)
		tf.Run(t, "apply", "-no-color", "-auto-approve")
		tf.Write(t, "main.tf", corp+app24+"resource \"cloudpam_scope\" \"s\" {\n  name = \"before\"\n}\n")
		tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
		take := func(thief string) {
			err := releaseHolds(t.Context(), server.Client, func(ctx context.Context, hold cloudpam.Hold) error {
				_, err := server.Client.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: hold.Pool, Name: thief, CIDR: &hold.CIDR})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, thief := range []string{"one", "another"} {
			take(thief)
			wantToldOfTheLoss(t, tf, "p.tfplan")
			tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
		}
		tf.Run(t, "apply", "-no-color", parallelism, "p.tfplan")
	})
}

const app24 = `
resource "cloudpam_allocation" "a" {
  pool          = cloudpam_pool.corp.id
  name          = "app"
  prefix_length = 24
}
`
