package provider_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
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
	together bool              // it works where Terraform asks for things at once
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

func keptIn(cidr string) string {
	return "resource \"cloudpam_reservation\" \"old\" {\n  pool   = cloudpam_pool.corp.id\n  cidr   = \"" + cidr + "\"\n  reason = \"legacy\"\n}\n"
}

func rootCalled(label, name, cidr string) string {
	return strings.Replace(poolNamed(label, "cidr = \""+cidr+"\""), "name = \""+label, "name = \""+name, 1)
}

func setCalled(label, name string) string {
	return fmt.Sprintf("resource \"cloudpam_allocation_set\" %q {\n  pool = cloudpam_pool.corp.id\n  name = %q\n  subnets = { a = 26, b = 26 }\n}\n", label, name)
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

var editTimes = flag.Int("edits.times", 0, "how often each edit runs on each engine, at parallelism 1, 10 and 50, its resources in random order; 0: once on SQLite at 1 and 10, and core ones on PostgreSQL at 10")

// core are edits of which each needs something else of the database.
var core = []string{
	"a fixed block next to a sized one", "a size corrected in a pool that it fills", "a pool that grows next to a thrown-away plan", "a full pool that grows with a new block in it",
	"a block replaced before it is destroyed", "a supernet above two root pools", "a set's key renamed in a full pool", "single allocations turned into a set", "a block that is split",
	"names that are swapped", "a pool that is given up for blocks", "a reservation that is given up for a fixed block and a set",
}

// Whatever order Terraform walks in, an edit works the first time where it asks for things at once; where it asks for one after the
// other it may be told once to plan again.
func TestAnEditWorks(t *testing.T) {
	t.Parallel()
	for name, e := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			acctest.Engines(t, func(t *testing.T, start func(testing.TB, ...string) *acctest.Server) {
				parallelism := []string{"1", "10"}
				switch sqlite := strings.HasSuffix(t.Name(), "/sqlite"); {
				case *editTimes > 0:
					parallelism = append(parallelism, "50")
				case !sqlite && !slices.Contains(core, name):
					return
				case !sqlite:
					parallelism = []string{"10"}
				}
				for _, p := range parallelism {
					for n := range max(1, *editTimes) {
						if e.together && p == "1" {
							continue
						}
						t.Run(fmt.Sprintf("parallelism %s, %d", p, n+1), func(t *testing.T) {
							t.Parallel()
							e.works(t, start(t), p, func(config string) string { return shuffled(config, rand.New(rand.NewPCG(uint64(n), 1))) })
						})
					}
				}
			})
		})
	}
}

// shuffled has the blocks of a configuration in another order.
func shuffled(config string, r *rand.Rand) string {
	blocks := strings.SplitAfter(config, "\n}\n")
	r.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	return strings.Join(blocks, "")
}

func (e edit) works(t *testing.T, server *acctest.Server, parallelism string, order func(string) string) {
	t.Helper()
	tf := acctest.NewTerraform(t, server, order(e.after))
	if e.applied != "" {
		tf.Write(t, "main.tf", order(e.applied))
		tf.Run(t, "apply", "-auto-approve", "-parallelism="+parallelism)
		tf.Write(t, "main.tf", order(e.after))
	}
	if e.thrown != "" {
		tf.Write(t, "main.tf", order(e.thrown))
		tf.Run(t, "plan", "-parallelism="+parallelism)
		tf.Write(t, "main.tf", order(e.after))
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
		if e.args == nil && (strings.Contains(plan, "# cloudpam_allocation."+name+" ") || strings.Contains(plan, "# cloudpam_reservation."+name+" ")) && !strings.Contains(plan, cidr) {
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
}
