package registry

import (
	"cmp"
	"context"
	"errors"
	"reflect"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/quarantine"
	"github.com/cloudpam/cloudpam/server/internal/scope"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// DraftPool answers a plan that creates a pool: the pool as it will be, so that holds can stand in it before it exists.
// Nobody else sees a draft. Asking again renews it with the same CIDR; creating the pool makes it real. Errors: those of
// CreatePool, CodeHoldLost when an apply, or the plan that was promised it, asks for a draft that is gone and whose space is
// taken.
func (r *Registry) DraftPool(ctx context.Context, by ipam.Caller, in ipam.NewPool, plan ipam.Plan) (ipam.Pool, error) {
	if err := errors.Join(in.Check(), plan.Check()); err != nil {
		return ipam.Pool{}, err
	}
	if in.Selector == nil {
		return r.draftPoolIn(ctx, by, in, plan, anyHome)
	}
	s, err := choose.Parent(in, &plan)
	if err != nil {
		return ipam.Pool{}, err
	}
	return chosen(ctx, r, by, s, func(parent string, at home) (ipam.Pool, error) {
		return r.draftPoolIn(ctx, by, in.In(parent), plan, at)
	})
}

func (r *Registry) draftPoolIn(ctx context.Context, by ipam.Caller, in ipam.NewPool, plan ipam.Plan, at home) (ipam.Pool, error) {
	p := in.Pool()
	p, err := planned(ctx, r, by, p.Lane(), plan, func(c edit) (ipam.Pool, error) {
		if err := at(c); err != nil {
			return p, err
		}
		return c.draftPool(in, plan)
	})
	return p, in.Refused(err)
}

// draftPool makes, renews or refuses a draft.
func (c edit) draftPool(in ipam.NewPool, plan ipam.Plan) (ipam.Pool, error) {
	p, until := in.Pool(), plan.Until(c.At)
	p.DraftUntil, p.DraftPrincipal, p.DraftActor, p.DraftHolder = &until, c.By.UID, c.By.String(), plan.Holder
	p.DraftRun, p.DraftNamed = plan.Run, in.CIDR.IsValid()
	if plan.NewScope && p.Parent == "" { // below, a draft has one around it already
		if err := scope.Draft(c.Change, p.Scope, until); err != nil {
			return p, err
		}
	}
	p, kept, err := c.newPool(p, in)
	if err != nil {
		return p, err
	}
	if kept {
		return c.draftAgain(p, in, plan)
	}
	if _, inside, err := c.toEnclose(p, in); err != nil || len(inside) > 0 {
		if err == nil {
			p, err = c.draftAround(p)
		}
		return p, err
	}
	if p, err = c.placePool(p, in, plan); err != nil {
		return p, err
	}
	if err := c.addPool(p); err != nil {
		return p, err
	}
	if err := c.Record(poolObject(p), "drafted", nil, p); err != nil {
		return p, err
	}
	return p, c.rememberDraft(p, in, plan)
}

// draftAgain renews a draft, unless this plan was promised one of its name elsewhere. The caller holds its lock.
func (c edit) draftAgain(p ipam.Pool, in ipam.NewPool, plan ipam.Plan) (ipam.Pool, error) {
	draft, err := c.Tx.Pool(ipam.Everything, p.ID)
	if err != nil {
		return p, err
	}
	if in.Parent != "" && !in.CIDR.IsValid() {
		told, block, err := c.asks().Promised(draft.ParentUID, ipam.KindPool, p.Name, ipam.Family(draft.CIDR), draft.CIDR.Bits(), plan)
		if err != nil {
			return p, err
		}
		if told && block != draft.CIDR {
			return p, ipam.Errorf(ipam.CodeHoldLost, "this plan was promised %s for pool %q, and a newer one %s; plan again and apply that", block, p.ID, draft.CIDR)
		}
	}
	if p, err = c.adopt(p, "drafted"); err != nil {
		return p, err
	}
	if p.DraftEncloses {
		return c.keepAround(p)
	}
	p.DraftBefore, err = c.asks().Before(p.ParentUID, ipam.KindPool, p.Name, p.CIDR, draft.DraftRun, plan)
	return p, cmp.Or(err, c.rememberDraft(p, in, plan))
}

// rememberDraft keeps what a plan was promised that did not name a CIDR.
func (c edit) rememberDraft(p ipam.Pool, in ipam.NewPool, plan ipam.Plan) error {
	if in.Parent == "" || in.CIDR.IsValid() {
		return nil
	}
	return c.rememberPlan(p.ParentUID, ipam.KindPool, p.Name, p.CIDR, plan)
}

// ReleaseDraft gives up a draft with all that is held in it: anyone may. Errors: CodeNotFound, for a real pool too.
func (r *Registry) ReleaseDraft(ctx context.Context, by ipam.Caller, id string) error {
	draft, err := look(ctx, r, by, id, (*store.Tx).Pool)
	if err == nil && draft.DraftUntil == nil {
		err = ipam.Errorf(ipam.CodeNotFound, "pool %q is no draft; delete it as a pool", id)
	}
	if err != nil {
		return change.OrReplayMissing(ctx, r.k, by, err)
	}
	_, err = write(ctx, r, by, draft.Lane(), func(c edit) (struct{}, error) {
		draft, err := c.lockWithSpace(draft)
		if err = cmp.Or(err, c.May(draft.Around())); err != nil {
			return struct{}{}, err
		}
		if draft.DraftUntil == nil {
			return struct{}{}, ipam.Errorf(ipam.CodePreconditionFailed, "pool %q has been created meanwhile", id)
		}
		return struct{}{}, c.dropDraft(draft)
	})
	return err
}

// keepDraft locks the draft that is in the way of p, a new pool or draft of its id: true when it is what is asked for, and
// false when it was not and is dropped. A plan neither shares nor drops another's while that is promised; who creates the pool may. The draft was
// read before the lock, so that it may be anything by now.
func (c edit) keepDraft(known, p ipam.Pool, in ipam.NewPool) (bool, error) {
	draft, err := c.lockWithSpace(known)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return false, nil // dropped meanwhile
	}
	if err != nil {
		return false, err
	}
	if draft.DraftUntil == nil {
		return false, ipam.NameTaken("pool", draft.ID)
	}
	if p.DraftUntil != nil && !draft.Belongs(c.By.UID, p.DraftHolder) && c.Due.Before(*draft.DraftUntil) {
		return false, ipam.DraftedByOther(draft)
	}
	fits := in.Fits(draft)
	if fits && p.DraftUntil != nil {
		if fits, err = choose.EnclosesStill(c.Tx, draft); err != nil {
			return false, err
		}
	}
	if fits {
		return true, nil
	}
	if err := c.May(draft.Around()); err != nil {
		return false, err
	}
	return false, c.dropDraft(draft)
}

// adopt gives a draft its new settings: those of a later plan, or of the pool that it becomes. Its CIDR stays. The caller
// holds its lock.
func (c edit) adopt(p ipam.Pool, verb string) (ipam.Pool, error) {
	draft, err := c.Tx.Pool(ipam.Everything, p.ID)
	if err != nil {
		return p, err
	}
	if p, _, err = c.lockAround(p); err != nil { // a pool is in no draft
		return p, err
	}
	p = p.Adopts(draft)
	if longer := draft; p.DraftUntil != nil {
		longer.DraftUntil, longer.DraftRun, longer.DraftNamed, longer.Version, longer.UpdatedAt = p.DraftUntil, p.DraftRun, p.DraftNamed, p.Version, p.UpdatedAt
		if reflect.DeepEqual(longer, p) {
			longer.Version, longer.UpdatedAt = draft.Version, draft.UpdatedAt
			return longer, c.Tx.SetDraft(longer) // no event, as for a hold that is only renewed
		}
	}
	if err := p.Sizes.Check(p.CIDR); err != nil {
		return p, err
	}
	if err := c.Tx.UpdatePool(p, c.At); err != nil {
		return p, err
	}
	if err := c.Tx.SetDraft(p); err != nil {
		return p, err
	}
	if p.DraftUntil == nil {
		if err := cmp.Or(c.Tx.SetPrefixStatus(string(p.UID), ipam.StatusAllocated), c.Tx.ForgetShown(p.Space(), ipam.KindPool, p.Name, p.CIDR.Bits())); err != nil {
			return p, err
		}
	}
	return p, c.Record(poolObject(p), verb, draft, p)
}

// dropDraft removes a draft with all that was promised in it. The caller holds the lock of the space around it; what
// stands inside is only reached through that.
func (c edit) dropDraft(draft ipam.Pool) error {
	draft, err := c.Tx.LockPool(ipam.Everything, string(draft.UID))
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return nil // with another that needed it
	}
	if err != nil {
		return err
	}
	if draft.DraftUntil == nil {
		return ipam.Errorf(ipam.CodePreconditionFailed, "pool %q has been created meanwhile", draft.ID)
	}
	if draft.DraftGrows != "" {
		of, err := c.Tx.Pool(ipam.Everything, string(draft.DraftGrows))
		if err != nil {
			return err
		}
		if of.DraftEncloses { // that has lost what it was promised
			return c.dropDraft(of)
		}
	}
	if err := c.leaveBetween(draft, "draft_dropped"); err != nil {
		return err
	}
	if err := cmp.Or(c.dropHeld(draft), quarantine.LiftAll(c.Change, draft)); err != nil {
		return err
	}
	return c.removePool(draft, "draft_dropped")
}

// dropHeld removes every hold and draft in a pool, and what expired: what only plans know never blocks a person. What was
// promised is remembered beyond the pool.
func (c edit) dropHeld(pool ipam.Pool) error {
	if err := c.Tx.RememberHolds(pool.UID, c.At); err != nil {
		return err
	}
	inherit, err := c.Tx.Inheriting(pool.UID) // which have no prefix: what rests has it
	if err != nil {
		return err
	}
	for _, h := range inherit {
		if err := c.dropPromised(pool, h); err != nil {
			return err
		}
	}
	after := pool.CIDR.Addr().Prev()
	for {
		inside, err := c.Tx.PrefixesAfter(pool.UID, ipam.Family(pool.CIDR), after, 500)
		if err != nil {
			return err
		}
		for _, p := range inside {
			after = p.CIDR.Addr()
			var err error
			switch {
			case p.Kind == ipam.KindReservation:
				var reserved ipam.Reservation
				if reserved, err = c.Tx.Reservation(ipam.Everything, p.Owner); err == nil && reserved.Expired(c.Due) {
					err = c.endReservation(pool, reserved, "expired")
				}
			case p.Status != ipam.StatusHeld:
			case p.Kind == ipam.KindHold:
				var h ipam.Hold
				if h, err = c.Tx.Hold(ipam.Everything, p.Owner); err == nil {
					err = c.dropPromised(pool, h)
				}
			default:
				err = c.dropDraft(ipam.Pool{UID: ipam.UID(p.Owner)})
			}
			if err != nil {
				return err
			}
		}
		if len(inside) < 500 {
			return nil
		}
	}
}

// dropPromised removes a hold of a pool that goes, whose name has its block again where it is to be had.
func (c edit) dropPromised(pool ipam.Pool, h ipam.Hold) error {
	return cmp.Or(c.Tx.RememberBlock(pool.UID, ipam.KindAllocation, h.Name, h.CIDR, c.At), c.dropHold(pool, h, "released"))
}

// DropRootDrafts removes the drafts at the root of a scope. The change holds the scope's lock.
func (r *Registry) DropRootDrafts(in change.Change, of ipam.Scope) error {
	c := edit{Change: in, r: r}
	return change.EachPage(func(p ipam.Page) ([]ipam.Pool, error) {
		return c.Tx.Pools(ipam.Everything, ipam.PoolFilter{Scope: string(of.UID), Drafts: true}, p)
	}, func(p ipam.Pool) string { return string(p.UID) }, func(p ipam.Pool) error {
		if p.DraftUntil != nil && p.Parent == "" {
			return c.dropDraft(p)
		}
		return nil
	})
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
