package provider_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

var (
	scenarios = flag.Int("edits.scenarios", 8, "how many random configurations are edited")
	firstSeed = flag.Uint64("edits.seed", 1, "the seed of the first")
)

// drawn is a configuration as the generator knows it: a root pool with child pools, and what is in them.
type drawn struct {
	root   int            // length of the root pool at 10.0.0.0
	pools  map[string]int // child pool → length
	blocks map[string]drawnBlock
}

type drawnBlock struct {
	in, name string
	length   int
	cidr     string // "": by length
	replaced bool   // create_before_destroy
}

func (d drawn) clone() drawn {
	return drawn{d.root, maps.Clone(d.pools), maps.Clone(d.blocks)}
}

func (d drawn) text() string {
	var b strings.Builder
	b.WriteString(poolNamed("root", fmt.Sprintf("cidr = \"10.0.0.0/%d\"", d.root)))
	for _, p := range slices.Sorted(maps.Keys(d.pools)) {
		fmt.Fprintf(&b, "resource \"cloudpam_pool\" %q {\n  name = %q\n  parent = cloudpam_pool.root.id\n  prefix_length = %d\n}\n", p, p, d.pools[p])
	}
	for _, label := range slices.Sorted(maps.Keys(d.blocks)) {
		block := d.blocks[label]
		size := fmt.Sprintf("prefix_length = %d", block.length)
		if block.cidr != "" {
			size = fmt.Sprintf("cidr = %q", block.cidr)
		}
		life := ""
		if block.replaced {
			life = "  lifecycle { create_before_destroy = true }\n"
		}
		fmt.Fprintf(&b, "resource \"cloudpam_allocation\" %q {\n  pool = cloudpam_pool.%s.id\n  name = %q\n  %s\n%s}\n", label, block.in, block.name, size, life)
	}
	return b.String()
}

// edit changes something that people change, and says what, and with which arguments to plan. What it does not draw yet: names that
// are handed on, and a fixed block where another is released, which need the order of an apply.
func (d drawn) edit(r *rand.Rand, fresh func() string) (after drawn, what string, args []string) {
	after = d.clone()
	pools := append(slices.Sorted(maps.Keys(d.pools)), "root")
	pool := pools[r.IntN(len(pools))]
	labels := slices.Sorted(maps.Keys(d.blocks))
	kind := r.IntN(10)
	if len(labels) == 0 {
		kind = r.IntN(3)
	}
	label := ""
	if len(labels) > 0 {
		label = labels[r.IntN(len(labels))]
	}
	block := d.blocks[label]
	switch kind {
	case 0, 1:
		name := fresh()
		after.blocks[name] = drawnBlock{in: pool, name: name, length: 24 + r.IntN(4), replaced: r.IntN(3) == 0}
		return after, "add " + name + " to " + pool, nil
	case 2:
		name := fresh()
		after.pools[name] = 23 + r.IntN(2)
		after.blocks[name+"-in"] = drawnBlock{in: name, name: name + "-in", length: 25}
		return after, "add pool " + name, nil
	case 3:
		name := fresh()
		after.blocks[name] = drawnBlock{in: "root", name: name, cidr: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(8)), 0}), 25+r.IntN(2)).String()}
		return after, "add fixed " + name, nil
	case 4:
		delete(after.blocks, label)
		return after, "remove " + label, nil
	case 5:
		if block.cidr == "" {
			block.length += []int{-1, 1}[r.IntN(2)]
		}
		after.blocks[label] = block
		return after, fmt.Sprintf("resize %s to %d", label, block.length), nil
	case 6:
		block.name = fresh()
		after.blocks[label] = block
		return after, "rename " + label, nil
	case 7:
		delete(after.blocks, label)
		after.blocks[fresh()] = block
		return after, "relabel " + label, nil
	case 8:
		return after, "replace " + label, []string{"-replace=cloudpam_allocation." + label}
	}
	if pool == "root" {
		after.root = min(max(after.root+[]int{-1, 1}[r.IntN(2)], 20), 22)
		return after, fmt.Sprintf("root becomes /%d", after.root), nil
	}
	after.pools[pool] = min(max(after.pools[pool]+[]int{-1, 1}[r.IntN(2)], 22), 25)
	name := fresh()
	after.blocks[name] = drawnBlock{in: pool, name: name, length: 26}
	return after, fmt.Sprintf("%s becomes /%d with %s in it", pool, after.pools[pool], name), nil
}

// explained are the refusals that a plan may answer an edit with.
var explained = []string{
	"Pool is exhausted", "is exhausted", "CIDR is taken", "CIDR is promised", "cannot be resized", "cannot become", "Pool cannot", "is not empty",
	"Pool's policy does not allow this", "CloudPAM refuses a value", "outside", "cannot grow", "cannot shrink",
}

// Random configurations are edited at random, planned, thrown away, planned again and applied. A plan works or says why not, what is
// planned is applied, and the plan after that is empty.
func TestRandomEditsArePlannedAsTheyAreApplied(t *testing.T) {
	t.Parallel()
	for i := range *scenarios {
		seed := *firstSeed + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			made := 0
			fresh := func() string { made++; return fmt.Sprintf("n%d", made) }
			parallelism := "-parallelism=" + []string{"1", "10", "50"}[r.IntN(3)]
			now := drawn{root: 21, pools: map[string]int{"p": 24}, blocks: map[string]drawnBlock{"a": {in: "p", name: "a", length: 26}, "b": {in: "root", name: "b", length: 25}}}
			server := acctest.Start(t)
			tf := acctest.NewTerraform(t, server, now.text())
			tf.Run(t, "apply", "-auto-approve", parallelism)
			var done []string
			for range 6 {
				after, what, args := now.edit(r, fresh)
				done = append(done, what)
				tf.Write(t, "main.tf", after.text())
				plan := append([]string{"plan", "-no-color", "-out=plan", parallelism}, args...)
				_, out, err := tf.Try(plan...)
				if err != nil && strings.Contains(out, "were in each other's way") {
					_, out, err = tf.Try(plan...)
				}
				switch {
				case err != nil && !slices.ContainsFunc(explained, func(s string) bool { return strings.Contains(out, s) }):
					t.Fatalf("seed %d: %s\nthe plan fails for no reason that it should:\n%s", seed, strings.Join(done, "; "), out)
				case err != nil, r.IntN(3) == 0:
					done = append(done, "thrown away")
					continue
				}
				if _, failed, err := tf.Try("apply", "-no-color", parallelism, "plan"); err != nil {
					t.Fatalf("seed %d: %s\nthe apply fails:\n%s\nof the plan\n%s\nof the configuration\n%s", seed, strings.Join(done, "; "), failed, out, after.text())
				}
				if _, out, err := tf.Try("plan", "-no-color", "-detailed-exitcode", parallelism); err != nil {
					t.Fatalf("seed %d: %s\nthe plan after the apply is not empty:\n%s", seed, strings.Join(done, "; "), out)
				}
				now = after
			}
		})
	}
}
