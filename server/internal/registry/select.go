package registry

import (
	"context"
	"errors"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

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
func chosen[T any](ctx context.Context, r *Registry, by ipam.Caller, s choose.Selection, attempt func(pool string, at home) (T, error)) (T, error) {
	for {
		answer, err := chosenOnce(ctx, r, by, s, attempt)
		if !errors.Is(err, errMoved) {
			return answer, err
		}
		// Empty-handed, so that whoever has the name never waits for this.
		if err := r.k.DB.AwaitName(ctx, s.Key()); err != nil {
			return answer, err
		}
	}
}

func chosenOnce[T any](ctx context.Context, r *Registry, by ipam.Caller, s choose.Selection, attempt func(pool string, at home) (T, error)) (T, error) {
	var answer T
	pools, err := read(ctx, r, func(tx *store.Tx) ([]choose.Candidate, error) { return s.Candidates(tx, by, r.k.Due()) })
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return change.OrReplay[T](ctx, r.k, by, err) // perhaps served by a pool that is gone
	}
	if err != nil {
		return answer, err
	}
	at := func(c edit) error {
		free, err := c.Tx.TryName(s.Key())
		if err != nil {
			return err
		}
		if !free {
			return errMoved
		}
		moved, err := s.Moved(c.Tx, pools)
		if moved {
			return errMoved
		}
		return err
	}
	var refusals []choose.Refusal
	var full []int // the refusals of pools that were not asked
	for _, pool := range pools {
		short, err := s.Refuse(pool)
		if err == nil {
			answer, err = attempt(pool.ID, at)
		}
		why, passed := choose.PassedOver(err)
		if !passed {
			return answer, err
		}
		if short != nil && s.Plan != nil && s.Plan.Displaces() {
			full = append(full, len(refusals))
		}
		refusals = append(refusals, choose.Refusal{Error: why, Pool: pool.Pool, Short: short})
	}
	for _, i := range full { // now that nothing else fits, what an earlier run was promised there may give way
		answer, err := attempt(refusals[i].Pool.ID, at)
		why, passed := choose.PassedOver(err)
		if !passed {
			return answer, err
		}
		refusals[i] = choose.Refusal{Error: why, Pool: refusals[i].Pool}
	}
	none, err := read(ctx, r, func(tx *store.Tx) (*ipam.Error, error) { return s.NoneOf(tx, by.Sees(), r.k.Due(), refusals) })
	if err != nil {
		return answer, err
	}
	return change.OrReplay[T](ctx, r.k, by, none) // perhaps served by a pool that was not asked again
}
