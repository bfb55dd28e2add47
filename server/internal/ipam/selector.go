package ipam

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PoolSelector means any pool of a scope and a family that has all of the labels.
type PoolSelector struct {
	Scope  string
	Family int    // 4 or 6
	Labels Labels // one at least
}

// Filter lists the pools that are meant, drafts too.
func (s PoolSelector) Filter() PoolFilter {
	f := PoolFilter{Scope: s.Scope, Family: s.Family, Drafts: true}
	for _, key := range slices.Sorted(maps.Keys(s.Labels)) {
		f.Labels = append(f.Labels, Label{Key: key, Value: s.Labels[key]})
	}
	return f
}

// String is how the selector reads in an error.
func (s PoolSelector) String() string {
	pairs := make([]string, 0, len(s.Labels))
	for _, l := range s.Filter().Labels {
		pairs = append(pairs, l.Key+"="+l.Value)
	}
	text := fmt.Sprintf("an IPv%d pool with %s", s.Family, strings.Join(pairs, ", "))
	if s.Scope != DefaultScope {
		text += fmt.Sprintf(" in scope %q", s.Scope)
	}
	return text
}

// CheckPool refuses a request that does not say which pool it means, by its id or by a selector.
func CheckPool(pool string, selector *PoolSelector) error {
	switch {
	case pool == "" && selector == nil:
		return Invalid("/pool", "say which pool: name one, or give a pool_selector")
	case pool != "" && selector != nil:
		return Invalid("/pool_selector", "pool and pool_selector are two ways to say which pool; leave one out")
	case selector != nil && len(selector.Labels) == 0:
		return Invalid("/pool_selector/labels", "a pool_selector names one label at least")
	}
	return nil
}
