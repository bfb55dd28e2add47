package provider_test

import (
	"regexp"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// shown shows an attribute.
func shown(name, value string) string {
	return "output \"" + name + "\" {\n  value = " + value + "\n}\n"
}

const twoInSet = `resource "cloudpam_allocation_set" "net" {
  pool    = cloudpam_pool.b.id
  name    = "net"
  subnets = { x = 25, y = 26 }
}
`

// belowBoth are two pools with blocks and a set in them, in the parent that args name.
func belowBoth(args, a, b string) string {
	return poolNamed("a", args+a) + poolNamed("b", args+b) + sizedIn("app", "a", 24) + twoInSet +
		shown("app_id", "cloudpam_allocation.app.id") + shown("set", "jsonencode(cloudpam_allocation_set.net.cidrs)") + shown("a", "cloudpam_pool.a.uid")
}

var layers = map[string]struct{ before, after, above string }{
	"a supernet above two root pools": {
		before: belowBoth("", `cidr = "10.0.0.0/16"`, `cidr = "10.1.0.0/16"`),
		after:  belowBoth("parent = cloudpam_pool.super.id\n  ", `cidr = "10.0.0.0/16"`, `cidr = "10.1.0.0/16"`),
		above:  poolNamed("super", "cidr = \"10.0.0.0/8\"\n  encloses = true"),
	},
	"a layer between two levels": {
		before: poolNamed("corp", `cidr = "10.0.0.0/8"`) + belowBoth("parent = cloudpam_pool.corp.id\n  ", "prefix_length = 16", "prefix_length = 16\n  depends_on = [cloudpam_pool.a]"),
		after:  poolNamed("corp", `cidr = "10.0.0.0/8"`) + belowBoth("parent = cloudpam_pool.super.id\n  ", "prefix_length = 16", "prefix_length = 16\n  depends_on = [cloudpam_pool.a]"),
		above:  poolNamed("super", "parent = cloudpam_pool.corp.id\n  cidr = \"10.0.0.0/12\"\n  encloses = true"),
	},
}

func TestAPoolIsPutAboveOthers(t *testing.T) {
	t.Parallel()
	for name, e := range layers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			atEach(t, func(t *testing.T, parallelism string) {
				server := acctest.Start(t)
				tf := acctest.NewTerraform(t, server, e.before)
				tf.Run(t, "apply", "-auto-approve", parallelism)
				was := map[string]string{}
				for _, name := range []string{"app", "app_id", "set", "a"} {
					was[name] = tf.Run(t, "output", "-raw", name)
				}
				// Thrown away: it is called something else.
				tf.Write(t, "main.tf", strings.NewReplacer(`"super"`, `"first"`, "cloudpam_pool.super", "cloudpam_pool.first").Replace(e.after+e.above)+sizedIn("early", "first", 24))
				tf.Run(t, "plan", parallelism)
				tf.Write(t, "main.tf", e.after+e.above+sizedIn("direct", "super", 16)+poolNamed("c", "parent = cloudpam_pool.super.id\n  prefix_length = 16")+sizedIn("in_c", "c", 24)+sizedIn("more", "a", 24))
				tf.Run(t, "plan", "-no-color", "-out=plan", parallelism)
				plan := tf.Run(t, "show", "-no-color", "plan")
				for _, want := range []string{"5 to add, 2 to change, 0 to destroy", `+ parent`, "10.2.0.0/16", "10.3.0.0/16", "10.0.1.0/24"} {
					if want == "+ parent" && strings.Contains(e.before, "corp") {
						want = `"corp" -> "super"`
					}
					if !strings.Contains(plan, want) {
						t.Errorf("the plan does not say %q", want)
					}
				}
				if regexp.MustCompile(`(cidr|prefix_length|parent) +(=|->).*known after apply`).MatchString(plan) || t.Failed() {
					t.Errorf("a CIDR is not known:\n%s", plan)
				}
				tf.Run(t, "apply", "plan")
				tf.Run(t, "plan", "-detailed-exitcode", parallelism)
				quiet(t, tf)
				for name, want := range was {
					if got := tf.Run(t, "output", "-raw", name); got != want {
						t.Errorf("%s is %s, want %s", name, got, want)
					}
				}

				// And back: the pools name no parent, but what they have, and stay there when the one above goes.
				back := strings.Replace(e.after, "parent = cloudpam_pool.super.id\n", "cidr = \"10.0.0.0/16\"\n", 1)
				back = strings.Replace(back, "parent = cloudpam_pool.super.id\n", "cidr = \"10.1.0.0/16\"\n", 1) + sizedIn("more", "a", 24)
				if !strings.Contains(e.before, "corp") {
					back = e.before + sizedIn("more", "a", 24)
				}
				tf.Write(t, "main.tf", back)
				tf.Run(t, "plan", "-out=plan", parallelism)
				if plan := tf.Run(t, "show", "-no-color", "plan"); !strings.Contains(plan, "0 to add, 0 to change, 4 to destroy") {
					t.Errorf("the way back is\n%s", plan)
				}
				tf.Run(t, "apply", "plan")
				tf.Run(t, "plan", "-detailed-exitcode", parallelism)
				tf.Write(t, "main.tf", e.before+sizedIn("more", "a", 24))
				tf.Run(t, "plan", "-detailed-exitcode", parallelism)
				tf.Run(t, "apply", "-refresh-only", "-auto-approve") // where they are now changed with the pool above, which is drift
				quiet(t, tf)
				for name, want := range was {
					if got := tf.Run(t, "output", "-raw", name); got != want {
						t.Errorf("back again, %s is %s, want %s", name, got, want)
					}
				}
			})
		})
	}
}

// What another configuration puts above a root pool leaves that with nothing to do, and a pool that is named as the parent can be named
// here too.
func TestAPoolThatIsEnclosedElsewhereStays(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	root := poolNamed("a", `cidr = "10.0.0.0/16"`) + sizedIn("app", "a", 24)
	tf := acctest.NewTerraform(t, server, root)
	tf.Run(t, "apply", "-auto-approve")
	super, err := server.Client.CreatePool(t.Context(), cloudpam.NewPool{Name: "super", CIDR: new("10.0.0.0/8"), Encloses: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	tf.Run(t, "plan", "-detailed-exitcode")
	tf.Run(t, "apply", "-auto-approve", "-refresh-only")
	tf.Run(t, "plan", "-detailed-exitcode")
	tf.Write(t, "main.tf", strings.Replace(root, `cidr =`, "parent = \"super\"\n  cidr =", 1))
	tf.Run(t, "plan", "-detailed-exitcode")
	tf.Write(t, "main.tf", root)
	if err := server.Client.DissolvePool(t.Context(), super.UID); err != nil {
		t.Fatal(err)
	}
	tf.Run(t, "plan", "-detailed-exitcode")

	chosen := poolNamed("corp", "cidr = \"10.0.0.0/8\"\n  scope = \"default\"\n  labels = { tier = \"prd\" }") +
		poolNamed("vpc", "pool_selector = { labels = { tier = \"prd\" } }\n  prefix_length = 16\n  depends_on = [cloudpam_pool.corp]") + sizedIn("app", "vpc", 24)
	tf.Write(t, "main.tf", "")
	tf.Run(t, "apply", "-auto-approve")
	tf.Write(t, "main.tf", chosen)
	tf.Run(t, "apply", "-auto-approve")
	if _, err := server.Client.CreatePool(t.Context(), cloudpam.NewPool{Name: "layer", Parent: new("corp"), CIDR: new("10.0.0.0/12"), Encloses: new(true)}); err != nil {
		t.Fatal(err)
	}
	tf.Run(t, "plan", "-detailed-exitcode")
}

// A pool that names the parent that it has is not enclosed behind its back: the next plan could not move it there again.
func TestAPoolThatNamesAnotherParentIsNotEnclosed(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		e := layers["a layer between two levels"]
		tf := acctest.NewTerraform(t, server, e.before)
		tf.Run(t, "apply", "-auto-approve", parallelism)
		tf.Write(t, "main.tf", e.before+e.above)
		_, out, err := tf.Try("plan", "-no-color", parallelism)
		if err == nil || !said(`is to be in pool "super"`).MatchString(out) {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
