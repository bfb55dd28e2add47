package registry

import (
	"context"
	"errors"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

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

// shown reports whether something is promised to this very run, which left its place to us.
func (c edit) shown(run string, named bool) bool {
	return c.plan.Displaces() && run == c.plan.Run && !named
}

// inOwnWay turns the refusal of a block into CodePlanAgain where only what this run was promised by size is in the way.
func (c edit) inOwnWay(at netip.Prefix, standing []ipam.Prefix, refusal error) error {
	if !c.plan.Displaces() || c.moves {
		return refusal
	}
	for _, p := range standing {
		if p.Status != ipam.StatusHeld {
			return refusal
		}
		run, named, err := c.promisedTo(p)
		if err != nil {
			return err
		}
		if !c.shown(run, named) {
			return refusal
		}
	}
	return ipam.ShownBefore(at, standing)
}

// promisedTo is the run that a hold or a draft is promised to, and whether it named the block.
func (c edit) promisedTo(p ipam.Prefix) (run string, named bool, err error) {
	if p.Kind == ipam.KindHold {
		h, err := c.Tx.Hold(p.Owner)
		return h.Run, h.Named, err
	}
	draft, err := c.Tx.Pool(p.Owner)
	return draft.DraftRun, draft.DraftNamed, err
}

// touch notes that a run asks for something in a draft, so that the draft is not of an earlier run any more. The caller holds
// its lock.
func (c edit) touch(draft ipam.Pool) error {
	if draft.DraftUntil == nil || c.plan.Run == "" || draft.DraftRun == c.plan.Run || !draft.Belongs(c.By.UID, c.plan.Holder) {
		return nil
	}
	draft.DraftRun = c.plan.Run
	return c.Tx.SetDraft(draft)
}
