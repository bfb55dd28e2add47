package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// selection is a request that may be served by any pool of a selector.
type selection struct {
	selector ipam.PoolSelector
	kind     ipam.Kind  // what it asks for a block for: allocations, or a pool
	name     string     // of the allocation, the set or the pool
	set      bool       // it asks for a set
	itself   string     // the id of the pool that asks: that is in no pool of its own labels
	keys     []string   // the members of the set; "" alone for anything else
	replaces string     // the id of what has the name and shall be followed
	plan     *ipam.Plan // the caller's own drafts will do for it; nil: none will

	// sized is what to place in a pool that knows none of the names, in that order; the error is about a size that it cannot
	// have, and leaves that out.
	sized func(ipam.Pool) ([]member, error)
	tell  func(key string, err error) error // says which member an error is about
}

// selectOne is the selection of an allocation.
func selectOne(selector ipam.PoolSelector, name string, size ipam.BlockSize) selection {
	return selection{
		selector: selector, kind: ipam.KindAllocation, name: name, keys: []string{""},
		sized: func(pool ipam.Pool) ([]member, error) {
			return sized(pool, map[string]ipam.BlockSize{"": size}, asItIs)
		},
		tell: asItIs,
	}
}

// selectParent is the selection of a pool's parent. Errors: CodeInvalid.
func selectParent(in ipam.NewPool, plan *ipam.Plan) (selection, error) {
	s := selectOne(*in.Selector, in.Name, in.Size())
	s.kind, s.itself, s.plan = ipam.KindPool, ipam.PoolID(in.Selector.Scope, in.Name), plan
	return s, in.Size().Check(in.Selector.Family)
}

func asItIs(_ string, err error) error { return err }

// selectSet is the selection of a set. Errors: CodeInvalid.
func selectSet(selector ipam.PoolSelector, name string, sizes ipam.SetSizes) (selection, error) {
	all, err := sizes.All()
	return selection{
		selector: selector, kind: ipam.KindAllocation, name: name, set: true, keys: slices.Sorted(maps.Keys(all)),
		sized: func(pool ipam.Pool) ([]member, error) { return sized(pool, all, sizes.At) },
		tell:  sizes.At,
	}, err
}

func (s selection) nameOf(key string) string {
	if s.set {
		return ipam.MemberName(s.name, key)
	}
	return s.name
}

// errMoved ends an attempt when another request is placing its name, or has since the pools were looked at.
var errMoved = errors.New("the name is being placed by another request")

// home is what an attempt does before anything else, to be sure that the name has no home elsewhere by now.
type home func(edit) error

// anyHome is that of a request that names its pool.
func anyHome(edit) error { return nil }

// chosen serves a request from the first pool of a selection that can. Each attempt is a transaction of its own in the lane
// of its pool: one transaction over several pools would hold locks that another replica takes in another order. That is safe
// because an attempt that fails leaves nothing behind, and one that succeeds is the last; a retry with the same
// Idempotency-Key meets the stored answer in whichever pool it asks first. A pool that has no room, or does not hand out the
// size, is passed over, without an attempt where the look at all pools tells; any other failure is the answer.
//
// Requests for one name do not get two homes for it: an attempt first takes the name, and begins anew with another look when
// it cannot, or when the pools know of the name what they did not before.
func chosen[T any](ctx context.Context, r *Registry, by ipam.Caller, s selection, attempt func(pool string, at home) (T, error)) (T, error) {
	for {
		answer, err := chosenOnce(ctx, r, by, s, attempt)
		if !errors.Is(err, errMoved) {
			return answer, err
		}
		// Empty-handed, so that whoever has the name never waits for this.
		if err := r.k.DB.AwaitName(ctx, s.key()); err != nil {
			return answer, err
		}
	}
}

// key is what requests for one name in a scope take from each other.
func (s selection) key() string {
	return fmt.Sprintf("%s/%s/%t/%s", s.selector.Scope, s.kind, s.set, s.name)
}

func chosenOnce[T any](ctx context.Context, r *Registry, by ipam.Caller, s selection, attempt func(pool string, at home) (T, error)) (T, error) {
	var answer T
	pools, err := read(ctx, r, func(tx *store.Tx) ([]candidate, error) { return s.candidates(tx, by.UID, r.k.Due()) })
	if err != nil {
		return answer, err
	}
	if len(pools) == 0 {
		e := ipam.Errorf(ipam.CodeNotFound, "there is no %s", strings.TrimPrefix(s.selector.String(), "an "))
		e.Fields = []ipam.FieldError{{Pointer: "/pool_selector", Detail: e.Detail}}
		return change.OrReplay[T](ctx, r.k, by, e) // perhaps served by a pool that is gone
	}
	at := func(c edit) error {
		free, err := c.Tx.TryName(s.key())
		if err != nil {
			return err
		}
		if !free {
			return errMoved
		}
		now, err := s.ordered(c.Tx, pools)
		if err == nil && !slices.EqualFunc(now, pools, candidate.alike) {
			return errMoved
		}
		return err
	}
	var refusals []refusal
	var full []int // the refusals of pools that were not asked
	for _, pool := range pools {
		short, err := s.refuse(pool)
		if err == nil {
			answer, err = attempt(pool.ID, at)
		}
		why, ok := errors.AsType[*ipam.Error](err)
		if !ok || !passedOver(why.Code) {
			return answer, err
		}
		if short != nil && s.plan != nil && s.plan.Displaces() {
			full = append(full, len(refusals))
		}
		refusals = append(refusals, refusal{why, pool.Pool, short})
	}
	for _, i := range full { // now that nothing else fits, what an earlier run was promised there may give way
		answer, err := attempt(refusals[i].pool.ID, at)
		why, ok := errors.AsType[*ipam.Error](err)
		if !ok || !passedOver(why.Code) {
			return answer, err
		}
		refusals[i] = refusal{why, refusals[i].pool, nil}
	}
	none, err := read(ctx, r, func(tx *store.Tx) (*ipam.Error, error) { return noneOf(tx, s.selector, refusals) })
	if err != nil {
		return answer, err
	}
	return change.OrReplay[T](ctx, r.k, by, none) // perhaps served by a pool that was not asked again
}

// refuse is the error of a pool that cannot serve the request, as an attempt would give it; nil when only an attempt tells.
// A pool that knows the name is always asked: it may have the block already, or has to say what became of it. Short is what
// it has no room for, if it is that.
func (s selection) refuse(pool candidate) (short *member, err error) {
	if pool.knows != (trace{}) {
		return nil, nil
	}
	members, err := s.sized(pool.Pool)
	if err != nil || len(members) == 0 {
		return nil, err
	}
	first := members[0]
	if err := pool.Allow(first.length); err != nil {
		return nil, s.tell(first.key, err)
	}
	largest := pool.room.Largest
	if first.size.CIDR.IsValid() || pool.room.Expired || largest != nil && *largest <= first.length {
		return nil, nil
	}
	return &first, s.tell(first.key, noRoom(pool.ID, first.length, largest))
}

func passedOver(c ipam.Code) bool {
	switch c {
	case ipam.CodePoolExhausted, ipam.CodePolicyViolation, ipam.CodeOutsidePool, ipam.CodeCIDRTaken:
		return true
	case ipam.CodeInvalid: // all that is wrong in every pool was refused before: this one is too small, or has no default
		return true
	case ipam.CodeNotFound: // deleted meanwhile
		return true
	}
	return false
}

// refusal is why a pool did not serve a request, and what it had no room for when it was not even asked.
type refusal struct {
	*ipam.Error
	pool  ipam.Pool
	short *member
}

// noneOf says why no pool of a selector could serve a request: with a CIDR that all of them lack or have given away, or for
// want of room.
func noneOf(tx *store.Tx, selector ipam.PoolSelector, refusals []refusal) (*ipam.Error, error) {
	for _, r := range refusals {
		if r.Code == ipam.CodeCIDRTaken {
			return r.Error, nil
		}
	}
	const told = 5
	var why []string
	var largest *int
	outside := 0
	for i, r := range refusals {
		if i < told {
			if r.short != nil {
				if err := nearest(tx, r.pool, r.short.length, r.Error); err != nil {
					return nil, err
				}
			}
			why = append(why, r.pool.ID+": "+r.Detail)
		}
		if r.LargestFree != nil && (largest == nil || *r.LargestFree < *largest) {
			largest = r.LargestFree
		}
		if r.Code == ipam.CodeOutsidePool {
			outside++
		}
	}
	if more := len(refusals) - told; more > 0 {
		why = append(why, fmt.Sprintf("and %d more", more))
	}
	what := fmt.Sprintf("asked %d pools", len(refusals))
	if len(refusals) == 1 {
		what = "asked 1 pool"
	}
	e := ipam.Errorf(ipam.CodePoolExhausted, "no room in %s; %s: %s", selector, what, strings.Join(why, "; "))
	pointer := "/pool_selector"
	if outside == len(refusals) {
		e.Code, pointer = ipam.CodeOutsidePool, "/cidr"
	}
	e.LargestFree = largest
	e.Fields = []ipam.FieldError{{Pointer: pointer, Detail: e.Detail}}
	return e, nil
}
