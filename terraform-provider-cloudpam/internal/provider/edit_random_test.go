package provider_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

var (
	scenarios = flag.Int("edits.scenarios", 8, "how many random configurations are edited")
	firstSeed = flag.Uint64("edits.seed", 1, "the seed of the first")
	editSteps = flag.Int("edits.steps", 6, "how often each is edited")
	onEngine  = flag.String("edits.engine", "sqlite", "the database that they are in: sqlite or postgres")
)

// warnedOfOlder is what the provider says of an older plan without a plan_id, which Terraform itself calls inconsistent.
const warnedOfOlder = "This plan may be older than the last one"

// explained are the refusals that a plan may answer an edit with, by their summaries.
var explained = []string{
	"Pool is exhausted", "CIDR is taken", "CIDR is promised", "CIDR is asked for twice", "Name is taken", "Name is asked for twice", "Name is not free yet", "Duplicate ",
	"Pool's policy does not allow this", "CIDR lies outside the pool", "is exhausted", "cannot be resized", "cannot become", "Pool cannot", "is not empty", "cannot grow", "cannot shrink",
	"CloudPAM refuses a value", "Two blocks of this plan were in each other's way", "Adopted allocation would be destroyed", "Name of a member is taken",
}

// figures count what came of all scenarios.
type figures struct {
	sync.Mutex
	counts map[string]int
}

func (f *figures) count(what string) {
	f.Lock()
	defer f.Unlock()
	f.counts[what]++
}

// scenario is one configuration that is edited, with what has been done to it.
type scenario struct {
	*testing.T
	r      *rand.Rand
	server *acctest.Server
	tf     *acctest.Terraform
	all    *figures
	seed   uint64
	done   []string
	shown  string // by the last plan that worked
	older  bool   // a plan is applied after a newer one
}

// Random configurations are edited at random, planned, thrown away, planned again and applied, while holds expire, servers crash and
// others take space. A plan works or says why not, what is planned is applied, and the plan after that is empty.
func TestRandomEditsArePlannedAsTheyAreApplied(t *testing.T) {
	t.Parallel()
	start := map[string]func(testing.TB, ...string) *acctest.Server{"sqlite": acctest.Start, "postgres": acctest.StartOnPostgres}[*onEngine]
	if start == nil {
		t.Fatalf("-edits.engine is sqlite or postgres, not %q", *onEngine)
	}
	all := &figures{counts: map[string]int{}}
	t.Cleanup(func() {
		for _, what := range slices.Sorted(maps.Keys(all.counts)) {
			t.Logf("%6d %s", all.counts[what], what)
		}
	})
	for i := range *scenarios {
		seed := *firstSeed + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := &scenario{T: t, r: rand.New(rand.NewPCG(seed, 7)), server: start(t), all: all, seed: seed}
			now := drawn{
				root: 21, pools: map[string]drawnPool{"p": {"p", "root", 24}},
				blocks: map[string]drawnBlock{"a": {in: "p", name: "a", length: 26}, "b": {in: "root", name: "b", length: 25}},
				sets:   map[string]drawnSet{"s": {in: "root", name: "s", members: map[string]int{"a": 27, "b": 28}}},
			}
			s.tf = acctest.NewTerraform(t, s.server, now.text())
			s.apply("-auto-approve")
			for range *editSteps {
				after, what := now.edit(s.r)
				s.done = append(s.done, what)
				s.tf.Write(t, "main.tf", after.text())
				if s.step(now, after) {
					now = after
				}
				s.tf.Write(t, "main.tf", now.text())
			}
		})
	}
}

// terraform runs a command at a parallelism of its own. Never may it say what Terraform says of a provider with a bug.
func (s *scenario) terraform(args ...string) (out string, err error) {
	s.Helper()
	s.all.count("commands of Terraform")
	if args[0] == "plan" || args[0] == "apply" {
		args = append([]string{args[0], "-parallelism=" + []string{"1", "10", "50"}[s.r.IntN(3)]}, args[1:]...)
	}
	_, out, err = s.tf.Try(args...)
	warned := s.older && err != nil && strings.Contains(out, warnedOfOlder)
	if !warned && (strings.Contains(out, "bug in the provider") || strings.Contains(out, "inconsistent")) {
		s.all.count("INCONSISTENT PLANS")
		s.fail("is inconsistent", out)
	}
	return out, err
}

func (s *scenario) fail(what, out string) {
	s.Helper()
	config := s.tf.Read(s, "main.tf")
	s.Fatalf("seed %d: %s\n%s:\n%s\nof the configuration\n%s", s.seed, strings.Join(s.done, "; "), what, out, config)
}

// plan plans; false when it is refused for a reason. It may be told once that blocks were in each other's way, or once that what it
// needs is not known to go.
func (s *scenario) plan(args ...string) bool {
	s.Helper()
	args = append([]string{"plan", "-no-color"}, args...)
	out, err := s.terraform(args...)
	if err != nil {
		s.all.count("plans that were asked for twice")
		out, err = s.terraform(args...)
	}
	s.all.count("plans")
	if err == nil {
		s.shown = out
		return true
	}
	i := slices.IndexFunc(explained, func(why string) bool { return strings.Contains(out, why) })
	if i < 0 {
		s.all.count("UNEXPLAINED REFUSALS")
		s.fail("the plan fails for no reason that it should", out)
	}
	s.all.count("plans refused: " + explained[i])
	s.done = append(s.done, "refused")
	return false
}

// apply applies what must work, and plans again: nothing.
func (s *scenario) apply(args ...string) {
	s.Helper()
	s.all.count("applies")
	if out, err := s.terraform(append([]string{"apply", "-no-color"}, args...)...); err != nil {
		if strings.Contains(out, "run terraform apply again") || strings.Contains(out, "is not empty") {
			s.all.count("applies that waited for themselves") // with -parallelism=1
			if out, err = s.terraform("apply", "-no-color", "-auto-approve", "-parallelism=10"); err == nil {
				s.empty()
				return
			}
		}
		s.all.count("GOOD PLANS WHOSE APPLY FAILS")
		s.fail("the apply fails", out)
	}
	s.empty()
}

func (s *scenario) empty() {
	s.Helper()
	if out, err := s.terraform("plan", "-no-color", "-detailed-exitcode"); err != nil {
		s.all.count("SECOND PLANS THAT ARE NOT EMPTY")
		s.fail("the plan after the apply is not empty", out)
	}
}

// step plans and applies an edit in one of the ways that people and pipelines do, and reports whether it was applied.
func (s *scenario) step(now, after drawn) bool {
	ways := []string{"saved", "saved", "fresh", "twice", "thrown away", "targeted", "replaced", "tainted", "a crash between", "holds expire", "a thief", "drift", "an older plan", "another workspace"}
	way := ways[s.r.IntN(len(ways))]
	s.done = append(s.done, way)
	kept := maps.Clone(after.blocks) // of which something is in the state
	maps.DeleteFunc(kept, func(label string, b drawnBlock) bool { return now.blocks[label] != b })
	label, block, some := anyOf(s.r, kept)
	address := block.kind() + "." + label
	switch {
	case way == "fresh":
		if !s.plan() {
			return false
		}
		s.apply("-auto-approve")
		return true
	case way == "replaced" && some:
		if !s.plan("-out=plan", "-replace="+address) {
			return false
		}
		s.apply("plan")
		return true
	case way == "tainted" && some:
		if out, err := s.terraform("taint", address); err != nil {
			s.fail("taint", out)
		}
	case way == "drift" && some && !block.reservation:
		drop(s.T, s.server, block.name)
	case way == "targeted" && some && after.lines == "": // Terraform wants all that has moved then
		if !s.plan("-out=plan", "-target="+address) {
			return false
		}
		if out, err := s.terraform("apply", "-no-color", "plan"); err != nil && !strings.Contains(out, "run terraform apply again") {
			s.fail("the apply of a part fails", out)
		}
	}
	if !s.plan("-out=plan") {
		return false
	}
	switch way {
	case "thrown away":
		return false
	case "twice":
		if !s.plan("-out=plan") {
			s.fail("a plan that worked is refused when it is asked for again", "")
		}
	case "a crash between":
		s.server.Kill(s)
		s.server.Restart(s)
	case "holds expire":
		s.server.SQL(s, fmt.Sprintf("UPDATE holds SET expires_at = %d", time.Now().Add(-time.Hour).UnixMicro())) // long ago they would be forgotten
	case "a thief":
		return s.steal()
	case "an older plan":
		newer, what := after.edit(s.r)
		s.done = append(s.done, "and then "+what)
		s.tf.Write(s, "main.tf", newer.text())
		worked := s.plan("-out=newer")
		s.tf.Write(s, "main.tf", after.text())
		s.older = true
		out, err := s.terraform("apply", "-no-color", "plan")
		if s.older = false; err != nil {
			if !worked && !strings.Contains(out, "no longer available") && !strings.Contains(out, warnedOfOlder) {
				s.fail("the apply of an older plan fails, after a newer one was refused", out)
			}
			s.all.count("older plans that were told of a newer one")
			if strings.Contains(out, "inconsistent") {
				s.all.count("of which Terraform stopped one, and a warning says why")
			}
			return s.plan("-out=plan") && s.applied("plan")
		}
		s.empty()
		return true
	case "another workspace":
		s.besides()
	}
	return s.applied("plan")
}

func (s *scenario) applied(plan string) bool {
	s.apply(plan)
	return true
}

// steal takes what a plan was promised, which its apply must be told; the next plan works, or says why not.
func (s *scenario) steal() bool {
	stolen := false
	err := releaseHolds(s.Context(), s.server.Client, func(ctx context.Context, hold cloudpam.Hold) error {
		if stolen || !strings.Contains(s.shown, fmt.Sprintf("+ cidr            = %q", hold.CIDR)) || strings.Contains(hold.Name, ":") || hold.Inherits != nil && *hold.Inherits {
			return nil
		}
		_, err := s.server.Client.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: hold.Pool, Name: fmt.Sprintf("thief-%d", s.r.Uint32()), CIDR: &hold.CIDR})
		stolen = err == nil
		return nil // a draft is no pool
	})
	if err != nil {
		s.Fatal(err)
	}
	out, err := s.terraform("apply", "-no-color", "plan")
	switch {
	case err == nil && !stolen:
		s.empty()
		return true
	case err == nil:
		s.fail("a plan is applied that lost its block", out)
	case stolen && !strings.Contains(out, "no longer available"):
		s.fail("an apply is not told that its block is lost", out)
	}
	s.all.count("applies that were told of a loss")
	return s.plan("-out=plan") && s.applied("plan")
}

// besides plans and applies another state in the same pools, between a plan and its apply.
func (s *scenario) besides() {
	tf := acctest.NewTerraform(s, s.server, fmt.Sprintf("resource \"cloudpam_allocation\" \"x\" {\n  pool = \"root\"\n  name = \"besides-%d\"\n  prefix_length = 26\n}\n", s.r.Uint32()))
	if _, out, err := tf.Try("apply", "-no-color", "-auto-approve"); err != nil && !strings.Contains(out, "Pool is exhausted") {
		s.fail("another workspace fails", out)
	}
}
