package approval

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Decided is the answer to one decision.
type Decided struct {
	Approval ipam.Approval
	Err      error
}

// Decide decides requests, each by itself: one that cannot be decided does not touch the others. Who decides is a person, admin of the pool
// whose policy asks, and not who asked. Errors of each: CodeNotFound, CodeForbidden, CodeInvalid, CodePreconditionFailed where it was shown
// otherwise or is decided already.
func (d *Desk) Decide(ctx context.Context, by ipam.Caller, decisions []ipam.Decision) []Decided {
	out := make([]Decided, len(decisions))
	for i, one := range decisions {
		a, err := d.decide(ctx, by.OneOf(i), one)
		if err == nil && a.Emergency && one.Approve {
			d.log.WarnContext(ctx, "the first token approved a change in place of a second person", "request_id", by.RequestID, "approval", a.ID, "asked_by", a.Actor, "reason", a.Comment, "remote", by.Address)
		}
		out[i] = Decided{d.shown(a), ipam.Below(fmt.Sprintf("/decisions/%d", i), err)}
	}
	return out
}

func (d *Desk) decide(ctx context.Context, by ipam.Caller, in ipam.Decision) (ipam.Approval, error) {
	if !in.Approve && in.Comment == "" {
		return ipam.Approval{}, ipam.Invalid("/comment", "a refusal says why, so that who asked knows what would do")
	}
	return d.change(ctx, by, in.ID, func(c change.Change, known ipam.Approval) (ipam.Approval, error) {
		emergency, err := d.mayDecide(c, known, in.Approve)
		if err != nil {
			return known, err
		}
		if in.Digest != known.Digest {
			return known, ipam.Errorf(ipam.CodePreconditionFailed, "%s is not what you were shown: its digest is %s; read it again", known.ID, known.Digest)
		}
		switch now := known.At(c.At); {
		case now.Status == ipam.ApprovalPending, now.Status == ipam.ApprovalApproved && !in.Approve:
		default:
			return known, ipam.Errorf(ipam.CodePreconditionFailed, "%s is %s already; there is nothing to decide", known.ID, now.Status)
		}
		after := known
		after.Decider, after.DecidedBy, after.DecidedAt, after.Comment = c.By.UID, c.By.String(), &c.At, in.Comment
		if !in.Approve {
			after.Status = ipam.ApprovalRefused
			if err := c.ChangeApproval(known, after, "refused"); err != nil {
				return known, err
			}
			return after, free(c, after)
		}
		after.Status, after.Emergency = ipam.ApprovalApproved, emergency
		if longer := c.At.Add(d.TTL); after.Until.Before(longer) {
			after.Until = longer
		}
		if err := c.ChangeApproval(known, after, "approved"); err != nil {
			return known, err
		}
		return after, keep(c, after)
	})
}

// mayDecide refuses who may not decide a request, and reports whether he does it in place of a second person.
func (d *Desk) mayDecide(c change.Change, a ipam.Approval, approve bool) (emergency bool, err error) {
	for _, n := range a.Blocks {
		if err := c.May(n.Of); err != nil {
			return false, err
		}
	}
	switch {
	case c.By.Kind == "token" && c.By.Name == ipam.Bootstrap:
		if from := a.CreatedAt.Add(d.Delay); approve && c.At.Before(from) {
			return false, ipam.Errorf(ipam.CodeForbidden, "the first token stands in for a second person, and only from %s on; until then %s decides", from.Format(time.RFC3339), a.Deciders())
		}
		return true, nil
	case c.By.Kind != "user":
		return false, ipam.Errorf(ipam.CodeForbidden, "only a person decides, signed in by an issuer, and %s is a %s; %s decides", c.By, c.By.Kind, a.Deciders())
	case c.By.UID == a.Requester:
		return false, ipam.Errorf(ipam.CodeForbidden, "you asked for this yourself; %s decides", a.Deciders())
	}
	made, err := madeBy(c.Tx, a.Requester)
	if err == nil && made == c.By.UID {
		err = ipam.Errorf(ipam.CodeForbidden, "you made %s, which asked for this; somebody else decides who is admin there", a.Actor)
	}
	return false, err
}

// madeBy is who made the token that a principal is; "" of others. A token that somebody makes for himself is no second person.
func madeBy(tx *store.Tx, principal ipam.UID) (ipam.UID, error) {
	p, err := tx.Principal(principal)
	if err != nil || p.Kind != "token" {
		return "", err
	}
	made, err := tx.Events(ipam.Everything, ipam.EventFilter{Object: string(ipam.KeyUID("token", principal.Key())), Action: "token.created"}, ipam.Page{Limit: 1})
	if err != nil || len(made) == 0 {
		return "", err
	}
	return made[0].Principal, nil
}

// Withdraw ends a request of the caller's own, with what is held for it. Errors: CodeNotFound, CodeForbidden, CodePreconditionFailed.
func (d *Desk) Withdraw(ctx context.Context, by ipam.Caller, id string) (ipam.Approval, error) {
	a, err := d.change(ctx, by, id, func(c change.Change, known ipam.Approval) (ipam.Approval, error) {
		if c.By.UID != known.Requester {
			return known, ipam.Errorf(ipam.CodeForbidden, "%s asked for this, and only that one withdraws it; who may decide may refuse it", known.Actor)
		}
		if now := known.At(c.At); !now.Open() {
			return known, ipam.Errorf(ipam.CodePreconditionFailed, "%s is %s already", known.ID, now.Status)
		}
		after := known
		after.Status = ipam.ApprovalWithdrawn
		if err := c.ChangeApproval(known, after, "withdrawn"); err != nil {
			return known, err
		}
		return after, free(c, after)
	})
	return d.shown(a), err
}

// change changes a request that the caller sees, under the lock of its pool.
func (d *Desk) change(ctx context.Context, by ipam.Caller, id string, body func(change.Change, ipam.Approval) (ipam.Approval, error)) (ipam.Approval, error) {
	known, err := change.Get(ctx, d.k, func(tx *store.Tx) (ipam.Approval, error) { return tx.Approval(by.Sees(), id) })
	if err != nil {
		return known, err
	}
	return change.Write(ctx, d.k, by, known.Pool, func(c change.Change) (ipam.Approval, error) {
		if known.Open() { // one that is not may be of a pool that is gone
			if _, err := c.Tx.LockPool(ipam.Everything, string(known.PoolUID)); err != nil && ipam.CodeOf(err) != ipam.CodeNotFound {
				return known, err
			}
		}
		now, err := c.Tx.Approval(ipam.Everything, id)
		if err != nil {
			return now, err
		}
		return body(c, now)
	})
}

// Expire ends requests that nobody decided in time, and approvals that nobody used, and reports of how many.
func (d *Desk) Expire(ctx context.Context) (ended int64, err error) {
	due, by := d.k.Due(), ipam.System("expire-approvals")
	for _, status := range []ipam.ApprovalStatus{ipam.ApprovalPending, ipam.ApprovalApproved} {
		n, err := change.Sweep(ctx, d.k, func(tx *store.Tx, n int) ([]ipam.Approval, error) { return tx.OverApprovals(status, due, n) },
			func(a ipam.Approval) string { return string(a.ID) }, func(a ipam.Approval) (did bool, err error) {
				_, err = d.change(ctx, by, string(a.ID), func(c change.Change, now ipam.Approval) (ipam.Approval, error) {
					if did = now.Open() && !due.Before(now.Until); !did {
						return now, nil // decided meanwhile
					}
					after := now
					after.Status = ipam.ApprovalExpired
					if err := c.ChangeApproval(now, after, "expired"); err != nil {
						return now, err
					}
					return after, free(c, after)
				})
				return did, err
			})
		ended += n
		if err != nil {
			return ended, err
		}
	}
	return ended, nil
}
