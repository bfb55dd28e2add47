package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Contradiction refuses policies of which the inner ones allow what an outer one forbids, or that leave nothing to allow in a pool: both are
// named. Errors: CodeInvalid.
func (c Chain) Contradiction(pool ipam.Pool) error {
	for i, inner := range c {
		for _, outer := range c[:i] {
			if err := contradict(outer, inner); err != nil {
				return err
			}
		}
	}
	for _, kind := range []ipam.Kind{ipam.KindAllocation, ipam.KindPool} {
		low, high := c.Lengths(kind, pool)
		if low <= high {
			continue
		}
		rule, what := "min_prefix_length", "allocation"
		if kind == ipam.KindPool {
			rule, what = "pool_min_prefix_length", "child pool"
		}
		return ipam.Invalid("/rules/"+rule, "no %s of any length could be in pool %s: %s", what, pool.ID, c.bounds(kind, pool))
	}
	if d := pool.Sizes.Default; d != nil {
		if low, high := c.Lengths(ipam.KindAllocation, pool); *d < low || *d > high {
			return ipam.Invalid("/rules/min_prefix_length", "pool %s gives a /%d where no size is named (default_prefix_length), which would be refused: %s; change that first", pool.ID, *d, c.bounds(ipam.KindAllocation, pool))
		}
	}
	for _, p := range c {
		for _, x := range p.Rules.Excluded() {
			if x.Bits() <= pool.CIDR.Bits() && x.Contains(pool.CIDR.Addr()) {
				return ipam.Invalid("/rules/exclude", "nothing could be in pool %s, which is %s: %s excludes %s", pool.ID, pool.CIDR, p.Named(), x)
			}
		}
	}
	return nil
}

// bounds says who bounds the lengths of a kind.
func (c Chain) bounds(kind ipam.Kind, pool ipam.Pool) string {
	all, prefix := "", ""
	add := func(whose, rule string, length *int) {
		if length != nil {
			if all != "" {
				all += ", "
			}
			all += fmt.Sprintf("%s has %s %d", whose, rule, *length)
		}
	}
	add("the pool", "min_prefix_length", pool.Sizes.Min)
	add("the pool", "max_prefix_length", pool.Sizes.Max)
	for _, p := range c {
		low, high := p.Rules.Min, p.Rules.Max
		if kind == ipam.KindPool {
			low, high, prefix = p.Rules.PoolMin, p.Rules.PoolMax, "pool_"
		}
		add(p.Named(), prefix+"min_prefix_length", low)
		add(p.Named(), prefix+"max_prefix_length", high)
	}
	return all
}

func contradict(outer, inner ipam.Policy) error {
	o, i := outer.Rules, inner.Rules
	for _, rule := range []struct {
		name         string
		outer, inner *int
		wider        func(outer, inner int) bool
	}{
		{"min_prefix_length", o.Min, i.Min, func(o, i int) bool { return i < o }},
		{"max_prefix_length", o.Max, i.Max, func(o, i int) bool { return i > o }},
		{"pool_min_prefix_length", o.PoolMin, i.PoolMin, func(o, i int) bool { return i < o }},
		{"pool_max_prefix_length", o.PoolMax, i.PoolMax, func(o, i int) bool { return i > o }},
	} {
		if rule.outer != nil && rule.inner != nil && rule.wider(*rule.outer, *rule.inner) {
			return ipam.Invalid("/rules/"+rule.name, "%s would allow what %s forbids: its %s is %d, and that of the outer one %d; leave it out, or use %d", inner.Named(), outer.Named(), rule.name, *rule.inner, *rule.outer, *rule.outer)
		}
	}
	lists := []struct {
		name         string
		outer, inner []string
	}{{"accounts", o.Accounts, i.Accounts}, {"regions", o.Regions, i.Regions}, {"environments", o.Environments, i.Environments}}
	for _, key := range slices.Sorted(maps.Keys(i.RequiredLabels)) {
		lists = append(lists, struct {
			name         string
			outer, inner []string
		}{"required_labels/" + key, o.RequiredLabels[key], i.RequiredLabels[key]})
	}
	for _, list := range lists {
		for _, value := range list.inner {
			if len(list.outer) > 0 && !slices.Contains(list.outer, value) {
				return ipam.Invalid("/rules/"+list.name, "%s would allow %q (%s), which %s forbids; leave it out, or use %s", inner.Named(), value, list.name, outer.Named(), anyOf(list.outer))
			}
		}
	}
	return nil
}
