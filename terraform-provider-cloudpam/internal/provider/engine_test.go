package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// The life of a plan must be the same on both databases.
func TestPlansAreKeptOnEachDatabase(t *testing.T) {
	t.Parallel()
	acctest.Engines(t, func(t *testing.T, start func(testing.TB, ...string) *acctest.Server) {
		server := start(t)
		steps(t, server,
			// Pools of the same plan, and what follows from the CIDR while planning.
			resource.TestStep{Config: threeLevels, ConfigPlanChecks: before(
				known("cloudpam_pool.env", "cidr", "10.0.0.0/16"), known("cloudpam_pool.vpc", "cidr", "10.0.0.0/20"),
				known("cloudpam_allocation.app", "cidr", "10.0.0.0/22"),
			)},
			resource.TestStep{Config: threeLevels, ConfigPlanChecks: emptyPlan},
			// A hold that is lost between the plan and its apply.
			resource.TestStep{
				Config: threeLevels + another, ConfigPlanChecks: before(known("cloudpam_allocation.another", "cidr", "10.0.4.0/22"), steal(server)),
				ExpectError: said(`Error: Planned CIDR is no longer available with cloudpam_allocation.another,`),
			},
			resource.TestStep{
				Config: threeLevels + another, ConfigPlanChecks: before(known("cloudpam_allocation.another", "cidr", "10.0.8.0/22")),
			},
			resource.TestStep{Config: threeLevels + another, ConfigPlanChecks: emptyPlan},
			resource.TestStep{PreConfig: func() { drop(t, server, "thief") }, Config: threeLevels, ConfigPlanChecks: before(
				plancheck.ExpectResourceAction("cloudpam_allocation.another", plancheck.ResourceActionDestroy),
			)},
		)
	})
}

const another = `
resource "cloudpam_allocation" "another" {
  pool          = cloudpam_pool.vpc.id
  name          = "another"
  prefix_length = 22
}
`

// A plan's promise that ran out, and one that the server remembers no more, are still good while their space is free.
func TestAnExpiredOrForgottenHoldIsAppliedAsPlannedWhileItsSpaceIsFree(t *testing.T) {
	t.Parallel()
	for what, happens := range map[string]func(*testing.T, *acctest.Server){"expired": expireHolds, "forgotten": forgetHolds} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			acctest.Engines(t, func(t *testing.T, start func(testing.TB, ...string) *acctest.Server) {
				server := start(t)
				others(corpPool)(t, server.Client)
				tf := acctest.NewTerraform(t, server, appOfCorp)
				tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
				happens(t, server)
				tf.Run(t, "apply", "-no-color", "p.tfplan")
				if cidr := planned(t, tf)["cloudpam_allocation.app"]; cidr != "10.0.0.0/24" {
					t.Errorf("planned 10.0.0.0/24, applied %q", cidr)
				}
				tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
			})
		})
	}
}

// Space whose hold has run out is used last: another plan gets other space while there is any.
func TestAnExpiredHoldKeepsOthersAwayWhileThereIsOtherSpace(t *testing.T) {
	t.Parallel()
	acctest.Engines(t, func(t *testing.T, start func(testing.TB, ...string) *acctest.Server) {
		server := start(t)
		others(corpPool)(t, server.Client)
		tf := acctest.NewTerraform(t, server, appOfCorp)
		tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
		expireHolds(t, server)
		stranger, err := server.Client.CreateAllocation(t.Context(), cloudpam.NewAllocation{Pool: "corp", Name: "stranger", PrefixLength: new(24)})
		if err != nil || stranger.CIDR != "10.0.1.0/24" {
			t.Errorf("a stranger got %s, %v", stranger.CIDR, err)
		}
		tf.Run(t, "apply", "-no-color", "p.tfplan")
		if cidr := planned(t, tf)["cloudpam_allocation.app"]; cidr != "10.0.0.0/24" {
			t.Errorf("planned 10.0.0.0/24, applied %q", cidr)
		}
	})
}

// expireHolds lets the time of every hold run out.
func expireHolds(t *testing.T, server *acctest.Server) {
	t.Helper()
	server.SQL(t, "UPDATE holds SET expires_at = 1")
	expired := 0
	for hold, err := range server.Client.Holds(t.Context(), cloudpam.ListHoldsParams{}) {
		if err != nil || hold.ExpiresAt.After(time.Now()) {
			t.Fatalf("%s is promised until %v; %v", hold.CIDR, hold.ExpiresAt, err)
		}
		expired++
	}
	if expired == 0 {
		t.Fatal("no hold was there to expire")
	}
}

// forgetHolds takes every hold out of the server's memory, as the ninety days after it would.
func forgetHolds(t *testing.T, server *acctest.Server) {
	t.Helper()
	if err := releaseHolds(t.Context(), server.Client, nothing); err != nil { // its space goes back before its row goes
		t.Fatal(err)
	}
	server.SQL(t, "DELETE FROM holds")
	server.SQL(t, "DELETE FROM promises")
	server.SQL(t, "DELETE FROM last_blocks")
}
