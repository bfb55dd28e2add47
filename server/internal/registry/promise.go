package registry

import (
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
	if in.CIDR.IsValid() { // it is what was promised, or the plan is another by now
		if found {
			return c.promiseAgain(pool, want, in, known)
		}
		return c.promiseFirst(pool, want, in)
	}
	told, block, err := c.asks().Promised(pool.UID, ipam.KindHold, in.Name, ipam.Family(pool.CIDR), length, in.Plan)
	switch {
	case err != nil:
		return known, err
	case told && found && known.CIDR != block:
		return known, ipam.Outdated(pool, known, block)
	case found:
		if in.Plan.ID != "" && (told || in.Plan.Applying == nil) {
			in.Plan.Applying = &told // its id tells a new plan from one that was promised this
		}
		known, err = c.promiseAgain(pool, want, in, known)
	case told:
		want.CIDR = block
		known, err = c.promiseFirst(pool, want, in)
		err = ipam.PromiseLost(pool, want.CIDR, want.Name, err)
	default:
		known, err = c.promiseFirst(pool, want, in)
	}
	if err != nil {
		return known, err
	}
	return known, c.rememberPlan(pool.UID, ipam.KindHold, in.Name, known.CIDR, in.Plan)
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
				err = c.Tx.DeleteHold(h.ID)
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

// promiseAgain renews a hold, or places a lost one anew where its plan is surely not being applied.
func (c edit) promiseAgain(pool ipam.Pool, want choose.Claim, in ipam.NewHold, known ipam.Hold) (ipam.Hold, error) {
	if known.Kept && !known.Expired(c.Due) && !known.Belongs(c.By.UID, in.Plan.Holder) {
		return known, ipam.HeldByOther(known)
	}
	moved := in.Refuses(known.CIDR)
	if known.Kept && !moved {
		if known.Expired(c.Due) || known.Principal != c.By.UID { // what does not count against the caller yet
			if err := c.asks().WithinQuota(pool); err != nil {
				return known, err
			}
		}
		return c.renew(pool, known, in, "renewed")
	}
	if _, waits, err := c.asks().InQuarantine(pool, in); err != nil {
		return known, err
	} else if !known.Kept && !moved && !waits { // what is in its own quarantine is not lost
		if err := c.asks().WithinQuota(pool); err != nil {
			return known, err
		}
		err := alloc.PlaceAt(c.Tx.Leaves(pool), known.CIDR) // lost, and free again
		if err == nil {
			if err := c.Tx.InsertPrefix(c.prefixOf(pool, want, known.ID, known.CIDR)); err != nil {
				return known, err
			}
			if err := c.Tx.ForgetPromise(pool.UID, ipam.KindHold, known.Name, known.CIDR.Bits(), ""); err != nil {
				return known, err
			}
			return c.renew(pool, known, in, "placed")
		}
		if !errors.Is(err, alloc.ErrTaken) {
			return known, err
		}
		fresh := in.Plan.Applying != nil && !*in.Plan.Applying || in.Plan.Displaces() && known.Run == in.Plan.Run // it took the space itself
		if in.Plan.Applying == nil && !fresh {
			if fresh, err = c.asks().Told(known); err != nil {
				return known, err
			}
		}
		if !fresh {
			return known, c.asks().HoldLost(known)
		}
	}
	if err := c.dropHold(pool, known, "released"); err != nil {
		return known, err
	}
	return c.promiseFirst(pool, want, in)
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
