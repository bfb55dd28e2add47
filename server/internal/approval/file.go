package approval

import (
	"context"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// mostHeld is for how many blocks of one request something is held. A request of more, which is an adoption, is of blocks that clouds show.
const mostHeld = 64

// file asks for what a change was refused for want of. The blocks are held first, each in a transaction of its own: where one cannot be,
// nothing is asked for. One that is left held when the server ends in between expires with its time.
func (d *Desk) file(ctx context.Context, by ipam.Caller, refusal *ipam.Error) error {
	a := *refusal.Approval
	if a.ID != "" {
		return ipam.ApprovalRequired(d.shown(a))
	}
	by.Retry = nil // of the change, which is sent again
	if len(a.Blocks) <= mostHeld {
		for _, n := range a.Blocks {
			if n.Releases() { // which has its block until then
				continue
			}
			if err := d.hold(ctx, by, n); err != nil {
				return err
			}
		}
	}
	filed, err := change.Write(ctx, d.k, by, a.Pool, func(c change.Change) (ipam.Approval, error) {
		if _, err := c.Tx.LockPool(ipam.Everything, string(a.PoolUID)); err != nil {
			return a, err
		}
		known, found, err := c.Tx.ApprovalAbout(a.Requester, a.Target)
		if err != nil {
			return a, err
		}
		if found && known.Open() {
			if known.Digest == a.Digest && c.At.Before(known.Until) {
				return known, nil // by the same caller, at the same moment
			}
			if err := supersede(c, known); err != nil {
				return a, err
			}
		}
		a.ID, a.Status, a.Until, a.Version, a.CreatedAt, a.UpdatedAt = ipam.NewUID("approval"), ipam.ApprovalPending, c.At.Add(d.TTL), 1, c.At, c.At
		if err := c.Tx.InsertApproval(a); err != nil {
			return a, err
		}
		if err := c.Record(change.ApprovalObject(a), "requested", nil, a); err != nil {
			return a, err
		}
		return a, keep(c, a)
	})
	if err != nil {
		return err
	}
	return ipam.ApprovalRequired(d.shown(filed))
}

// supersede ends an open request, in place of which something else is asked for, or nothing, where its time is over.
func supersede(c change.Change, known ipam.Approval) error {
	after, verb := known, "superseded"
	if after.Status = ipam.ApprovalSuperseded; known.At(c.At).Status == ipam.ApprovalExpired {
		after.Status, verb = ipam.ApprovalExpired, "expired"
	}
	if err := c.ChangeApproval(known, after, verb); err != nil {
		return err
	}
	return free(c, after)
}

// hold holds a block for a request until its time is over, as a plan would. What a plan was promised already is kept when the request is stored.
// The block of a restore is in quarantine, and that of a pool which encloses others is theirs.
func (d *Desk) hold(ctx context.Context, by ipam.Caller, n ipam.Needed) error {
	known, taken, err := d.standing(ctx, n)
	if err != nil || taken {
		return err
	}
	plan := ipam.Plan{TTL: max(d.TTL, time.Minute), Holder: known.Holder}
	switch {
	case n.Kind == ipam.KindPool && n.ID == "":
		_, err = d.r.DraftPool(ctx, by, ipam.NewPool{Scope: n.Scope, Name: n.Name, Parent: n.Pool, CIDR: n.CIDR}, plan)
	case n.Kind == ipam.KindPool && n.Was.Contains(n.CIDR.Addr()) || n.Kind == ipam.KindPool && n.CIDR.Contains(n.Was.Addr()):
		_, err = d.r.PlanPool(ctx, by, n.ID, ipam.PoolPatch{CIDR: &n.CIDR}, plan)
	case n.Kind == ipam.KindPool: // it moves, and stands where it is until then
	case n.ID == "":
		err = d.promise(ctx, by, ipam.NewHold{Pool: n.Pool, Name: n.Name, BlockSize: ipam.BlockSize{CIDR: n.CIDR}, Updates: n.Set, Plan: plan})
	default:
		rest, _ := alloc.Border(n.Was, n.CIDR)
		for _, block := range rest {
			if err == nil {
				err = d.promise(ctx, by, ipam.NewHold{Pool: n.Pool, Name: ipam.GrowthHold(n.ID), BlockSize: ipam.BlockSize{CIDR: block}, Replaces: n.ID, Plan: plan})
			}
		}
	}
	return err
}

func (d *Desk) promise(ctx context.Context, by ipam.Caller, in ipam.NewHold) error {
	_, err := d.r.Promise(ctx, by, in)
	return err
}

// standing reports whether a new block is there for the request without a hold of its own, and otherwise the hold of its name.
func (d *Desk) standing(ctx context.Context, n ipam.Needed) (held ipam.Hold, taken bool, err error) {
	if n.ID != "" {
		return held, false, nil
	}
	_, err = change.Read(ctx, d.k, func(tx *store.Tx) (none struct{}, err error) {
		in, err := tx.PrefixesIn(n.PoolUID, n.CIDR, 1)
		if err != nil || len(in) == 0 {
			return none, err
		}
		if n.Kind == ipam.KindPool || in[0].Kind == ipam.KindQuarantine {
			taken = true
			return none, nil
		}
		if held, taken, err = tx.HoldNamed(n.PoolUID, n.Name, n.CIDR.Bits()); taken {
			taken = held.Kept && held.CIDR == n.CIDR
		}
		return none, err
	})
	return held, taken, err
}

// keep keeps what is held for a request until that is over: nobody releases it before, and no later plan displaces it.
func keep(c change.Change, a ipam.Approval) error {
	for _, n := range a.Blocks {
		if n.Releases() {
			continue
		}
		if n.Kind == ipam.KindPool {
			if err := keepDraft(c, a, n); err != nil {
				return err
			}
			continue
		}
		holds, err := holdsFor(c.Tx, n)
		if err != nil {
			return err
		}
		for _, h := range holds {
			if !h.Kept || !n.CIDR.Contains(h.CIDR.Addr()) {
				continue
			}
			after := h
			after.Approval = a.ID
			if after.ExpiresAt.Before(a.Until) {
				after.ExpiresAt = a.Until
			}
			if err := changeHold(c, h, after, "kept"); err != nil {
				return err
			}
		}
	}
	return nil
}

func holdsFor(tx *store.Tx, n ipam.Needed) ([]ipam.Hold, error) {
	if n.ID != "" {
		return tx.HoldsFor(n.PoolUID, n.ID)
	}
	h, found, err := tx.HoldNamed(n.PoolUID, n.Name, n.CIDR.Bits())
	if !found {
		return nil, err
	}
	return []ipam.Hold{h}, nil
}

// keepDraft moves the end of the draft that stands for a pool to come.
func keepDraft(c change.Change, a ipam.Approval, n ipam.Needed) error {
	draft, err := c.Tx.Pool(ipam.Everything, ipam.PoolID(n.Scope, n.Name))
	if ipam.CodeOf(err) == ipam.CodeNotFound || err == nil && (draft.DraftUntil == nil || draft.CIDR != n.CIDR || !draft.DraftUntil.Before(a.Until)) {
		return nil
	}
	if err != nil {
		return err
	}
	draft.DraftUntil = &a.Until
	return c.Tx.SetDraft(draft) // no event, as where a plan moves it
}

// free ends what is held for a request: its space is had by who needs it.
func free(c change.Change, a ipam.Approval) error {
	holds, err := c.Tx.HoldsOfApproval(a.ID)
	for _, h := range holds {
		if err != nil {
			break
		}
		after := h
		after.Approval, after.ExpiresAt = "", c.At
		err = changeHold(c, h, after, "freed")
	}
	return err
}

func changeHold(c change.Change, before, after ipam.Hold, verb string) error {
	if err := c.Tx.UpdateHold(after); err != nil {
		return err
	}
	if before.Same(after) {
		return nil
	}
	return c.Record(change.Object{Kind: "hold", ID: after.ID, Space: after.PoolUID, Scope: after.Scope, ScopeUID: after.ScopeUID}, verb, before, after)
}
