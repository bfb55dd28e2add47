package change

import (
	"context"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// TogetherTime is how long a transaction of several doors may take on PostgreSQL.
const TogetherTime = 5 * time.Minute

type togetherKey struct{}

// Together is a Write that is made of others. Whatever Write, Read or Get is called under the context that it hands to its body is a
// part of the one transaction: several doors are gone through, each with its own rules and events, and all of it is durable or
// nothing is. What a door refuses has perhaps written something first: a body that goes on after a refusal has the door in a Try.
// A dry run is answered though approval is needed: its answer has Needed, and what was shown is what is asked for.
// No door may be gone through that waits for another transaction: a request by selector, a preview, a look into a cloud.
func Together[T any](ctx context.Context, k *Kernel, by ipam.Caller, lane string, body func(context.Context, Change) (T, error)) (T, error) {
	ctx = store.Patient(ctx, TogetherTime)
	return Write(ctx, k, by, lane, func(c Change) (T, error) {
		c.told = new([]ipam.Event)
		answer, err := body(context.WithValue(ctx, togetherKey{}, c), c)
		if by.DryRun {
			c.review.needs = nil // an answer that says what becomes of all says that, too
		}
		return answer, err
	})
}

// partOf is the change that a context is a part of, by a caller of that part. Its retries are those of the whole.
func partOf(ctx context.Context, by ipam.Caller) (Change, bool) {
	c, part := ctx.Value(togetherKey{}).(Change)
	by.Retry = nil
	c.By = by
	return c, part
}

// Needed is for how many blocks approval is needed so far.
func (c Change) Needed() int { return len(c.review.needs) }

// Told are the events of a change of several doors since the last time it was asked.
func (c Change) Told() []ipam.Event {
	told := slices.Clone(*c.told)
	*c.told = nil
	return told
}
