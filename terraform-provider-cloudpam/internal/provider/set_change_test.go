package provider_test

import (
	"fmt"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

var fullCorp = poolNamed("corp", `cidr = "10.0.0.0/24"`)

// ids are the allocations of the pool corp by CIDR.
func ids(t *testing.T, server *acctest.Server) map[string]string {
	t.Helper()
	by := map[string]string{}
	for a, err := range server.Client.Allocations(t.Context(), cloudpam.ListAllocationsParams{Pool: new("corp")}) {
		if err != nil {
			t.Fatal(err)
		}
		by[a.CIDR] = a.ID
	}
	return by
}

func wantSame(t *testing.T, before, after map[string]string) {
	t.Helper()
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("the allocations are %v, and were %v", after, before)
	}
}

func released(t *testing.T, server *acctest.Server) (all []string) {
	t.Helper()
	for e, err := range server.Client.Events(t.Context(), cloudpam.ListEventsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Action == "allocation.released" {
			all = append(all, e.ObjectID)
		}
	}
	return all
}

func TestSingleAllocationsBecomeASet(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		tf := acctest.NewTerraform(t, server, fullCorp+singles)
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism)
		before := ids(t, server)
		set := setIn("corp", "subnets = { a = 25, b = 26, c = 26 }\n  adopt   = true")

		tf.Write(t, "main.tf", fullCorp+singles+set) // both at once: two resources would have one block
		if _, out, err := tf.Try("plan", "-no-color", parallelism); err == nil || !strings.Contains(out, "Error: Duplicate allocation name") {
			t.Errorf("%v\n%s", err, out)
		}
		tf.Write(t, "main.tf", fullCorp+set+forget("a")+forget("b")) // c would be destroyed
		if _, out, err := tf.Try("apply", "-no-color", "-auto-approve", parallelism); err == nil || strings.Count(out, "Error: ") != 1 || !said(`adopts the allocation "app/c", whose resource has left the configuration`).MatchString(out) {
			t.Errorf("%v\n%s", err, out)
		}
		wantSame(t, before, ids(t, server))

		tf.Write(t, "main.tf", fullCorp+set+forgotten)
		tf.Run(t, "plan", "-no-color", parallelism) // thrown away
		plan := tf.Run(t, "plan", "-no-color", "-out=plan", parallelism)
		for cidr, id := range before {
			if !strings.Contains(plan, cidr) || !strings.Contains(plan, id) {
				t.Errorf("the plan does not show %s, %s:\n%s", cidr, id, plan)
			}
		}
		tf.Run(t, "apply", "-no-color", "plan")
		tf.Run(t, "plan", "-no-color", "-detailed-exitcode", parallelism)
		wantSame(t, before, ids(t, server))
		tf.Write(t, "main.tf", fullCorp+setIn("corp", "subnets = { a = 25, b = 26, c = 26 }\n  adopt   = true")) // what forgets may go
		tf.Run(t, "plan", "-no-color", "-detailed-exitcode", parallelism)
		wantSame(t, before, ids(t, server))
		if gone := released(t, server); len(gone) > 0 {
			t.Errorf("released: %v", gone)
		}
	})
}

// What is to be adopted goes between the plan and its apply: the plan has shown its id, so the apply says so, and the next plan has
// the same block.
func TestAnAllocationReleasedBeforeItIsAdopted(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, fullCorp+single("a", "10.0.0.128/25"))
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	tf.Write(t, "main.tf", fullCorp+setIn("corp", "subnets = { a = 25 }\n  adopt   = true", "a")+forget("a"))
	tf.Run(t, "plan", "-no-color", "-out=plan")
	for _, id := range ids(t, server) {
		if err := server.Client.ReleaseAllocation(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if _, out, err := tf.Try("apply", "-no-color", "plan"); err == nil || !said(`Error: Planned CIDR is no longer available`).MatchString(out) || !said(`has been released; plan again.`).MatchString(out) {
		t.Errorf("%v\n%s", err, out)
	}
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	if got := strings.TrimSpace(tf.Run(t, "output", "-raw", "a")); got != "10.0.0.128/25" {
		t.Errorf("it got %s", got)
	}
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
}

func TestKeysOfASetAreRenamedAndStayRenamed(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		tf := acctest.NewTerraform(t, server, fullCorp+setIn("corp", "subnets = { a = 25, b = 26, c = 26 }"))
		tf.Run(t, "apply", "-no-color", "-auto-approve", parallelism)
		before := ids(t, server)
		applies := func(more, says string) {
			t.Helper()
			tf.Write(t, "main.tf", fullCorp+setIn("corp", more))
			if out := tf.Run(t, "plan", "-no-color", "-out=plan", parallelism); !strings.Contains(out, says) || strings.Contains(out, "(known after apply)") {
				t.Errorf("%s\n%s", more, out)
			}
			tf.Run(t, "apply", "-no-color", "plan")
			tf.Run(t, "plan", "-no-color", "-detailed-exitcode", parallelism)
			wantSame(t, before, ids(t, server))
		}
		applies("subnets = { a = 25, c = 26, d = 26 }\n  renamed = { c = \"b\", d = \"c\" }", "1 to change") // a chain
		applies("subnets = { a = 25, c = 26, d = 26 }", "1 to change")                                       // an entry is carried out again once it has been away
		applies("subnets = { a = 25, c = 26, d = 26 }\n  renamed = { c = \"d\", d = \"c\" }", "1 to change") // exchanged
		applies("subnets = { a = 25, c = 26, d = 26 }\n  renamed = { c = \"d\", d = \"c\" }\n  owner   = \"ann\"", "1 to change")
		applies("subnets = { web = 25, c = 26, d = 26 }\n  renamed = { c = \"d\", d = \"c\", web = \"a\" }", "1 to change") // beside what has been done
		applies("hosts   = { app = 120 }\n  target  = \"gcp_subnetwork\"\n  subnets = { c = 26, d = 26 }\n  renamed = { app = \"web\" }", "1 to change")
		applies("hosts   = { app = 120 }\n  target  = \"gcp_subnetwork\"\n  subnets = { c = 26, d = 26 }", "1 to change")
		if gone := released(t, server); len(gone) > 0 {
			t.Errorf("released: %v", gone)
		}
	})
}

const shopSizes = "subnets = { app = 24, data = 24 }"

// reservedInCorp is a reservation in the pool corp.
func reservedInCorp(label, settings string) string {
	return fmt.Sprintf("resource \"cloudpam_reservation\" %q {\n  pool = \"corp\"\n%s\n}\n", label, "  "+strings.ReplaceAll(settings, "\n", "\n  "))
}

var setTales = map[string]tale{
	"rename_to_a_member": {
		others: others(corpPool), applied: setOfCorp(shopSizes),
		config: setOfCorp("subnets = { app = 24 }\n  renamed = { app = \"data\" }"),
	},
	"rename_still_asked_for": {
		others: others(corpPool), applied: setOfCorp(shopSizes),
		config: setOfCorp("subnets = { app = 24, data = 24, web = 24 }\n  renamed = { web = \"app\" }"),
	},
	"rename_without_size": {
		others: others(corpPool), applied: setOfCorp(shopSizes),
		config: setOfCorp("subnets = { data = 24 }\n  renamed = { web = \"app\" }"),
	},
	"rename_to_an_allocation": {
		others: others(corpPool, cloudpam.NewAllocation{Pool: "corp", Name: "shop/web", CIDR: new("10.0.64.0/24")}), applied: setOfCorp(shopSizes),
		config: setOfCorp("subnets = { data = 24, web = 24 }\n  renamed = { web = \"app\" }"),
	},
	"member_name_taken": {
		others: others(corpPool, cloudpam.NewAllocation{Pool: "corp", Name: "shop/app", CIDR: new("10.0.64.0/24")}), config: setOfCorp(shopSizes),
	},
	"adopt_other_size": {
		others: others(corpPool, cloudpam.NewAllocation{Pool: "corp", Name: "shop/app", CIDR: new("10.0.64.0/25")}), config: setOfCorp(shopSizes + "\n  adopt   = true"),
	},
	"adopt_other_cidr": {
		others: others(corpPool, cloudpam.NewAllocation{Pool: "corp", Name: "shop/app", CIDR: new("10.0.64.0/24")}), config: setOfCorp("fixed   = { app = \"10.0.1.0/24\" }\n  adopt   = true"),
	},
	"adopt_without_pool": {
		others: others(corpPool), config: strings.Replace(setOfCorp(shopSizes+"\n  adopt   = true"), `pool    = "corp"`, `pool_selector = { labels = { tier = "prd" } }`, 1),
	},
	"adopt_destroyed": {
		others: others(corpPool), applied: strings.Replace(appOfCorp, "\"app\"\n", "\"shop/app\"\n", 1),
		config: setOfCorp(shopSizes + "\n  adopt   = true"),
	},
	"duplicate_reservation": {
		others: others(corpPool),
		config: reservedInCorp("one", "name = \"spare\"\nprefix_length = 24\nreason = \"later\"") +
			reservedInCorp("two", "name = \"spare\"\nprefix_length = 25\nreason = \"later\"\ndepends_on = [cloudpam_reservation.one]"),
	},
	"reservation_name_taken": {
		others: func(t *testing.T, c *cloudpam.Client) {
			others(corpPool)(t, c)
			if _, err := c.CreateReservation(t.Context(), cloudpam.NewReservation{Pool: "corp", Name: new("spare"), PrefixLength: new(24), Reason: "theirs"}); err != nil {
				t.Fatal(err)
			}
		},
		config: reservedInCorp("one", "name = \"spare\"\nprefix_length = 24\nreason = \"later\""),
	},
	"reservation_has_no_name":    {config: reservedInCorp("one", "prefix_length = 24\nreason = \"later\"")},
	"reservation_name_is_a_cidr": {config: reservedInCorp("one", "name = \"10.0.0.0/8\"\nprefix_length = 24\nreason = \"later\""), command: "validate"},
}

func TestEveryFailureOfASetOrAReservationIsToldWell(t *testing.T) {
	t.Parallel()
	for name, tale := range setTales {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			acctest.Golden(t, name, tale.tell(t))
		})
	}
}
