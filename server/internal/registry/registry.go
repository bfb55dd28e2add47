package registry

import (
	"context"
	"errors"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Registry serves the use cases that change who has which space. It is safe for concurrent use.
type Registry struct {
	k *change.Kernel

	// HoldQuota is the most blocks of one pool that promises to one actor may take at a time; 0 is no limit. It is set
	// before the first call.
	HoldQuota int
}

// New makes a Registry.
func New(k *change.Kernel) *Registry { return &Registry{k: k} }

// edit is one write of the registry under way. Its Tx writes rows; its own methods keep the rules about them.
type edit struct {
	change.Change
	r     *Registry
	plan  ipam.Plan // that asks; zero when none does
	moves bool      // it may move what its own run was promised by size

	around  bool   // a pool is made around what is in quarantine, which then stands in that
	growing string // the allocation that has what it gave up back
}

// write runs a use case in one transaction in the lane of a space.
func write[T any](ctx context.Context, r *Registry, by ipam.Caller, lane string, body func(edit) (T, error)) (T, error) {
	return change.Write(ctx, r.k, by, lane, func(c change.Change) (T, error) { return body(edit{Change: c, r: r}) })
}

// planned runs the request of a plan. What this very run was promised by size never blocks what it asks for by CIDR: that moves,
// the request is refused with CodePlanAgain, since its old place may be in the plan already, and the next plan finds all in place.
func planned[T any](ctx context.Context, r *Registry, by ipam.Caller, lane string, plan ipam.Plan, body func(edit) (T, error)) (T, error) {
	answer, err := write(ctx, r, by, lane, func(c edit) (T, error) {
		c.plan = plan
		return body(c)
	})
	refusal, ok := errors.AsType[*ipam.Error](err)
	if !ok || refusal.Code != ipam.CodePlanAgain || by.Retry != nil && by.Retry.Replayed {
		return answer, err
	}
	return answer, change.WriteRefused(ctx, r.k, by, lane, refusal, func(c change.Change) error {
		_, err := body(edit{Change: c, r: r, plan: plan, moves: true})
		return err
	})
}

// locked runs a body under the lock of the pool of what was known, with what that is by then.
func locked[T any](ctx context.Context, r *Registry, by ipam.Caller, known ipam.In, again func(*store.Tx) (T, error), body func(edit, ipam.Pool, T) error) error {
	_, err := write(ctx, r, by, known.Pool, func(c edit) (none struct{}, err error) {
		pool, err := c.lockedPool(known)
		if err != nil {
			return none, err
		}
		now, err := again(c.Tx)
		if err == nil {
			err = body(c, pool, now)
		}
		return none, err
	})
	return err
}

// preview answers what write would, and changes nothing.
func preview[T any](ctx context.Context, r *Registry, by ipam.Caller, lane string, body func(edit) (T, error)) (T, error) {
	return change.Preview(ctx, r.k, by, lane, func(c change.Change) (T, error) { return body(edit{Change: c, r: r}) })
}

// look reads what a request names, as far as its caller sees it: for the lane of the change, which looks again.
func look[T any](ctx context.Context, r *Registry, by ipam.Caller, id string, read func(*store.Tx, ipam.Visible, string) (T, error)) (T, error) {
	return change.Get(ctx, r.k, func(tx *store.Tx) (T, error) { return read(tx, by.Sees(), id) })
}

// realPool is look for a pool that is no draft.
func realPool(ctx context.Context, r *Registry, by ipam.Caller, id string) (ipam.Pool, error) {
	return ipam.RealPool(look(ctx, r, by, id, (*store.Tx).Pool))
}

// lockedPool locks the pool of what was looked at, which the caller changes.
func (c edit) lockedPool(in ipam.In) (ipam.Pool, error) {
	pool, err := c.Tx.LockPool(ipam.Everything, string(in.PoolUID))
	if err != nil {
		return pool, err
	}
	return pool, c.May(pool.Inside())
}

// read runs a query on one snapshot.
func read[T any](ctx context.Context, r *Registry, body func(*store.Tx) (T, error)) (T, error) {
	return change.Read(ctx, r.k, body)
}
