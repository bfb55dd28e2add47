package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

func TestAReservationWithANameIsPlannedByItsLength(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	id := statecheck.CompareValue(compare.ValuesSame())
	kept := func() statecheck.StateCheck { return id.AddStateValue(rsv, tfjsonpath.New("id")) }
	steps(t, server,
		resource.TestStep{
			Config:            reservation("name = \"spare\"\nprefix_length = 20\nreason = \"later\""),
			ConfigPlanChecks:  before(known(rsv, "cidr", "10.0.0.0/20")),
			ConfigStateChecks: []statecheck.StateCheck{kept(), has(rsv, "cidr", "10.0.0.0/20"), has(rsv, "name", "spare")},
			Check: func(*terraform.State) error {
				holds, err := cloudpam.Collect(server.Client.Holds(t.Context(), cloudpam.ListHoldsParams{}))
				if err == nil && len(holds) > 0 {
					err = fmt.Errorf("holds are left: %+v", holds)
				}
				return err
			},
		},
		resource.TestStep{Config: reservation("name = \"spare\"\nprefix_length = 20\nreason = \"later\""), ConfigPlanChecks: emptyPlan},
		resource.TestStep{ResourceName: rsv, ImportState: true, ImportStateVerify: true},
		resource.TestStep{
			Config:            reservation("name = \"reserve\"\nprefix_length = 20\nreason = \"later\""),
			ConfigPlanChecks:  plans(rsv, plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{kept(), has(rsv, "name", "reserve"), has(rsv, "cidr", "10.0.0.0/20")},
		},
		resource.TestStep{Config: reservation("prefix_length = 20\nreason = \"later\""), ConfigPlanChecks: plans(rsv, plancheck.ResourceActionUpdate), ConfigStateChecks: []statecheck.StateCheck{kept()}},
		resource.TestStep{Config: reservation("name = \"spare\"\nprefix_length = 20\nreason = \"later\""), ConfigPlanChecks: plans(rsv, plancheck.ResourceActionUpdate), ConfigStateChecks: []statecheck.StateCheck{kept()}},
		resource.TestStep{ // tainted, it keeps its block
			Taint: []string{rsv}, Config: reservation("name = \"spare\"\nprefix_length = 20\nreason = \"later\""),
			ConfigPlanChecks:  before(plancheck.ExpectResourceAction(rsv, plancheck.ResourceActionReplace), known(rsv, "cidr", "10.0.0.0/20")),
			ConfigStateChecks: []statecheck.StateCheck{has(rsv, "cidr", "10.0.0.0/20")},
		},
	)
}

func besides(label, settings string) string {
	return fmt.Sprintf("resource \"cloudpam_reservation\" %q {\n  pool = cloudpam_pool.corp.id\n%s\n}\n", label, settings)
}

func TestTwoReservationsOfOneNameAreRefusedWhilePlanning(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		tf := acctest.NewTerraform(t, server, corp)
		for name, c := range map[string]struct{ second, want string }{
			"one name": {besides("again", "name = \"spare\"\nprefix_length = 24\nreason = \"x\""), `is named "spare" in pool "corp" too. A name identifies one reservation of its pool: choose another, for example with the key of for_each in it.`},
			"one CIDR": {besides("again", "cidr = \"10.0.0.0/20\"\nreason = \"x\""), `of this configuration keeps 10.0.0.0/20 in pool "corp" too. Remove one of them.`},
		} {
			tf.Write(t, "main.tf", reservation("name = \"spare\"\ncidr = \"10.0.0.0/20\"\nreason = \"x\"")+c.second)
			if _, out, err := tf.Try("plan", "-no-color", parallelism); err == nil || strings.Count(out, "Error: ") != 1 || strings.Count(out, "Error: Duplicate reservation") != 1 || !said(c.want).MatchString(out) {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
		tf.Write(t, "main.tf", corp+besides("one", "name = \"one\"\nprefix_length = 24\nreason = \"x\"")+besides("two", "name = \"two\"\nprefix_length = 24\nreason = \"x\""))
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism)
		if n := len(reservations(t, server)); n != 2 {
			t.Errorf("%d reservations", n)
		}
	})
}

func TestTheNameOfAReservationIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	steps(t, server,
		refuses(reservation("name = \"10.0.0.0/8\"\nprefix_length = 20\nreason = \"x\""), `Error: Name is a CIDR`),
		refuses(reservation("name = \"a b\"\nprefix_length = 20\nreason = \"x\""), `with a letter or digit at both ends`),
		resource.TestStep{Config: corp},
		resource.TestStep{
			PreConfig: func() {
				if _, err := server.Client.CreateReservation(t.Context(), cloudpam.NewReservation{Pool: "corp", Name: new("spare"), PrefixLength: new(24), Reason: "theirs"}); err != nil {
					t.Fatal(err)
				}
			},
			Config: reservation("name = \"spare\"\nprefix_length = 20\nreason = \"x\""), ExpectError: said(`Error: Name is taken`),
		},
		refuses(reservation("name = \"spare\"\nprefix_length = 20\nreason = \"x\""), `keeps 10.0.0.0/24. Choose another name.`),
		resource.TestStep{
			PreConfig: func() {
				if err := server.Client.ReleaseReservation(t.Context(), reservations(t, server)[0].ID); err != nil {
					t.Fatal(err)
				}
			},
			Config: reservation("name = \"spare\"\nprefix_length = 20\nreason = \"x\""),
		},
	)
}

// One that stands keeps its block, whatever names it: by its cidr first, then by nothing but its length.
func TestAReservationWithoutANameNamesItsBlock(t *testing.T) {
	t.Parallel()
	nameless := "prefix_length = 20\nreason = \"x\""
	steps(t, acctest.Start(t),
		refuses(reservation(nameless), `Error: Reservation has no name`),
		refuses(reservation("prefix_length = terraform_data.size.output\nreason = \"x\"")+"resource \"terraform_data\" \"size\" {\n  input = 20\n}\n", `Error: Reservation has no name`),
		resource.TestStep{Config: reservation("cidr = \"10.0.64.0/20\"\nreason = \"x\"")},
		resource.TestStep{Config: reservation(nameless), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: reservation("name = \"x\"\n" + nameless), ConfigPlanChecks: plans(rsv, plancheck.ResourceActionUpdate)},
		resource.TestStep{
			Taint: []string{rsv}, Config: reservation(nameless), ExpectError: said(`Set name, to what people call it, such as "merger"; or set cidr to choose the block yourself.`),
		},
	)
}

func TestWithoutPlanTimeCIDRsAReservationNeedsNoName(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, reservation("prefix_length = 20\nreason = \"x\""))
	tf.Setenv("CLOUDPAM_PLAN_MODE", "off")
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	tf.Run(t, "plan", "-detailed-exitcode", "-no-color")
}
