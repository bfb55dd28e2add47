package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// selection is a request that may be served by any pool of a selector.
type selection struct {
	selector ipam.PoolSelector
	replaces string     // the id of what has the name and shall be followed
	plan     *ipam.Plan // the caller's own drafts will do for it; nil: none will
	look     func(*store.Tx, ipam.Pool) (trace, error)
}

// trace is what a pool knows of the name that a request is about.
type trace struct {
	living   string    // the id of what has the name; "" when nothing has
	follows  string    // the id of what its promise may replace
	promised time.Time // when it was promised last, kept or lost; zero when it is not
	left     time.Time // when it left last; zero when it never was there
}

// chosen serves a request from the first pool of a selection that can. Each attempt is a transaction of its own in the lane
// of its pool: one transaction over several pools would hold locks that another replica takes in another order. That is safe
// because an attempt that fails leaves nothing behind, and one that succeeds is the last; a retry with the same
// Idempotency-Key meets the stored answer in whichever pool it asks first. A pool that has no room, or does not hand out the
// size, is passed over; any other failure is the answer.
func chosen[T any](ctx context.Context, r *Registry, by ipam.Caller, s selection, attempt func(pool string) (T, error)) (T, error) {
	var answer T
	pools, err := read(ctx, r, func(tx *store.Tx) ([]string, error) { return s.pools(tx, by.Actor, r.now()) })
	if err != nil {
		return answer, err
	}
	if len(pools) == 0 {
		e := ipam.Errorf(ipam.CodeNotFound, "there is no %s", strings.TrimPrefix(s.selector.String(), "an "))
		e.Fields = []ipam.FieldError{{Pointer: "/pool_selector", Detail: e.Detail}}
		return answer, r.repeated(ctx, by, e, &answer) // perhaps served by a pool that is gone
	}
	var refusals []*ipam.Error
	for _, pool := range pools {
		answer, err = attempt(pool)
		refusal, ok := errors.AsType[*ipam.Error](err)
		if !ok || !passedOver(refusal.Code) {
			return answer, err
		}
		refusals = append(refusals, refusal)
	}
	return answer, noneOf(s.selector, pools, refusals)
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

// pools lists the pools of a selection in the order to ask them: where the name lives; where it was promised, the latest
// first; where it was last; then those that exist before those that are only planned, by id. So a plan that was promised a
// block finds it again, whatever room there is elsewhere by then.
func (s selection) pools(tx *store.Tx, actor string, now time.Time) ([]string, error) {
	type candidate struct {
		ipam.Pool
		trace
	}
	var all []candidate
	follows := map[string]bool{s.replaces: true}
	err := eachPage(func(p ipam.Page) ([]ipam.Pool, error) { return tx.Pools(s.selector.Filter(), p) }, func(p ipam.Pool) string { return p.ID }, func(p ipam.Pool) error {
		if p.DraftUntil != nil && (s.plan == nil || !p.Belongs(actor, s.plan.Holder) || !now.Before(*p.DraftUntil)) {
			return nil
		}
		t, err := s.look(tx, p)
		if t.follows != "" {
			follows[t.follows] = true
		}
		all = append(all, candidate{p, t})
		return err
	})
	blocked := func(c candidate) bool { return c.living != "" && !follows[c.living] }
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(
			trueFirst(blocked(a), blocked(b)), b.promised.Compare(a.promised), trueFirst(a.living != "", b.living != ""),
			b.left.Compare(a.left), trueFirst(a.DraftUntil == nil, b.DraftUntil == nil), strings.Compare(a.ID, b.ID),
		)
	})
	ids := make([]string, 0, len(all))
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	return ids, err
}

// trueFirst puts what has a property ahead of what has not.
func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// traceOf is what a pool knows of the name of one allocation.
func traceOf(tx *store.Tx, pool ipam.Pool, name string, size ipam.BlockSize) (trace, error) {
	var t trace
	living, err := tx.AllocationNamed(pool.ID, name)
	if err != nil && ipam.CodeOf(err) != ipam.CodeNotFound {
		return t, err
	}
	t.living = living.ID
	length, err := size.LengthIn(pool)
	if err != nil {
		return t, nil //nolint:nilerr // the pool will say so itself when it is asked
	}
	h, found, err := tx.HoldNamed(pool.ID, name, length)
	if err != nil {
		return t, err
	}
	if found {
		t.follows, t.promised = h.Replaces, h.RenewedAt
	}
	t.left, err = tx.LastLeft(pool.ID, ipam.KindAllocation, name, length)
	return t, err
}

// noneOf says why no pool of a selector could serve a request: with a CIDR that all of them lack or have given away, or for
// want of room.
func noneOf(selector ipam.PoolSelector, pools []string, refusals []*ipam.Error) error {
	for _, r := range refusals {
		if r.Code == ipam.CodeCIDRTaken {
			return r
		}
	}
	const told = 5
	var why []string
	var largest *int
	outside := 0
	for i, r := range refusals {
		if i < told {
			why = append(why, pools[i]+": "+r.Detail)
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
	what := fmt.Sprintf("asked %d pools", len(pools))
	if len(pools) == 1 {
		what = "asked 1 pool"
	}
	e := ipam.Errorf(ipam.CodePoolExhausted, "no room in %s; %s: %s", selector, what, strings.Join(why, "; "))
	pointer := "/pool_selector"
	if outside == len(refusals) {
		e.Code, pointer = ipam.CodeOutsidePool, "/cidr"
	}
	e.LargestFree = largest
	e.Fields = []ipam.FieldError{{Pointer: pointer, Detail: e.Detail}}
	return e
}
