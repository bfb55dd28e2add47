package provider_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// edit is something that people change between two applies. The plan after it works, and so does its apply.
type edit struct {
	applied string // "": nothing
	thrown  string // planned and thrown away; "": nothing
	after   string
	args    []string // of the plan
	says    string   // what the plan says
	// It needs what it releases: where Terraform asks for one thing after the other, the first plan may not know it yet.
	releases bool
	want     map[string]string // output → CIDR, where the test knows it; the plan shows it
}

func poolNamed(label, args string) string {
	return fmt.Sprintf("resource \"cloudpam_pool\" %q {\n  name = %q\n  %s\n}\n", label, label, args)
}

func sizedIn(label, in string, length int) string {
	return fmt.Sprintf("resource \"cloudpam_allocation\" %q {\n  pool          = cloudpam_pool.%s.id\n  name          = %q\n  prefix_length = %d\n}\n"+
		"output %q {\n  value = cloudpam_allocation.%s.cidr\n}\n", label, in, label, length, label, label)
}

// calledIn is an allocation of corp that has another name than its label.
func calledIn(label, name string, length int) string {
	return strings.Replace(sizedIn(label, "corp", length), fmt.Sprintf("name          = %q", label), fmt.Sprintf("name          = %q", name), 1)
}

func childIn(label string, length int) string {
	return poolNamed(label, fmt.Sprintf("parent = cloudpam_pool.corp.id\n  prefix_length = %d", length))
}

func fixedIn(label, in, cidr string) string {
	return fmt.Sprintf("resource \"cloudpam_allocation\" %q {\n  pool = cloudpam_pool.%s.id\n  name = %q\n  cidr = %q\n}\n", label, in, label, cidr)
}

func reservedIn(label, in string, length int) string {
	return fmt.Sprintf("resource \"cloudpam_reservation\" %q {\n  pool          = cloudpam_pool.%s.id\n  name          = %q\n  prefix_length = %d\n  reason        = \"later\"\n}\n"+
		"output %q {\n  value = cloudpam_reservation.%s.cidr\n}\n", label, in, label, length, label, label)
}

func createdFirst(resource string) string {
	return strings.Replace(resource, "\n  name ", "\n  lifecycle { create_before_destroy = true }\n  name ", 1)
}

const relabelled = `resource "cloudpam_allocation" "other" {
  pool          = cloudpam_pool.corp.id
  name          = "app"
  prefix_length = 24
}
output "app" {
  value = cloudpam_allocation.other.cidr
}
`

// setIn is a set that fills 10.0.0.0/24 with an /25 and two /26, with what each member has as outputs named after them.
func setIn(in string, more string, keys ...string) string {
	text := "resource \"cloudpam_allocation_set\" \"app\" {\n  pool    = cloudpam_pool." + in + ".id\n  name    = \"app\"\n  " + more + "\n}\n"
	for _, key := range keys {
		text += fmt.Sprintf("output %q {\n  value = cloudpam_allocation_set.app.cidrs[%q]\n}\n", key, key)
	}
	return text
}

// singles are allocations of their own that have the names of members, and forgotten is how Terraform lets go of them.
var (
	singles   = single("a", "10.0.0.0/25") + single("b", "10.0.0.128/26") + single("c", "10.0.0.192/26")
	forgotten = forget("a") + forget("b") + forget("c")
)

func single(key, cidr string) string {
	return fmt.Sprintf("resource \"cloudpam_allocation\" %q {\n  pool = cloudpam_pool.corp.id\n  name = \"app/%s\"\n  cidr = %q\n}\n", key, key, cidr)
}

func forget(key string) string {
	return "removed {\n  from = cloudpam_allocation." + key + "\n  lifecycle {\n    destroy = false\n  }\n}\n"
}

const halves = `resource "cloudpam_allocation_set" "s" {
  pool    = cloudpam_pool.corp.id
  name    = "s"
  subnets = { a = 25, b = 25 }
}
`

var edits = map[string]edit{
	"a fixed block next to a sized one": {
		after: poolNamed("corp", `cidr = "10.0.0.0/8"`) + fixedIn("old", "corp", "10.0.0.0/16") + sizedIn("new", "corp", 16),
		want:  map[string]string{"new": "10.1.0.0/16"},
	},
	"a fixed child pool next to a sized one": {
		after: poolNamed("corp", `cidr = "10.0.0.0/8"`) + poolNamed("old", "parent = cloudpam_pool.corp.id\n  cidr = \"10.0.0.0/16\"") +
			poolNamed("new", "parent = cloudpam_pool.corp.id\n  prefix_length = 16"),
	},
	"a reservation next to a sized block": {
		after: poolNamed("corp", `cidr = "10.0.0.0/8"`) + sizedIn("new", "corp", 16) +
			"resource \"cloudpam_reservation\" \"old\" {\n  pool   = cloudpam_pool.corp.id\n  cidr   = \"10.0.0.0/16\"\n  reason = \"legacy\"\n}\n",
		want: map[string]string{"new": "10.1.0.0/16"},
	},
	"a reservation by length, thrown away": {
		thrown: poolNamed("corp", `cidr = "10.0.0.0/8"`) + reservedIn("spare", "corp", 16),
		after:  poolNamed("corp", `cidr = "10.0.0.0/8"`) + reservedIn("spare", "corp", 16) + sizedIn("new", "corp", 16),
		want:   map[string]string{"spare": "10.0.0.0/16", "new": "10.1.0.0/16"},
	},
	"the length of a reservation corrected in a pool that it fills": {
		thrown: poolNamed("corp", `cidr = "10.0.0.0/24"`) + reservedIn("spare", "corp", 25),
		after:  poolNamed("corp", `cidr = "10.0.0.0/24"`) + reservedIn("spare", "corp", 24),
		want:   map[string]string{"spare": "10.0.0.0/24"},
	},
	"a reservation by length next to a fixed block": {
		thrown: poolNamed("corp", `cidr = "10.0.0.0/8"`) + reservedIn("spare", "corp", 16),
		after:  poolNamed("corp", `cidr = "10.0.0.0/8"`) + reservedIn("spare", "corp", 16) + fixedIn("old", "corp", "10.0.0.0/16"),
		want:   map[string]string{"spare": "10.1.0.0/16"},
	},
	"a reservation by length replaced in a pool that it fills": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + reservedIn("spare", "corp", 24),
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + reservedIn("spare", "corp", 24),
		args:    []string{"-replace=cloudpam_reservation.spare"},
		says:    "1 to add, 0 to change, 1 to destroy",
		want:    map[string]string{"spare": "10.0.0.0/24"},
	},
	"a reservation by length replaced before it is destroyed": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + createdFirst(reservedIn("spare", "corp", 25)),
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + createdFirst(reservedIn("spare", "corp", 25)),
		args:    []string{"-replace=cloudpam_reservation.spare"},
		says:    "1 to add, 0 to change, 1 to destroy",
		want:    map[string]string{"spare": "10.0.0.0/25"},
	},
	"the length of a reservation changed": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/16"`) + reservedIn("spare", "corp", 25),
		after:   poolNamed("corp", `cidr = "10.0.0.0/16"`) + reservedIn("spare", "corp", 24),
		says:    "1 to add, 0 to change, 1 to destroy",
		want:    map[string]string{"spare": "10.0.1.0/24"},
	},
	"a size corrected in a pool that it fills": {
		thrown: poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("app", "corp", 25),
		after:  poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("app", "corp", 24),
		want:   map[string]string{"app": "10.0.0.0/24"},
	},
	"a root pool under another name": {
		thrown: poolNamed("corp", `cidr = "10.0.0.0/8"`) + sizedIn("app", "corp", 24),
		after:  poolNamed("company", `cidr = "10.0.0.0/8"`) + sizedIn("app", "company", 24),
		want:   map[string]string{"app": "10.0.0.0/24"},
	},
	"four names changed in a pool that they fill": {
		thrown: poolNamed("corp", `cidr = "10.0.0.0/16"`) + sizedIn("a", "corp", 18) + sizedIn("b", "corp", 18) + sizedIn("c", "corp", 18) + sizedIn("d", "corp", 18),
		after:  poolNamed("corp", `cidr = "10.0.0.0/16"`) + sizedIn("e", "corp", 18) + sizedIn("f", "corp", 18) + sizedIn("g", "corp", 18) + sizedIn("h", "corp", 18),
	},
	"a name changed among others in a pool that they fill": {
		thrown: poolNamed("corp", `cidr = "10.0.0.0/16"`) + sizedIn("a", "corp", 18) + sizedIn("b", "corp", 18) + sizedIn("c", "corp", 18) + sizedIn("d", "corp", 18),
		after:  poolNamed("corp", `cidr = "10.0.0.0/16"`) + sizedIn("a", "corp", 18) + sizedIn("e", "corp", 18) + sizedIn("c", "corp", 18) + sizedIn("d", "corp", 18),
	},
	"a block that grows next to a thrown-away plan": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("app", "corp", 26),
		thrown:  poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("app", "corp", 26) + sizedIn("other", "corp", 26),
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("app", "corp", 25),
		says:    "0 to add, 1 to change, 0 to destroy",
		want:    map[string]string{"app": "10.0.0.0/25"},
	},
	"a pool that grows next to a thrown-away plan": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/22"`) + childIn("vpc", 24),
		thrown:  poolNamed("corp", `cidr = "10.0.0.0/22"`) + childIn("vpc", 24) + sizedIn("other", "corp", 24),
		after:   poolNamed("corp", `cidr = "10.0.0.0/22"`) + childIn("vpc", 23),
		says:    "0 to add, 1 to change, 0 to destroy",
	},
	"a full pool that grows with a new block in it": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/16"`) + childIn("vpc", 24) + sizedIn("all", "vpc", 24),
		after:   poolNamed("corp", `cidr = "10.0.0.0/16"`) + childIn("vpc", 23) + sizedIn("all", "vpc", 24) + sizedIn("more", "vpc", 25),
		says:    "1 to add, 1 to change, 0 to destroy",
		want:    map[string]string{"all": "10.0.0.0/24", "more": "10.0.1.0/25"},
	},
	"a full root pool that grows with a new block in it": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("all", "corp", 24),
		after:   poolNamed("corp", `cidr = "10.0.0.0/22"`) + sizedIn("all", "corp", 24) + sizedIn("more", "corp", 23),
		says:    "1 to add, 1 to change, 0 to destroy",
		want:    map[string]string{"all": "10.0.0.0/24", "more": "10.0.2.0/23"},
	},
	"a pool that shrinks": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/16"`) + childIn("vpc", 22) + sizedIn("app", "vpc", 26),
		after:   poolNamed("corp", `cidr = "10.0.0.0/16"`) + childIn("vpc", 24) + sizedIn("app", "vpc", 26) + sizedIn("new", "vpc", 25),
		says:    "1 to add, 1 to change, 0 to destroy",
		want:    map[string]string{"app": "10.0.0.0/26", "new": "10.0.0.128/25"},
	},
	"a block replaced in a pool that it fills": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("app", "corp", 24),
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("app", "corp", 24),
		args:    []string{"-replace=cloudpam_allocation.app"},
		says:    "1 to add, 0 to change, 1 to destroy",
		want:    map[string]string{"app": "10.0.0.0/24"},
	},
	"a block replaced before it is destroyed": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + createdFirst(sizedIn("app", "corp", 25)),
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + createdFirst(sizedIn("app", "corp", 25)),
		args:    []string{"-replace=cloudpam_allocation.app"},
		says:    "1 to add, 0 to change, 1 to destroy",
		want:    map[string]string{"app": "10.0.0.0/25"},
	},
	"a fixed block replaced": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + fixedIn("app", "corp", "10.0.0.64/26"),
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + fixedIn("app", "corp", "10.0.0.64/26"),
		args:    []string{"-replace=cloudpam_allocation.app"},
		says:    "1 to add, 0 to change, 1 to destroy",
	},
	"a resource under another label, without a moved block": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("app", "corp", 24),
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + relabelled,
		says:    "1 to add, 0 to change, 1 to destroy",
		want:    map[string]string{"app": "10.0.0.0/24"},
	},
	"a set replaced in a pool that it fills": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + halves,
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + halves,
		args:    []string{"-replace=cloudpam_allocation_set.s"},
		says:    "1 to add, 0 to change, 1 to destroy",
	},
	"a supernet above two root pools": {
		applied: layers["a supernet above two root pools"].before,
		thrown:  layers["a supernet above two root pools"].before + sizedIn("other", "a", 24),
		after:   layers["a supernet above two root pools"].after + layers["a supernet above two root pools"].above + sizedIn("new", "super", 16),
		says:    "2 to add, 2 to change, 0 to destroy",
		want:    map[string]string{"app": "10.0.0.0/24", "new": "10.2.0.0/16"},
	},
	"a layer between two levels with allocations and sets in the pools below": {
		applied: layers["a layer between two levels"].before,
		thrown:  layers["a layer between two levels"].before + sizedIn("other", "corp", 16),
		after:   layers["a layer between two levels"].after + layers["a layer between two levels"].above + sizedIn("new", "super", 16),
		says:    "2 to add, 2 to change, 0 to destroy",
		want:    map[string]string{"app": "10.0.0.0/24", "new": "10.2.0.0/16"},
	},
	"a set's key renamed in a full pool": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + setIn("corp", "subnets = { a = 25, b = 26, c = 26 }"),
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + setIn("corp", "subnets = { web = 25, b = 26, c = 26 }\n  renamed = { web = \"a\" }", "web", "b"),
		says:    "0 to add, 1 to change, 0 to destroy",
		want:    map[string]string{"web": "10.0.0.0/25", "b": "10.0.0.128/26"},
	},
	"keys of a set exchanged": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + setIn("corp", "subnets = { a = 25, b = 26, c = 26 }"),
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + setIn("corp", "subnets = { a = 25, b = 26, c = 26 }\n  renamed = { b = \"c\", c = \"b\" }", "a", "b", "c"),
		says:    "0 to add, 1 to change, 0 to destroy",
		want:    map[string]string{"a": "10.0.0.0/25", "b": "10.0.0.192/26", "c": "10.0.0.128/26"},
	},
	"a key of a set renamed and another shrunk for a new one": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + setIn("corp", "subnets = { a = 25, b = 25 }"),
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + setIn("corp", "subnets = { web = 25, b = 26 }\n  renamed = { web = \"a\" }", "web", "b"),
		says:    "0 to add, 1 to change, 0 to destroy",
		want:    map[string]string{"web": "10.0.0.0/25", "b": "10.0.0.128/26"},
	},
	"single allocations turned into a set": {
		applied: poolNamed("corp", `cidr = "10.0.0.0/24"`) + singles,
		after:   poolNamed("corp", `cidr = "10.0.0.0/24"`) + setIn("corp", "subnets = { a = 25, b = 26, c = 26 }\n  adopt   = true", "a", "b", "c") + forgotten,
		says:    "1 to add, 0 to change, 0 to destroy",
		want:    map[string]string{"a": "10.0.0.0/25", "b": "10.0.0.128/26", "c": "10.0.0.192/26"},
	},
	"a fixed block where a size was shown": {
		thrown: poolNamed("corp", `cidr = "10.0.0.0/8"`) + sizedIn("new", "corp", 16),
		after:  poolNamed("corp", `cidr = "10.0.0.0/8"`) + sizedIn("new", "corp", 16) + fixedIn("old", "corp", "10.0.0.0/16"),
		want:   map[string]string{"new": "10.1.0.0/16"},
	},
	"a block that is split": {
		releases: true,
		applied:  poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("whole", "corp", 24),
		after:    poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("a", "corp", 25) + sizedIn("b", "corp", 25),
		says:     "2 to add, 0 to change, 1 to destroy",
	},
	"two blocks that are merged": {
		releases: true,
		applied:  poolNamed("corp", `cidr = "10.0.0.0/26"`) + sizedIn("a", "corp", 28) + sizedIn("b", "corp", 28) + sizedIn("c", "corp", 27),
		after:    poolNamed("corp", `cidr = "10.0.0.0/26"`) + sizedIn("both", "corp", 27) + sizedIn("c", "corp", 27),
		says:     "1 to add, 0 to change, 2 to destroy",
	},
	"a block that grows over one that goes": {
		releases: true,
		applied:  poolNamed("corp", `cidr = "10.0.0.0/27"`) + fixedIn("a", "corp", "10.0.0.0/28") + fixedIn("b", "corp", "10.0.0.16/28"),
		after:    poolNamed("corp", `cidr = "10.0.0.0/27"`) + sizedIn("a", "corp", 27),
		says:     "0 to add, 1 to change, 1 to destroy",
		want:     map[string]string{"a": "10.0.0.0/27"},
	},
	"a CIDR that is handed on": {
		releases: true,
		applied:  poolNamed("corp", `cidr = "10.0.0.0/16"`) + fixedIn("old", "corp", "10.0.0.0/24"),
		after:    poolNamed("corp", `cidr = "10.0.0.0/16"`) + fixedIn("new", "corp", "10.0.0.0/24") + "output \"new\" {\n  value = cloudpam_allocation.new.cidr\n}\n",
		says:     "1 to add, 0 to change, 1 to destroy",
		want:     map[string]string{"new": "10.0.0.0/24"},
	},
	"a set that takes the place of a block": {
		releases: true,
		applied:  poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("whole", "corp", 24),
		after:    poolNamed("corp", `cidr = "10.0.0.0/24"`) + halves,
		says:     "1 to add, 0 to change, 1 to destroy",
	},
	"a block that takes the place of a set": {
		releases: true,
		applied:  poolNamed("corp", `cidr = "10.0.0.0/24"`) + halves,
		after:    poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("whole", "corp", 24),
		says:     "1 to add, 0 to change, 1 to destroy",
		want:     map[string]string{"whole": "10.0.0.0/24"},
	},
	"names that are swapped": {
		releases: true,
		applied:  poolNamed("corp", `cidr = "10.0.0.0/23"`) + calledIn("x", "a", 24) + calledIn("y", "b", 24),
		after:    poolNamed("corp", `cidr = "10.0.0.0/23"`) + calledIn("x", "b", 24) + calledIn("y", "a", 24),
		says:     "0 to add, 2 to change, 0 to destroy",
	},
	"names that are handed on": {
		releases: true,
		applied:  poolNamed("corp", `cidr = "10.0.0.0/22"`) + calledIn("x", "a", 24) + calledIn("y", "b", 24) + calledIn("z", "c", 24),
		after:    poolNamed("corp", `cidr = "10.0.0.0/22"`) + calledIn("x", "b", 24) + calledIn("y", "c", 24) + calledIn("z", "d", 24),
		says:     "0 to add, 3 to change, 0 to destroy",
	},
	"a name that is handed to a new block": {
		releases: true,
		applied:  poolNamed("corp", `cidr = "10.0.0.0/22"`) + calledIn("x", "a", 24),
		after:    poolNamed("corp", `cidr = "10.0.0.0/22"`) + calledIn("x", "old", 24) + calledIn("y", "a", 24),
		says:     "1 to add, 1 to change, 0 to destroy",
		want:     map[string]string{"y": "10.0.1.0/24"},
	},
	"a name that is had by what goes": {
		releases: true,
		applied:  poolNamed("corp", `cidr = "10.0.0.0/22"`) + calledIn("x", "a", 24) + calledIn("y", "b", 24),
		after:    poolNamed("corp", `cidr = "10.0.0.0/22"`) + calledIn("x", "b", 24),
		says:     "0 to add, 1 to change, 1 to destroy",
	},
}

// Whatever order Terraform walks in, an edit works the first time where it asks for things at once; where it asks for one after the
// other it may be told once to plan again.
func TestAnEditWorks(t *testing.T) {
	t.Parallel()
	for name, e := range edits {
		for _, parallelism := range []string{"1", "10"} {
			t.Run(name+", parallelism "+parallelism, func(t *testing.T) {
				t.Parallel()
				server := acctest.Start(t)
				tf := acctest.NewTerraform(t, server, e.after)
				if e.applied != "" {
					tf.Write(t, "main.tf", e.applied)
					tf.Run(t, "apply", "-auto-approve", "-parallelism="+parallelism)
					tf.Write(t, "main.tf", e.after)
				}
				if e.thrown != "" {
					tf.Write(t, "main.tf", e.thrown)
					tf.Run(t, "plan", "-parallelism="+parallelism)
					tf.Write(t, "main.tf", e.after)
				}
				planned := append([]string{"plan", "-no-color", "-out=plan", "-parallelism=" + parallelism}, e.args...)
				plan, out, err := tf.Try(planned...)
				if err != nil {
					again := strings.Contains(out, "Two blocks of this plan were in each other's way") || e.releases && (strings.Contains(out, "Pool is exhausted") || strings.Contains(out, "Name is taken"))
					if !again { // on a busy machine Terraform asks for one thing after the other at any parallelism
						t.Fatalf("%v\n%s", err, out)
					}
					plan = tf.Run(t, planned...)
				}
				if e.releases && !strings.Contains(plan, e.says) { // the server knows now what goes
					plan = tf.Run(t, planned...)
				}
				if !strings.Contains(plan, e.says) {
					t.Errorf("the plan does not say %q:\n%s", e.says, plan)
				}
				for name, cidr := range e.want {
					if e.args == nil && (strings.Contains(plan, "cloudpam_allocation."+name) || strings.Contains(plan, "cloudpam_reservation."+name)) && !strings.Contains(plan, cidr) {
						t.Errorf("the plan does not show %s:\n%s", cidr, plan)
					}
				}
				tf.Run(t, "apply", "plan")
				tf.Run(t, "plan", "-detailed-exitcode")
				if len(e.want) == 0 {
					return
				}
				var outputs map[string]struct{ Value string }
				if err := json.Unmarshal([]byte(tf.Run(t, "output", "-json")), &outputs); err != nil {
					t.Fatal(err)
				}
				for name, want := range e.want {
					if got := outputs[name].Value; got != want {
						t.Errorf("%s is %s, want %s", name, got, want)
					}
				}
			})
		}
	}
}
