package provider_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// kinds are what people change. Each changes a configuration, and reports whether it could.
var kinds = map[string]func(d *drawn, r *rand.Rand) bool{
	"add": func(d *drawn, r *rand.Rand) bool {
		name := d.fresh()
		d.blocks[name] = drawnBlock{in: d.anyPool(r), name: name, length: 24 + r.IntN(4), first: r.IntN(3) == 0}
		return true
	},
	"add a pool": func(d *drawn, r *rand.Rand) bool {
		name := d.fresh()
		d.pools[name] = drawnPool{name, "root", 23 + r.IntN(2)}
		d.blocks[name+"-in"] = drawnBlock{in: name, name: name + "-in", length: 25}
		return true
	},
	"add a fixed one": func(d *drawn, r *rand.Rand) bool {
		name := d.fresh()
		d.blocks[name] = drawnBlock{in: "root", name: name, cidr: fixed(r)}
		return true
	},
	"add a reservation": func(d *drawn, r *rand.Rand) bool {
		name := d.fresh()
		d.blocks[name] = drawnBlock{in: d.anyPool(r), name: name, length: 25 + r.IntN(3), reservation: true}
		return true
	},
	"add a set": func(d *drawn, r *rand.Rand) bool {
		name := d.fresh()
		d.sets[name] = drawnSet{in: d.anyPool(r), name: name, members: map[string]int{"a": 27, "b": 28}}
		return true
	},
	"remove": func(d *drawn, r *rand.Rand) bool {
		label, _, found := anyOf(r, d.blocks)
		delete(d.blocks, label)
		return found
	},
	"remove a set": func(d *drawn, r *rand.Rand) bool {
		label, _, found := anyOf(r, d.sets)
		delete(d.sets, label)
		return found
	},
	"remove a pool": func(d *drawn, r *rand.Rand) bool {
		label, _, found := anyOf(r, d.pools)
		delete(d.pools, label)
		maps.DeleteFunc(d.blocks, func(_ string, b drawnBlock) bool { return b.in == label })
		maps.DeleteFunc(d.sets, func(_ string, s drawnSet) bool { return s.in == label })
		return found
	},
	"resize": func(d *drawn, r *rand.Rand) bool {
		label, b, found := anyOf(r, d.blocks)
		if !found || b.cidr != "" {
			return false
		}
		b.length = min(max(b.length+[]int{-1, 1}[r.IntN(2)], 23), 28)
		d.blocks[label] = b
		return true
	},
	"hosts in place of a length, or back": func(d *drawn, r *rand.Rand) bool {
		label, b, found := anyOf(r, d.blocks)
		if !found || b.cidr != "" || b.reservation {
			return false
		}
		b.hosts = !b.hosts
		d.blocks[label] = b
		return true
	},
	"rename": func(d *drawn, r *rand.Rand) bool {
		label, b, found := anyOf(r, d.blocks)
		b.name = d.fresh()
		if found {
			d.blocks[label] = b
		}
		return found
	},
	"swap names": func(d *drawn, r *rand.Rand) bool { return d.handOn(r, true) },
	"hand names on": func(d *drawn, r *rand.Rand) bool {
		return d.handOn(r, false)
	},
	"take the name of what goes": func(d *drawn, r *rand.Rand) bool {
		one, b, found := anyOf(r, d.blocks)
		other, c, _ := anyOf(r, d.blocks)
		if !found || one == other || b.in != c.in || b.reservation || c.reservation {
			return false
		}
		b.name = c.name
		d.blocks[one] = b
		delete(d.blocks, other)
		return true
	},
	"another label": func(d *drawn, r *rand.Rand) bool {
		label, b, found := anyOf(r, d.blocks)
		delete(d.blocks, label)
		if found {
			d.blocks[d.fresh()] = b
		}
		return found
	},
	"another label, with moved": func(d *drawn, r *rand.Rand) bool {
		label, b, found := anyOf(r, d.blocks)
		if !found {
			return false
		}
		to := d.fresh()
		delete(d.blocks, label)
		d.blocks[to] = b
		d.lines += fmt.Sprintf("moved {\n  from = %s.%s\n  to = %s.%s\n}\n", b.kind(), label, b.kind(), to)
		return true
	},
	"another pool": func(d *drawn, r *rand.Rand) bool {
		label, b, found := anyOf(r, d.blocks)
		if b.in = d.anyPool(r); !found || b.cidr != "" {
			return false
		}
		d.blocks[label] = b
		return true
	},
	"create_before_destroy, or not": func(d *drawn, r *rand.Rand) bool {
		label, b, found := anyOf(r, d.blocks)
		b.first, b.length = !b.first, max(23, b.length-1)
		if found {
			d.blocks[label] = b
		}
		return found
	},
	"take over a place": func(d *drawn, r *rand.Rand) bool { // a split, a merge or a CIDR that is handed on
		label, b, found := anyOf(r, d.blocks)
		if !found {
			return false
		}
		delete(d.blocks, label)
		for range 1 + r.IntN(2) {
			name := d.fresh()
			d.blocks[name] = drawnBlock{in: b.in, name: name, length: max(b.length, 24) + r.IntN(2), reservation: r.IntN(4) == 0}
		}
		return true
	},
	"a key more": func(d *drawn, r *rand.Rand) bool {
		label, s, found := anyOf(r, d.sets)
		if found {
			s.members[d.fresh()] = 28
			d.sets[label] = s
		}
		return found
	},
	"a key less": func(d *drawn, r *rand.Rand) bool {
		_, s, found := anyOf(r, d.sets)
		if !found || len(s.members) < 2 {
			return false
		}
		key, _, _ := anyOf(r, s.members)
		delete(s.members, key)
		return true
	},
	"a key of another size": func(d *drawn, r *rand.Rand) bool {
		_, s, found := anyOf(r, d.sets)
		if !found {
			return false
		}
		key, length, _ := anyOf(r, s.members)
		s.members[key] = min(max(length+[]int{-1, 1}[r.IntN(2)], 25), 29)
		return true
	},
	"a key renamed": func(d *drawn, r *rand.Rand) bool {
		label, s, found := anyOf(r, d.sets)
		if !found {
			return false
		}
		key, length, _ := anyOf(r, s.members)
		to := d.fresh()
		delete(s.members, key)
		s.members[to], s.renamed = length, map[string]string{to: key}
		d.sets[label] = s
		return true
	},
	"a set renamed": func(d *drawn, r *rand.Rand) bool {
		label, s, found := anyOf(r, d.sets)
		if s.name = d.fresh(); found {
			d.sets[label] = s
		}
		return found
	},
	"count to for_each to set": func(d *drawn, r *rand.Rand) bool {
		switch d.group.form++; d.group.form {
		case 1:
			d.group.members = 2 + r.IntN(3)
		case 2:
			for i := range d.group.members {
				if r.IntN(2) == 0 { // in other edits without
					d.lines += fmt.Sprintf("moved {\n  from = cloudpam_allocation.group[%d]\n  to = cloudpam_allocation.group[\"k%d\"]\n}\n", i, i)
				}
			}
		case 3:
			d.lines += "removed {\n  from = cloudpam_allocation.group\n  lifecycle {\n    destroy = false\n  }\n}\n"
		default:
			return false
		}
		return true
	},
	"a pool grows or shrinks": func(d *drawn, r *rand.Rand) bool {
		label, p, found := anyOf(r, d.pools)
		if !found {
			d.root = min(max(d.root+[]int{-1, 1}[r.IntN(2)], 20), 22)
			return true
		}
		p.length = min(max(p.length+[]int{-1, 1}[r.IntN(2)], 22), 25)
		d.pools[label] = p
		name := d.fresh()
		d.blocks[name] = drawnBlock{in: label, name: name, length: 26}
		return true
	},
	"a pool renamed": func(d *drawn, r *rand.Rand) bool {
		label, p, found := anyOf(r, d.pools)
		if p.name = d.fresh(); found {
			d.pools[label] = p
		}
		return found
	},
	"names of pools swapped": func(d *drawn, r *rand.Rand) bool {
		one, p, found := anyOf(r, d.pools)
		other, q, _ := anyOf(r, d.pools)
		if !found || one == other {
			return false
		}
		p.name, q.name = q.name, p.name
		d.pools[one], d.pools[other] = p, q
		return true
	},
	"an empty pool moves": func(d *drawn, r *rand.Rand) bool {
		label, p, found := anyOf(r, d.pools)
		if !found || !d.empty(label) {
			return false
		}
		p.parent = map[string]string{"root": "other", "other": "root"}[p.parent]
		d.pools[label] = p
		return true
	},
	"a pool above": func(d *drawn, _ *rand.Rand) bool {
		if d.above {
			return false
		}
		d.above = true
		return true
	},
}

func (d *drawn) handOn(r *rand.Rand, back bool) bool {
	one, b, found := anyOf(r, d.blocks)
	other, c, _ := anyOf(r, d.blocks)
	if !found || one == other || b.in != c.in || b.reservation || c.reservation {
		return false
	}
	if b.name, c.name = c.name, b.name; !back {
		c.name = d.fresh()
	}
	d.blocks[one], d.blocks[other] = b, c
	return true
}

// edit changes something that people change, or two things, and says what.
func (d drawn) edit(r *rand.Rand) (after drawn, what string) {
	after = d.clone()
	names := slices.Sorted(maps.Keys(kinds))
	var done []string
	for wanted := 1 + r.IntN(2); len(done) < wanted; {
		if name := names[r.IntN(len(names))]; kinds[name](&after, r) {
			done = append(done, name)
		}
	}
	return after, strings.Join(done, " and ")
}
