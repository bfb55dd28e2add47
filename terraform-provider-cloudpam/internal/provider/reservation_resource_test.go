package provider_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const rsv = "cloudpam_reservation.r"

// reservation is a configuration with one reservation in the pool corp.
func reservation(settings string) string {
	return corp + "resource \"cloudpam_reservation\" \"r\" {\n  pool = cloudpam_pool.corp.id\n" + settings + "\n}\n"
}

func reservations(t *testing.T, server *acctest.Server) []cloudpam.Reservation {
	t.Helper()
	all, err := cloudpam.Collect(server.Client.Reservations(t.Context(), cloudpam.ListReservationsParams{}))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAReservationIsCreatedChangedInPlaceAndImported(t *testing.T) {
	t.Parallel()
	id := statecheck.CompareValue(compare.ValuesSame())
	kept := func() statecheck.StateCheck { return id.AddStateValue(rsv, tfjsonpath.New("id")) }
	updates := plans(rsv, plancheck.ResourceActionUpdate)
	full := "prefix_length = 20\nreason = \"late\"\nowner = \"net\"\nlabels = { team = \"net\" }\nexpires_at = \"2099-06-30T02:00:00+02:00\""
	steps(t, acctest.Start(t),
		resource.TestStep{
			Config: reservation("cidr = \"10.0.0.0/20\"\nreason = \"merger\""), ConfigPlanChecks: before(known(rsv, "cidr", "10.0.0.0/20")),
			ConfigStateChecks: []statecheck.StateCheck{kept(), has(rsv, "cidr", "10.0.0.0/20"), has(rsv, "scope", "default")},
		},
		resource.TestStep{Config: reservation(full), ConfigPlanChecks: updates, ConfigStateChecks: []statecheck.StateCheck{kept(), has(rsv, "expires_at", "2099-06-30T02:00:00+02:00")}},
		// The same moment in another spelling is no change, and the import has the server's.
		resource.TestStep{Config: reservation("cidr = \"10.0.0.0/20\"\nreason = \"late\"\nowner = \"net\"\nlabels = { team = \"net\" }\nexpires_at = \"2099-06-30T00:00:00.0000009Z\""), ConfigPlanChecks: emptyPlan},
		resource.TestStep{ResourceName: rsv, ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"expires_at"}},
		resource.TestStep{ResourceName: rsv, ImportState: true, ImportStateId: "corp@10.0.0.0/20", ImportStateVerify: true, ImportStateVerifyIgnore: []string{"expires_at"}},
		resource.TestStep{Config: reservation("reason = \"late\"\nprefix_length = 20"), ConfigPlanChecks: updates, ConfigStateChecks: []statecheck.StateCheck{
			kept(), statecheck.ExpectKnownValue(rsv, tfjsonpath.New("expires_at"), knownvalue.Null()),
		}},
		resource.TestStep{Config: reservation("reason = \"late\"\ncidr = \"10.0.64.0/20\""), ConfigPlanChecks: plans(rsv, plancheck.ResourceActionReplace)},
		// Half of what it is now: what is in its own way goes first.
		resource.TestStep{Config: reservation("reason = \"late\"\ncidr = \"10.0.64.0/21\""), ConfigPlanChecks: plans(rsv, plancheck.ResourceActionReplace)},
		resource.TestStep{Config: reservation("reason = \"late\"\nname = \"late\"\nprefix_length = 22"), ConfigPlanChecks: plans(rsv, plancheck.ResourceActionReplace)},
	)
}

func TestAWrongImportIDOfAReservationIsExplained(t *testing.T) {
	t.Parallel()
	var all []resource.TestStep
	all = append(all, resource.TestStep{Config: reservation("cidr = \"10.0.0.0/20\"\nreason = \"merger\"")})
	for id, want := range map[string]string{
		"merger":            `Error: Import id names no reservation "merger" is not the id of a reservation. Name the reservation in one of two ways:`,
		"corp@10.0.0.1/20":  `10.0.0.1/20 is an address inside 10.0.0.0/20. Did you mean "10.0.0.0/20"?`,
		"Corp@10.0.0.0/20":  `"Corp" is not the id of a pool.`,
		"corp@10.0.16.0/20": `There is no reservation of 10.0.16.0/20 in pool "corp". It may have ended or been released, or lie in another pool.`,
		"rsv_nothing":       `There is no reservation "rsv_nothing".`,
	} {
		all = append(all, resource.TestStep{ResourceName: rsv, ImportState: true, ImportStateId: id, ExpectError: said(want)})
	}
	steps(t, acctest.Start(t), all...)
}

func TestWhatAReservationCannotBeIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	steps(t, acctest.Start(t),
		refuses(reservation("reason = \"x\""), `Error: Reservation names no block`),
		refuses(reservation("reason = \"x\"\ncidr = \"10.0.0.0/20\"\nprefix_length = 21"), `Error: CIDR and prefix length disagree`),
		refuses(reservation("reason = \"x\"\nprefix_length = 20\nexpires_at = \"2099-01-01\""),
			`"2099-01-01" is not a point in time. Write it in RFC 3339, like "2027-06-30T00:00:00Z" or "2027-06-30T02:00:00+02:00".`),
		refuses(reservation("reason = \"x\"\nprefix_length = 20\nexpires_at = \"2020-01-01T00:00:00Z\""), `Error: Reservation has ended with cloudpam_reservation.r,
			on terraform_plugin_test.tf line #, in resource "cloudpam_reservation" "r": #: expires_at = "2020-01-01T00:00:00Z"
			expires_at 2020-01-01T00:00:00Z has passed, so the block is free: there is nothing to keep.
			Remove the resource from the configuration, set a later expires_at to keep the block again, or remove expires_at to keep it until it is released.`),
		refuses(reservation("reason = \" \"\nname = \"x\"\nprefix_length = 20"), `Say why the block is kept, for whoever comes across it.`),
		refuses(reservation("reason = \"x\"\ncidr = \"10.1.0.0/20\""), `Error: CIDR lies outside the pool`),
		refuses(reservation("reason = \"x\"\ncidr = \"10.0.0.0/20\"")+"resource \"cloudpam_reservation\" \"again\" {\n  pool = \"corp\"\n  cidr = \"10.0.0.0/20\"\n  reason = \"y\"\n  depends_on = [cloudpam_pool.corp]\n}\n",
			`of this configuration keeps 10.0.0.0/20 in pool "corp" too. Remove one of them.`),
	)
}

// A pool, a block that is kept and what is allocated around it, planned before any of it exists.
func TestAPlanKeepsClearOfWhatItReserves(t *testing.T) {
	t.Parallel()
	config := `
	resource "cloudpam_pool" "corp" {
	  name              = "corp"
	  cidr              = "10.0.0.0/16"
	  min_prefix_length = 20
	}
	resource "cloudpam_reservation" "r" {
	  pool   = cloudpam_pool.corp.id
	  cidr   = "10.0.0.0/17"
	  reason = "kept for the merger"
	}
	resource "cloudpam_allocation" "a" {
	  pool          = cloudpam_pool.corp.id
	  name          = "a"
	  prefix_length = 24
	  depends_on    = [cloudpam_reservation.r]
	}`
	server := acctest.Start(t)
	steps(t, server,
		resource.TestStep{
			Config:           config,
			ConfigPlanChecks: before(known("cloudpam_allocation.a", "cidr", "10.0.128.0/24")),
			Check: func(*terraform.State) error {
				holds, err := cloudpam.Collect(server.Client.Holds(t.Context(), cloudpam.ListHoldsParams{}))
				if err == nil && len(holds) > 0 {
					err = fmt.Errorf("holds are left: %+v", holds)
				}
				return err
			},
		},
		refuses(config+"\nresource \"cloudpam_allocation\" \"b\" {\n  pool = cloudpam_pool.corp.id\n  name = \"b\"\n  cidr = \"10.0.16.0/24\"\n}\n",
			`10.0.16.0/24 is taken: reservation "kept for the merger" holds 10.0.0.0/17.`),
	)
}

// What is planned before the reservation was shown its block: that moves, and the next plan is right.
func TestAReservationPlannedTooLateIsKeptInTheNextPlan(t *testing.T) {
	t.Parallel()
	config := corp + `
		resource "cloudpam_reservation" "r" {
		  pool       = cloudpam_pool.corp.id
		  cidr       = "10.0.0.0/20"
		  reason     = "kept for the merger"
		  depends_on = [cloudpam_allocation.a]
		}
		resource "cloudpam_allocation" "a" {
		  pool          = cloudpam_pool.corp.id
		  name          = "a"
		  prefix_length = 24
		}`
	server := acctest.Start(t)
	steps(t, server,
		refuses(config, `Error: Two blocks of this plan were in each other's way with cloudpam_reservation.r,`),
		resource.TestStep{Config: config, ConfigStateChecks: []statecheck.StateCheck{has("cloudpam_allocation.a", "cidr", "10.0.16.0/24")}},
	)
}

func TestAReservationThatEndedIsMadeAgainOnlyWithALaterEnd(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	end := func() {
		for _, v := range reservations(t, server) {
			if err := server.Client.ReleaseReservation(t.Context(), v.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	until := func(moment string) string {
		return reservation("name = \"x\"\nprefix_length = 20\nreason = \"x\"\nexpires_at = \"" + moment + "\"")
	}
	steps(t, server,
		resource.TestStep{Config: until("2098-01-01T00:00:00Z")},
		resource.TestStep{PreConfig: end, Config: until("2099-01-01T00:00:00Z"), ConfigPlanChecks: plans(rsv, plancheck.ResourceActionCreate)},
		resource.TestStep{PreConfig: end, Config: until("2020-01-01T00:00:00Z"), ExpectError: said("expires_at 2020-01-01T00:00:00Z has passed")},
		resource.TestStep{Config: corp, Check: func(*terraform.State) error {
			if left := reservations(t, server); len(left) > 0 {
				return fmt.Errorf("left: %+v", left)
			}
			return nil
		}},
	)
}

// Terraform plans before it destroys, so the plan that is refused must say how to destroy nevertheless.
func TestAReservationThatEndedDoesNotKeepTheRestFromBeingDestroyed(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	until := func(moment string) string {
		return reservation("name = \"x\"\nprefix_length = 20\nreason = \"x\"\nexpires_at = \"" + moment + "\"")
	}
	tf := acctest.NewTerraform(t, server, until("2099-01-01T00:00:00Z"))
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	if err := server.Client.ReleaseReservation(t.Context(), reservations(t, server)[0].ID); err != nil {
		t.Fatal(err)
	}
	tf.Write(t, "main.tf", until("2020-01-01T00:00:00Z"))
	if _, out, err := tf.Try("destroy", "-auto-approve", "-no-color"); err == nil || !said("run terraform destroy -refresh=false").MatchString(out) {
		t.Errorf("%v\n%s", err, out)
	}
	tf.Run(t, "destroy", "-refresh=false", "-auto-approve", "-no-color")
}
