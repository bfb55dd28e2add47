package provider_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
)

// drawn is a configuration as the generator knows it: a root pool with child pools, another root pool, and what is in them.
type drawn struct {
	root    int // length of the root pool at 10.0.0.0
	above   bool
	pools   map[string]drawnPool // label → child pool
	blocks  map[string]drawnBlock
	sets    map[string]drawnSet
	group   drawnGroup
	lines   string // moved and removed blocks of this edit
	created int    // names so far
}

type drawnPool struct {
	name, parent string
	length       int
}

type drawnBlock struct {
	in, name    string
	length      int
	cidr        string // "": by length
	hosts       bool   // says so by a number of hosts
	first       bool   // create_before_destroy
	reservation bool
}

type drawnSet struct {
	in, name string
	members  map[string]int
	renamed  map[string]string
}

// drawnGroup is four allocations that are written with count, then with for_each, then as a set.
type drawnGroup struct{ form, members int }

func (d drawn) clone() drawn {
	d.pools, d.blocks, d.sets, d.lines = maps.Clone(d.pools), maps.Clone(d.blocks), maps.Clone(d.sets), ""
	for label, set := range d.sets {
		set.members, set.renamed = maps.Clone(set.members), nil
		d.sets[label] = set
	}
	return d
}

// fresh is a name, and a label, that nothing had.
func (d *drawn) fresh() string {
	d.created++
	return fmt.Sprintf("n%d", d.created)
}

func (b drawnBlock) kind() string {
	if b.reservation {
		return "cloudpam_reservation"
	}
	return "cloudpam_allocation"
}

func (b drawnBlock) size() string {
	switch {
	case b.cidr != "":
		return fmt.Sprintf("cidr = %q", b.cidr)
	case b.hosts:
		return fmt.Sprintf("hosts = %d\n  target = \"aws_subnet\"", 1<<(32-b.length)-5)
	}
	return fmt.Sprintf("prefix_length = %d", b.length)
}

func (d drawn) text() string {
	var b strings.Builder
	parent := ""
	if d.above {
		b.WriteString("resource \"cloudpam_pool\" \"above\" {\n  name = \"above\"\n  cidr = \"10.0.0.0/16\"\n  encloses = true\n}\n")
		parent = "\n  parent = cloudpam_pool.above.id"
	}
	b.WriteString(poolNamed("root", fmt.Sprintf("cidr = \"10.0.0.0/%d\"%s", d.root, parent)) + poolNamed("other", `cidr = "10.8.0.0/20"`))
	for _, label := range slices.Sorted(maps.Keys(d.pools)) {
		p := d.pools[label]
		fmt.Fprintf(&b, "resource \"cloudpam_pool\" %q {\n  name = %q\n  parent = cloudpam_pool.%s.id\n  prefix_length = %d\n}\n", label, p.name, p.parent, p.length)
	}
	for _, label := range slices.Sorted(maps.Keys(d.blocks)) {
		block := d.blocks[label]
		more := ""
		if block.first {
			more += "  lifecycle { create_before_destroy = true }\n"
		}
		if block.reservation {
			more += "  reason = \"later\"\n"
		}
		fmt.Fprintf(&b, "resource %q %q {\n  pool = cloudpam_pool.%s.id\n  name = %q\n  %s\n%s}\n", block.kind(), label, block.in, block.name, block.size(), more)
	}
	for _, label := range slices.Sorted(maps.Keys(d.sets)) {
		set := d.sets[label]
		b.WriteString(setText(label, set.in, set.name, set.members, ""))
		if len(set.renamed) > 0 {
			text := b.String()
			b.Reset()
			b.WriteString(strings.TrimSuffix(text, "}\n") + "  renamed = { " + pairs(set.renamed) + " }\n}\n")
		}
	}
	switch n := d.group.members; d.group.form {
	case 1:
		fmt.Fprintf(&b, "resource \"cloudpam_allocation\" \"group\" {\n  count = %d\n  pool = cloudpam_pool.other.id\n  name = \"group/k${count.index}\"\n  prefix_length = 28\n}\n", n)
	case 2:
		fmt.Fprintf(&b, "resource \"cloudpam_allocation\" \"group\" {\n  for_each = toset([for i in range(%d) : \"k${i}\"])\n  pool = cloudpam_pool.other.id\n  name = \"group/${each.key}\"\n  prefix_length = 28\n}\n", n)
	case 3:
		members := map[string]int{}
		for i := range n {
			members[fmt.Sprintf("k%d", i)] = 28
		}
		b.WriteString(setText("group", "other", "group", members, "  adopt = true\n"))
	}
	return b.String() + d.lines
}

func setText(label, in, name string, members map[string]int, more string) string {
	sizes := map[string]string{}
	for key, length := range members {
		sizes[key] = fmt.Sprint(length)
	}
	return fmt.Sprintf("resource \"cloudpam_allocation_set\" %q {\n  pool = cloudpam_pool.%s.id\n  name = %q\n  subnets = { %s }\n%s}\n", label, in, name, strings.ReplaceAll(pairs(sizes), `"`, ""), more)
}

func pairs(of map[string]string) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(of)) {
		all = append(all, fmt.Sprintf("%s = %q", key, of[key]))
	}
	return strings.Join(all, ", ")
}

func anyOf[T any](r *rand.Rand, of map[string]T) (label string, one T, found bool) {
	if len(of) == 0 {
		return "", one, false
	}
	labels := slices.Sorted(maps.Keys(of))
	label = labels[r.IntN(len(labels))]
	return label, of[label], true
}

func (d *drawn) anyPool(r *rand.Rand) string {
	pools := append(slices.Sorted(maps.Keys(d.pools)), "root", "other")
	return pools[r.IntN(len(pools))]
}

func (d *drawn) empty(pool string) bool {
	for _, b := range d.blocks {
		if b.in == pool {
			return false
		}
	}
	for _, s := range d.sets {
		if s.in == pool {
			return false
		}
	}
	return true
}

// fixed is a CIDR in the root pool.
func fixed(r *rand.Rand) string {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(8)), 0}), 25+r.IntN(2)).String()
}
