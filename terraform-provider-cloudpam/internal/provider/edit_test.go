package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// edit is something that people change before they apply for the first time. The plan after it works, and so does its apply.
type edit struct {
	before string // planned and thrown away; "": nothing
	after  string
	want   map[string]string // output → CIDR, where the test knows it
}

func poolNamed(label, args string) string {
	return fmt.Sprintf("resource \"cloudpam_pool\" %q {\n  name = %q\n  %s\n}\n", label, label, args)
}

func sizedIn(label, in string, length int) string {
	return fmt.Sprintf("resource \"cloudpam_allocation\" %q {\n  pool          = cloudpam_pool.%s.id\n  name          = %q\n  prefix_length = %d\n}\n"+
		"output %q {\n  value = cloudpam_allocation.%s.cidr\n}\n", label, in, label, length, label, label)
}

func fixedIn(label, in, cidr string) string {
	return fmt.Sprintf("resource \"cloudpam_allocation\" %q {\n  pool = cloudpam_pool.%s.id\n  name = %q\n  cidr = %q\n}\n", label, in, label, cidr)
}

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
	"a size corrected in a pool that it fills": {
		before: poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("app", "corp", 25),
		after:  poolNamed("corp", `cidr = "10.0.0.0/24"`) + sizedIn("app", "corp", 24),
		want:   map[string]string{"app": "10.0.0.0/24"},
	},
	"a root pool under another name": {
		before: poolNamed("corp", `cidr = "10.0.0.0/8"`) + sizedIn("app", "corp", 24),
		after:  poolNamed("company", `cidr = "10.0.0.0/8"`) + sizedIn("app", "company", 24),
		want:   map[string]string{"app": "10.0.0.0/24"},
	},
	"four names changed in a pool that they fill": {
		before: poolNamed("corp", `cidr = "10.0.0.0/16"`) + sizedIn("a", "corp", 18) + sizedIn("b", "corp", 18) + sizedIn("c", "corp", 18) + sizedIn("d", "corp", 18),
		after:  poolNamed("corp", `cidr = "10.0.0.0/16"`) + sizedIn("e", "corp", 18) + sizedIn("f", "corp", 18) + sizedIn("g", "corp", 18) + sizedIn("h", "corp", 18),
	},
	"a name changed among others in a pool that they fill": {
		before: poolNamed("corp", `cidr = "10.0.0.0/16"`) + sizedIn("a", "corp", 18) + sizedIn("b", "corp", 18) + sizedIn("c", "corp", 18) + sizedIn("d", "corp", 18),
		after:  poolNamed("corp", `cidr = "10.0.0.0/16"`) + sizedIn("a", "corp", 18) + sizedIn("e", "corp", 18) + sizedIn("c", "corp", 18) + sizedIn("d", "corp", 18),
	},
	"a fixed block where a size was shown": {
		before: poolNamed("corp", `cidr = "10.0.0.0/8"`) + sizedIn("new", "corp", 16),
		after:  poolNamed("corp", `cidr = "10.0.0.0/8"`) + sizedIn("new", "corp", 16) + fixedIn("old", "corp", "10.0.0.0/16"),
		want:   map[string]string{"new": "10.1.0.0/16"},
	},
}

// Whatever order Terraform walks in, an edit works the first time where it asks for things at once; where it asks for one after the
// other it may be told once to plan again.
func TestAnEditBeforeTheFirstApplyWorks(t *testing.T) {
	t.Parallel()
	for name, e := range edits {
		for _, parallelism := range []string{"1", "10"} {
			t.Run(name+", parallelism "+parallelism, func(t *testing.T) {
				t.Parallel()
				server := acctest.Start(t)
				tf := acctest.NewTerraform(t, server, e.after)
				if e.before != "" {
					tf.Write(t, "main.tf", e.before)
					tf.Run(t, "plan", "-parallelism="+parallelism)
					tf.Write(t, "main.tf", e.after)
				}
				if _, out, err := tf.Try("plan", "-out=plan", "-parallelism="+parallelism); err != nil {
					if parallelism != "1" || !strings.Contains(out, "Two blocks of this plan were in each other's way") {
						t.Fatalf("%v\n%s", err, out)
					}
					tf.Run(t, "plan", "-out=plan", "-parallelism="+parallelism)
				}
				tf.Run(t, "apply", "plan")
				tf.Run(t, "plan", "-detailed-exitcode")
				for name, want := range e.want {
					if got := strings.Trim(tf.Run(t, "output", "-raw", name), "\n"); got != want {
						t.Errorf("%s is %s, want %s", name, got, want)
					}
				}
			})
		}
	}
}
