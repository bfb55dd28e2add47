// Package choose says which pool of a selector serves a request: it looks at all of them at once, puts them in the order to
// ask them and says why none would do. It only reads; whoever asks the pools finds out whether one really can.
package choose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Selection is a request that may be served by any pool of a selector.
type Selection struct {
	Replaces string     // the id of what has the name and shall be followed
	Plan     *ipam.Plan // the caller's own drafts will do for it; nil: none will

	selector ipam.PoolSelector
	kind     ipam.Kind // what it asks for a block for: allocations, or a pool
	name     string    // of the allocation, the set or the pool
	set      bool      // it asks for a set
	itself   string    // the id of the pool that asks: that is in no pool of its own labels
	keys     []string  // the members of the set; "" alone for anything else

	// sized is what to place in a pool that knows none of the names, in that order; the error is about a size that it cannot
	// have, and leaves that out.
	sized func(ipam.Pool) ([]Member, error)
	tell  func(key string, err error) error // says which member an error is about
}

// One is the selection of an allocation.
func One(selector ipam.PoolSelector, name string, size ipam.BlockSize) Selection {
	return Selection{
		selector: selector, kind: ipam.KindAllocation, name: name, keys: []string{""},
		sized: func(pool ipam.Pool) ([]Member, error) {
			return Sized(pool, map[string]ipam.BlockSize{"": size}, asItIs)
		},
		tell: asItIs,
	}
}

// Parent is the selection of a pool's parent. Errors: CodeInvalid.
func Parent(in ipam.NewPool, plan *ipam.Plan) (Selection, error) {
	s := One(*in.Selector, in.Name, in.Size())
	s.kind, s.itself, s.Plan = ipam.KindPool, ipam.PoolID(in.Selector.Scope, in.Name), plan
	return s, in.Size().Check(in.Selector.Family)
}

func asItIs(_ string, err error) error { return err }

// Set is the selection of a set: one pool for all of its members. Errors: CodeInvalid.
func Set(selector ipam.PoolSelector, name string, sizes ipam.SetSizes) (Selection, error) {
	all, err := sizes.All()
	return Selection{
		selector: selector, kind: ipam.KindAllocation, name: name, set: true, keys: slices.Sorted(maps.Keys(all)),
		sized: func(pool ipam.Pool) ([]Member, error) { return Sized(pool, all, sizes.At) },
		tell:  sizes.At,
	}, err
}

// Key is what requests for one name in a scope take from each other.
func (s Selection) Key() string {
	return fmt.Sprintf("%s/%s/%t/%s", s.selector.Scope, s.kind, s.set, s.name)
}

// NoPool is the error of a selection that has no candidates.
func (s Selection) NoPool() *ipam.Error {
	e := ipam.Errorf(ipam.CodeNotFound, "there is no %s", strings.TrimPrefix(s.selector.String(), "an "))
	e.Fields = []ipam.FieldError{{Pointer: "/pool_selector", Detail: e.Detail}}
	return e
}

func (s Selection) nameOf(key string) string {
	if s.set {
		return ipam.MemberName(s.name, key)
	}
	return s.name
}
