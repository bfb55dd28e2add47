package torture

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// set is an allocation set and what was asked for it.
type set struct {
	noun
	sizes  map[string]int // prefix length by key, without those of the bundle
	bundle bool
}

// cluster is a bundle, and what it stands for.
var (
	cluster = object{"gke": object{"nodes": 4, "max_pods_per_node": 8, "services": 16}}
	bundled = map[string]int{"nodes": 28, "pods": 24, "services": 28}
)

var keys = []string{"a", "b", "c", "d", "e", "f", "g"}

// all is the length of every member.
func (s set) all() map[string]int {
	all := maps.Clone(s.sizes)
	if s.bundle {
		maps.Copy(all, bundled)
	}
	return all
}

// body is what a request says of the members.
func (s set) body(more object) object {
	members := object{}
	for key, length := range s.sizes {
		members[key] = sized(length)
	}
	more["members"] = members
	if s.bundle {
		more["bundle"] = cluster
	}
	return more
}

func (s set) blocks() []block {
	blocks := make([]block, len(s.Members))
	for i, m := range s.Members {
		blocks[i] = s.member(m)
	}
	return blocks
}

func (s set) member(m part) block {
	return block{Kind: "allocation", ID: m.Allocation, Space: s.Pool, CIDR: m.CIDR}
}

func (s set) has() map[string]part {
	has := map[string]part{}
	for _, m := range s.Members {
		has[m.Key] = m
	}
	return has
}

// whole reports whether an answer has every member, each of its size, and nothing else.
func (s set) whole(members []part) error {
	want := s.all()
	for _, m := range members {
		if length, found := want[m.Key]; !found || m.CIDR.Bits() != length {
			return fmt.Errorf("member %s is %s, want %v", m.Key, m.CIDR, s.all())
		}
		delete(want, m.Key)
	}
	if len(want) > 0 {
		return fmt.Errorf("the members %v are missing", want)
	}
	return nil
}

// newSet draws a set that nobody has.
func (w *worker) newSet() set {
	s := set{noun: noun{Name: w.next()}, sizes: map[string]int{}, bundle: w.draw.IntN(5) == 0}
	for range 2 + w.draw.IntN(4) {
		s.sizes[keys[w.draw.IntN(len(keys))]] = 25 + w.draw.IntN(5)
	}
	return s
}

// changed draws what a set shall be: members come, go and get other sizes.
func (w *worker) changed(s set) set {
	s.sizes = maps.Clone(s.sizes)
	for range 1 + w.draw.IntN(3) {
		key := keys[w.draw.IntN(len(keys))]
		if _, found := s.sizes[key]; found && len(s.sizes) > 1 && w.draw.IntN(2) == 0 {
			delete(s.sizes, key)
		} else {
			s.sizes[key] = 25 + w.draw.IntN(5)
		}
	}
	return s
}

func (w *worker) everySet() []set {
	all := slices.Clone(w.sets)
	for _, p := range w.plans {
		if p.updates {
			all = append(all, p.was)
		}
	}
	return all
}

func (w *worker) createSet() *request {
	if len(w.sets) > 5 {
		return nil
	}
	s := w.newSet()
	r := post("/allocation-sets", s.body(w.pool(object{"name": s.Name})))
	r.refusals, r.made, r.leaves = full, named("/allocation-sets", s.Name), 1
	r.done = func(got noun) error { return w.hasSet(s, got, nil) }
	return r
}

// hasSet enters a new set, in place of what was held for it.
func (w *worker) hasSet(s set, got noun, held []block) error {
	if err := s.whole(got.Members); err != nil {
		return err
	}
	s.noun = got
	w.sets = append(w.sets, s)
	w.held.tell("allocation_set.created", s.ID)
	for _, m := range s.Members {
		w.held.tell("allocation.created", m.Allocation)
	}
	return w.held.swap(held, s.blocks())
}

func (w *worker) releaseSet() *request {
	s, found := take(w, &w.sets)
	if !found {
		return nil
	}
	r := remove("/allocation-sets/"+s.ID, 0)
	r.gives, r.made = s.blocks(), named("/allocation-sets", s.Name)
	r.done = func(noun) error {
		w.held.tell("allocation_set.released", s.ID)
		for _, m := range s.Members {
			w.held.tell("allocation.released", m.Allocation)
		}
		return nil
	}
	return r
}

func (w *worker) changeSet() *request {
	s, found := take(w, &w.sets)
	if !found {
		return nil
	}
	return w.change(s, w.changed(s), setPlan{})
}

// stays says what becomes of a member: it keeps its block or the first part of it, or goes.
func stays(m part, want map[string]int) (netip.Prefix, bool) {
	length, found := want[m.Key]
	return netip.PrefixFrom(m.CIDR.Addr(), length), found && length >= m.CIDR.Bits()
}

// change makes a set what it shall be, perhaps as it was planned.
func (w *worker) change(was, will set, plan setPlan) *request {
	r := patch("/allocation-sets/"+was.ID, was.Version, will.body(object{}))
	var whole, parts []block // of the members that shrink
	for _, m := range was.Members {
		b := was.member(m)
		to, keeps := stays(m, will.all())
		switch {
		case !keeps:
			r.gives = append(r.gives, b)
		case to != m.CIDR:
			whole = append(whole, b)
			b.CIDR = to
			parts = append(parts, b)
		}
	}
	if w.fail = w.held.swap(whole, parts); w.fail != nil {
		return nil
	}
	r.refusals = full
	if plan.ended() {
		r.refusals = append([]string{"hold_lost"}, full...)
	}
	r.refused = func(string) error {
		w.sets = append(w.sets, was)
		if plan.promised() {
			return fmt.Errorf("it was promised")
		}
		return w.held.swap(parts, whole)
	}
	r.done = func(got noun) error { return w.changedSet(was, will, got, plan) }
	return r
}

func (w *worker) changedSet(was, will set, got noun, plan setPlan) error {
	if err := will.whole(got.Members); err != nil {
		return err
	}
	if got.ID != was.ID || got.Version != was.Version+1 {
		return fmt.Errorf("it is %s at version %d, want %s at %d", got.ID, got.Version, was.ID, was.Version+1)
	}
	will.noun = got
	has := was.has()
	var fresh []block
	for _, m := range got.Members {
		before, was := has[m.Key]
		delete(has, m.Key)
		to, keeps := stays(before, will.all())
		switch {
		case was && keeps && (m.Allocation != before.Allocation || m.CIDR != to):
			return fmt.Errorf("member %s moved from %+v to %+v, want %s", m.Key, before, m, to)
		case was && keeps && to != before.CIDR:
			w.held.tell("allocation.updated", m.Allocation)
		case was && keeps:
		default:
			if planned := plan.blocks[m.Key]; plan.promised() && planned.CIDR != m.CIDR {
				return fmt.Errorf("member %s is %s, but %s was promised", m.Key, m.CIDR, planned.CIDR)
			}
			if was {
				w.held.tell("allocation.released", before.Allocation)
			}
			w.held.tell("allocation.created", m.Allocation)
			fresh = append(fresh, will.member(m))
		}
	}
	for _, gone := range has {
		w.held.tell("allocation.released", gone.Allocation)
	}
	for _, b := range fresh {
		for _, old := range was.blocks() {
			if old.CIDR.Overlaps(b.CIDR) {
				return fmt.Errorf("the new %s stands where %s was", b.CIDR, old.CIDR)
			}
		}
	}
	w.held.tell("allocation_set.updated", got.ID)
	w.sets = append(w.sets, will)
	return w.held.swap(plan.held(), fresh)
}
