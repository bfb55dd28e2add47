package registry

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// PromiseSet answers a plan that makes or changes a set: the block of each member as it will be, all or none. A member that
// stays answers its own block; every other is promised one as Promise does, under the name that it will have. Errors: those
// of Promise; one about a member points to it, and losses are told together.
func (r *Registry) PromiseSet(ctx context.Context, by ipam.Caller, in ipam.NewSetHolds) (ipam.SetPlan, error) {
	if err := in.Check(); err != nil {
		return ipam.SetPlan{}, err
	}
	if in.Updates != "" {
		known, err := look(ctx, r, by, in.Updates, (*store.Tx).AllocationSet)
		switch {
		case err != nil:
			return change.OrReplay[ipam.SetPlan](ctx, r.k, by, err) // promised to this very request, and released since
		case in.Pool != "" && in.Pool != known.Pool:
			return ipam.SetPlan{}, ipam.Invalid("/pool", "the allocation set %s is in pool %s; a set does not move", known.ID, known.Pool)
		}
		in.Pool, in.Selector = known.Pool, nil
	}
	if in.Selector == nil {
		return r.promiseSetIn(ctx, by, in, anyHome)
	}
	if err := in.CheckFor(in.Selector.Family); err != nil {
		return ipam.SetPlan{}, err
	}
	s, err := choose.Set(*in.Selector, in.Name, in.SetSizes)
	if err != nil {
		return ipam.SetPlan{}, err
	}
	s.Replaces, s.Plan = in.Replaces, &in.Plan
	return chosen(ctx, r, by, s, func(pool string, at home) (ipam.SetPlan, error) {
		in.Pool = pool
		return r.promiseSetIn(ctx, by, in, at)
	})
}

func (r *Registry) promiseSetIn(ctx context.Context, by ipam.Caller, in ipam.NewSetHolds, at home) (ipam.SetPlan, error) {
	var asked []ipam.NewHold
	promised, err := planned(ctx, r, by, in.Pool, in.Plan, func(c edit) (promised ipam.SetPlan, err error) {
		if err := at(c); err != nil {
			return promised, err
		}
		pool, err := c.lockFor(in.Pool)
		if err != nil {
			return promised, err
		}
		promised, asked, err = c.promiseSet(pool, in)
		return promised, err
	})
	if ipam.CodeOf(err) != ipam.CodeHoldLost {
		return promised, err
	}
	return promised, r.tell(ctx, by, in.Pool, in.Plan, asked, err)
}

// promiseSet promises the blocks of a set, and says what it asked for. The caller holds the pool's lock.
func (c edit) promiseSet(pool ipam.Pool, in ipam.NewSetHolds) (plan ipam.SetPlan, asked []ipam.NewHold, err error) {
	plan.Pool = pool.ID
	wanted, err := choose.Members(c.Tx, pool, in.Name, in.SetSizes)
	if err != nil {
		return plan, nil, err
	}
	if err := c.asks().SetNameFreeFor(pool, in, wanted); err != nil {
		return plan, nil, err
	}
	var has []ipam.Allocation
	if in.Updates != "" {
		if set, err := c.Tx.AllocationSet(c.By.Sees(), in.Updates); err != nil || set.PoolUID != pool.UID {
			return plan, nil, cmp.Or(err, error(ipam.NoSuch("allocation set", in.Updates))) // released since it was looked up
		}
		if has, err = c.Tx.MembersOfSet(in.Updates); err != nil {
			return plan, nil, err
		}
	}
	to, err := in.Renamed.Of(has, in.SetSizes)
	if err != nil {
		return plan, nil, err
	}
	has = ipam.Rekeyed(has, in.Name, to)
	for _, key := range to { // which an allocation of its own may have
		if err := c.nameFreeFor(pool, ipam.NewHold{Name: ipam.MemberName(in.Name, key), Updates: in.Updates}, ipam.Hold{}); err != nil {
			return plan, nil, ipam.At("/renamed/"+key, err)
		}
	}
	was := map[string]string{}
	for _, a := range has {
		was[a.SetKey] = a.ID
	}
	stay, fresh, _ := choose.Sort(has, wanted)
	var lost []*ipam.Error
	promise := func(key string, ask ipam.NewHold) (ipam.Hold, error) {
		asked = append(asked, ask)
		h, err := c.promise(pool, ask)
		loss, ok := errors.AsType[*ipam.Error](in.At(key, err))
		switch {
		case !ok:
			return h, err
		case loss.Code == ipam.CodeHoldLost: // told with all others
			lost = append(lost, loss)
			return h, nil
		default:
			return h, loss
		}
	}
	for _, s := range stay {
		plan.Members = append(plan.Members, ipam.PlannedMember{Key: s.SetKey, CIDR: s.To, Allocation: s.ID})
		if s.To == s.CIDR {
			continue
		}
		if err := pool.Allow(s.To.Bits()); err != nil {
			return plan, asked, in.At(s.SetKey, err)
		}
		gained, err := c.gains(pool, s, in.Plan)
		if err != nil {
			return plan, asked, err
		}
		for _, ask := range gained {
			if _, err := promise(s.SetKey, ask); err != nil {
				return plan, asked, err
			}
		}
	}
	for _, m := range fresh {
		ask := in.Hold(m.Key, m.Size)
		a, adopts, err := choose.Adoptable(c.Tx, pool, ask.Name, m, in.Adopt)
		switch {
		case adopts: // should somebody release it before the apply, the hold inherits its block
			ask.BlockSize, ask.Replaces, ask.Updates = ipam.BlockSize{CIDR: a.CIDR}, a.ID, ""
		case in.Updates != "":
			ask.Replaces = was[m.Key]
		}
		if err == nil && in.Adopt && !adopts {
			err = c.adopted(pool, m, ask)
		}
		if err != nil {
			return plan, asked, in.At(m.Key, err)
		}
		h, err := promise(m.Key, ask)
		if err != nil {
			return plan, asked, err
		}
		plan.Members = append(plan.Members, ipam.PlannedMember{Key: m.Key, CIDR: h.CIDR, Hold: h.ID, Allocation: a.ID, Before: h.Before})
	}
	slices.SortFunc(plan.Members, func(a, b ipam.PlannedMember) int { return strings.Compare(a.Key, b.Key) })
	return plan, asked, ipam.Losses(lost)
}

// adopted tells an apply that an allocation which its plan was to adopt has been released since: the plan may have shown its id. A new
// plan is promised a block for a member of its own.
func (c edit) adopted(pool ipam.Pool, m choose.Member, ask ipam.NewHold) error {
	h, found, err := c.Tx.HoldNamed(pool.UID, ask.Name, m.Length)
	if err != nil || !found || ipam.KeyOf("alloc", h.Replaces) == 0 || h.Replaces == ask.Replaces {
		return err
	}
	if _, err := c.Tx.Allocation(ipam.Everything, h.Replaces); ipam.CodeOf(err) != ipam.CodeNotFound {
		return err
	}
	if ask.Plan.Applying != nil && *ask.Plan.Applying {
		return ipam.Errorf(ipam.CodeHoldLost, "the allocation %s, which the set was to adopt as %q, has been released; plan again", h.Replaces, ask.Name)
	}
	return c.dropHold(pool, h, "released")
}

// gains is what to hold for a member so that it can grow around its block, each for the member and not under its name, which
// is for a successor. One that an earlier plan of the caller's was promised is not in the way of it.
func (c edit) gains(pool ipam.Pool, s choose.Staying, plan ipam.Plan) ([]ipam.NewHold, error) {
	rest, grows := alloc.Border(s.CIDR, s.To)
	if !grows {
		return nil, nil
	}
	successors, err := c.Tx.HoldsFor(pool.UID, s.ID)
	if err != nil {
		return nil, err
	}
	for _, h := range successors {
		if h.Name == s.Name && h.Belongs(c.By.UID, plan.Holder) {
			if err := c.dropHold(pool, h, "released"); err != nil {
				return nil, err
			}
		}
	}
	var holds []ipam.NewHold
	for _, b := range rest {
		holds = append(holds, ipam.NewHold{Pool: pool.ID, Name: ipam.GrowthHold(s.ID), BlockSize: ipam.BlockSize{CIDR: b}, Replaces: s.ID, Plan: plan})
	}
	return holds, nil
}
