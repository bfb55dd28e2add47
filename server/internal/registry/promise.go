package registry

import (
	"cmp"
	"context"
	"errors"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Promise answers a plan: the block that the allocation of this pool, name and length will get. Asking again renews the
// promise and gives the same block. A promise that was lost is never silently made anew for an apply: it is CodeHoldLost
// to every request that applies, to every one of the plan that was promised it, and, unless an apply was told already, to
// the first one that cannot tell whether it is either. Errors besides: those of Allocate, CodeHoldConflict when somebody else's plan holds the name.
func (r *Registry) Promise(ctx context.Context, by ipam.Caller, in ipam.NewHold) (ipam.Hold, error) {
	if err := in.CheckAll(); err != nil {
		return ipam.Hold{}, err
	}
	if in.Selector == nil {
		return r.promiseIn(ctx, by, in, anyHome)
	}
	if err := in.Check(in.Selector.Family); err != nil {
		return ipam.Hold{}, err
	}
	s := choose.One(*in.Selector, in.Name, in.BlockSize)
	s.Replaces, s.Plan = in.Replaces, &in.Plan
	return chosen(ctx, r, by, s, func(pool string, at home) (ipam.Hold, error) {
		in.Pool = pool
		return r.promiseIn(ctx, by, in, at)
	})
}

func (r *Registry) promiseIn(ctx context.Context, by ipam.Caller, in ipam.NewHold, at home) (ipam.Hold, error) {
	h, err := planned(ctx, r, by, in.Pool, in.Plan, func(c edit) (ipam.Hold, error) {
		if err := at(c); err != nil {
			return ipam.Hold{}, err
		}
		pool, err := c.lockFor(in.Pool)
		if err != nil {
			return ipam.Hold{}, err
		}
		return c.promise(pool, in)
	})
	return h, r.tell(ctx, by, in.Pool, in.Plan, []ipam.NewHold{in}, err)
}

// promiseHere makes, renews or refuses a hold in a pool. The caller holds the pool's lock.
func (c edit) promiseHere(pool ipam.Pool, in ipam.NewHold) (ipam.Hold, error) {
	length, err := in.LengthIn(pool)
	if err != nil {
		return ipam.Hold{}, err
	}
	if in, err = choose.AllowedHold(c.Change, pool, in, length); err != nil {
		return ipam.Hold{}, err
	}
	want := choose.Claim{Kind: ipam.KindHold, Name: in.Name, BlockSize: in.BlockSize, Status: ipam.StatusHeld}
	known, found, err := c.Tx.HoldNamed(pool.UID, in.Name, length)
	if err != nil {
		return known, err
	}
	if err := c.nameFreeFor(pool, in, known); err != nil {
		return known, err
	}
	run := known.Run
	now, block, err := c.asks().Situation(pool, in, length, known, found)
	if err != nil {
		return known, err
	}
	switch choose.Decide(now) {
	case choose.Outdated:
		return known, ipam.Outdated(pool, known, block)
	case choose.Conflict:
		return known, ipam.HeldByOther(known)
	case choose.Lost:
		return known, cmp.Or(c.asks().WithinQuota(pool), c.asks().HoldLost(known))
	case choose.Renew:
		known, err = c.renewOwn(pool, known, in)
	case choose.PlaceBack:
		known, err = c.placeBack(pool, want, known, in)
	case choose.PlaceAnew:
		known, err = c.placeAnew(pool, want, known, in)
	case choose.PlaceThere:
		want.CIDR = block
		known, err = c.promiseFirst(pool, want, in)
		err = ipam.PromiseLost(pool, want.CIDR, want.Name, err)
	default:
		known, err = c.promiseFirst(pool, want, in)
	}
	if err != nil || in.CIDR.IsValid() {
		return known, err
	}
	known.Before, err = c.asks().Before(pool.UID, ipam.KindHold, in.Name, known.CIDR, run, in.Plan)
	return known, cmp.Or(err, c.rememberPlan(pool.UID, ipam.KindHold, in.Name, known.CIDR, in.Plan))
}

// rememberPlan keeps what a plan that names itself was promised.
func (c edit) rememberPlan(space ipam.UID, kind ipam.Kind, name string, block netip.Prefix, plan ipam.Plan) error {
	if plan.ID == "" {
		return nil
	}
	return c.Tx.RememberPromise(space, kind, name, block, plan.ID, c.At)
}

// tell notes that a loss is told to a plan that does not name itself, so that the next plan of the name is a fresh one: a
// caller that cannot say whether it applies is told once, and again to the same Idempotency-Key, and not at all where an apply was told already. The lost hold goes
// with that, or stays for more of the same apply. Were this to fail, the loss would only be told again.
func (r *Registry) tell(ctx context.Context, by ipam.Caller, in string, plan ipam.Plan, holds []ipam.NewHold, failure error) error {
	if ipam.CodeOf(failure) != ipam.CodeHoldLost || plan.ID != "" || by.Retry != nil && by.Retry.Replayed {
		return failure
	}
	return change.WriteRefused(ctx, r.k, by, in, failure, func(c change.Change) error {
		pool, err := c.Tx.LockPool(ipam.Everything, in)
		if err != nil {
			return err
		}
		for _, in := range holds {
			length, err := in.LengthIn(pool)
			if err != nil {
				return err
			}
			h, found, err := c.Tx.HoldNamed(pool.UID, in.Name, length)
			switch {
			case err != nil:
				return err
			case !found || h.Kept:
				continue
			case plan.Applying == nil:
				err = cmp.Or(c.Tx.RememberShown(pool.UID, ipam.KindHold, h.Name, h.CIDR, c.At), c.Tx.DeleteHold(h.ID))
			default:
				err = c.Tx.RememberPromise(pool.UID, ipam.KindHold, h.Name, h.CIDR, "", c.At)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// nameFreeFor lets a plan share the name of the allocation that it replaces. The hold remembers that: Terraform says what
// is replaced while it plans, and no longer when it applies.
func (c edit) nameFreeFor(pool ipam.Pool, in ipam.NewHold, known ipam.Hold) error {
	taken := c.nameFree(pool, in.Name)
	if ipam.CodeOf(taken) != ipam.CodeNameTaken {
		return taken
	}
	living, err := c.living(pool, in.Name)
	if err != nil {
		return err
	}
	if living.UpdatedBy(in.Updates) || living.FollowedBy(in.Replaces) || living.FollowedBy(known.Replaces) {
		return nil
	}
	if _, renamed, err := c.asks().NewName(living); renamed || err != nil {
		return err
	}
	return taken
}

// promiseFirst places a hold.
func (c edit) promiseFirst(pool ipam.Pool, want choose.Claim, in ipam.NewHold) (ipam.Hold, error) {
	h := ipam.Hold{ID: change.NewID("hold"), In: pool.Inside(), Name: in.Name, Holder: in.Plan.Holder, CreatedAt: c.At}.Renewed(pool, in, c.By, c.At)
	want.Owner = h.ID
	var err error
	if h.CIDR, h.Inherits, err = c.inherited(pool, in); err != nil {
		return h, err
	}
	if !h.Inherits {
		if err := c.asks().WithinQuota(pool); err != nil {
			return h, err
		}
		h.CIDR, err = c.place(pool, want)
		if p, ok := errors.AsType[pending](err); ok && c.plan.Displaces() {
			h.CIDR, h.Inherits, err = p.at, true, c.promiseOnLeft(pool, p.at, in.Name)
		}
		if err != nil {
			return h, err
		}
	}
	if err := c.Tx.InsertHold(h); err != nil {
		return h, err
	}
	if err := c.Tx.ForgetPromise(pool.UID, ipam.KindHold, h.Name, h.CIDR.Bits(), ""); err != nil {
		return h, err
	}
	return h, c.Record(holdObject(h), "placed", nil, h)
}

// renewOwn renews a hold that has its block.
func (c edit) renewOwn(pool ipam.Pool, known ipam.Hold, in ipam.NewHold) (ipam.Hold, error) {
	if err := c.asks().MayRenew(pool, known); err != nil {
		return known, err
	}
	return c.renew(pool, known, in, "renewed")
}

// placeBack gives a hold the block back that it lost, and that is free.
func (c edit) placeBack(pool ipam.Pool, want choose.Claim, known ipam.Hold, in ipam.NewHold) (ipam.Hold, error) {
	if err := c.asks().WithinQuota(pool); err != nil {
		return known, err
	}
	if err := alloc.PlaceAt(c.Tx.Leaves(pool), known.CIDR); err != nil {
		return known, err
	}
	if err := c.Tx.InsertPrefix(c.prefixOf(pool, want, known.ID, known.CIDR)); err != nil {
		return known, err
	}
	if err := c.Tx.ForgetPromise(pool.UID, ipam.KindHold, known.Name, known.CIDR.Bits(), ""); err != nil {
		return known, err
	}
	return c.renew(pool, known, in, "placed")
}

// placeAnew gives a hold up for another of its name.
func (c edit) placeAnew(pool ipam.Pool, want choose.Claim, known ipam.Hold, in ipam.NewHold) (ipam.Hold, error) {
	if err := c.dropHold(pool, known, "released"); err != nil {
		return known, err
	}
	h, err := c.promiseFirst(pool, want, in)
	if err == nil && h.CIDR != known.CIDR {
		err = c.Tx.RememberShown(pool.UID, ipam.KindHold, h.Name, known.CIDR, c.At)
	}
	return h, err
}

func (c edit) renew(pool ipam.Pool, known ipam.Hold, in ipam.NewHold, verb string) (ipam.Hold, error) {
	h := known.Renewed(pool, in, c.By, c.At)
	if h.ExpiresAt.Before(known.ExpiresAt) && verb == "renewed" {
		h.ExpiresAt = known.ExpiresAt // a promise is never cut short
	}
	if err := c.Tx.UpdateHold(h); err != nil || h.Same(known) {
		return h, err // only for longer: every plan does that to every hold of it, and renewed_at says when
	}
	return h, c.Record(holdObject(h), verb, known, h)
}
