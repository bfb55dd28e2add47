package change

import (
	"context"
	"errors"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/policy"
)

// review gathers what of a write needs approval while its events are recorded. At the end of the body it is one question.
type review struct {
	action, target string // of the first
	needs          []ipam.Needed
	actions        []string // of all events so far
}

// File asks for an approval that a write was refused for want of: it holds the blocks, stores the request, and answers the refusal with it.
// What it cannot hold is its error.
type File func(ctx context.Context, by ipam.Caller, refusal *ipam.Error) error

// Try runs a part of a write as Tx.Try does. A part that is refused needs no approval either.
func (c Change) Try(part func() error) error {
	before := *c.review
	err := c.Tx.Try(part)
	if err != nil {
		*c.review = before
	}
	return err
}

// note adds what a change of an object needs approval for. What only plans know needs none: its apply asks.
func (c Change) note(action string, before, after any) error {
	if c.review == nil || planned(after) {
		return nil
	}
	if err := c.noteReleased(action, before, after); err != nil {
		return err
	}
	f, judged := policy.Of(after)
	if !judged {
		return nil
	}
	was, stood := policy.Standing(before)
	needs, err := c.Needs(f, was, stood)
	if err != nil || len(needs) == 0 {
		return err
	}
	id, version, name, set := standing(before, after)
	for i := range needs {
		needs[i].Set = set
		if stood {
			needs[i].ID, needs[i].Version = id, version
		}
	}
	c.review.add(action, f, name, needs)
	return nil
}

// noteReleased adds what a change needs approval for because it gives up space: a release, a deletion, a smaller block, the early end of a
// quarantine. What the server ends by itself came to its end, and nobody is asked.
func (c Change) noteReleased(action string, before, after any) error {
	was, stood := policy.Standing(before)
	if q, is := before.(ipam.Quarantine); is {
		was, stood = policy.Quarantine(q), action == "quarantine.released"
	}
	if !stood || c.By.UID == ipam.SystemPrincipalUID {
		return nil
	}
	left := was.CIDR
	if now, still := policy.Of(after); still {
		if left = now.CIDR; left.Bits() <= was.CIDR.Bits() && left.Contains(was.CIDR.Addr()) {
			return nil
		}
	}
	chain, err := c.Policies(was.In)
	if err != nil {
		return err
	}
	id, version, name, set := standing(before, before)
	needs := chain.Released(was, left)
	for i := range needs {
		needs[i].Set, needs[i].ID, needs[i].Version = set, id, version
	}
	c.review.add(action, was, name, needs)
	return nil
}

// add adds needs of one object. The first of a write says what the whole is about.
func (r *review) add(action string, of policy.Facts, name string, needs []ipam.Needed) {
	if len(r.needs) == 0 {
		r.action, r.target = action, strings.Join([]string{string(of.PoolUID), string(of.Kind), name}, " ")
	}
	r.needs = append(r.needs, needs...)
}

// planned reports whether a state is one that only a plan knows.
func planned(state any) bool {
	if p, is := state.(ipam.Pool); is {
		return p.DraftUntil != nil
	}
	_, is := state.(ipam.Hold)
	return is
}

// standing is the key of an object and its version before a change, and what it is called: of a member, as its set is, which is named too.
func standing(before, after any) (id string, version int64, name, set string) {
	switch a := after.(type) {
	case ipam.Allocation:
		id, name, set = a.ID, a.Name, a.Set
		if a.Set != "" {
			name = strings.TrimSuffix(name, "/"+a.SetKey)
		}
	case ipam.Pool:
		id, name = string(a.UID), a.Name
	case ipam.Quarantine:
		id, name = a.ID, a.Name
	}
	switch b := before.(type) {
	case ipam.Allocation:
		version = b.Version
	case ipam.Pool:
		version = b.Version
	}
	return id, version, name, set
}

// Needs are the blocks for which the policies around a place ask a second person. The caller holds the lock of its pool, or only forecasts.
func (c Change) Needs(f, was policy.Facts, stood bool) ([]ipam.Needed, error) {
	chain, err := c.Policies(f.In)
	if err != nil || len(chain) == 0 {
		return nil, err
	}
	var above []ipam.UID
	for _, p := range chain {
		if len(p.Rules.ApprovalGroups) > 0 {
			if above, err = c.Tx.PoolsAbove(f.PoolUID); err != nil {
				return nil, err
			}
			break
		}
	}
	return chain.Needs(f, was, stood, func(g ipam.ApprovalGroup) bool { return c.By.InGroup(g, f.In, above) }), nil
}

// settle ends a write: what it needs approval for was approved, to this caller and in this very form, and that is used up with it.
// Errors: CodeApprovalRequired, CodeApprovalRefused.
func (c Change) settle() error {
	if len(c.review.needs) == 0 {
		return nil
	}
	a := ipam.Approval{
		In: c.review.needs[0].In, Requester: c.By.UID, Actor: c.By.String(), Action: c.review.action, Target: c.review.target,
		Blocks: c.review.needs, Digest: ipam.DigestOf(c.review.action, c.review.needs), Reason: c.By.Reason, Source: c.By.Source,
	}
	known, found, err := c.Tx.ApprovalAbout(a.Requester, a.Target)
	if err != nil {
		return err
	}
	if !found || known.Digest != a.Digest || !c.At.Before(known.Until) {
		return ipam.ApprovalRequired(a)
	}
	switch known.Status {
	case ipam.ApprovalApproved:
		after := known
		after.Status = ipam.ApprovalUsed
		return c.ChangeApproval(known, after, "used")
	case ipam.ApprovalRefused:
		return ipam.ApprovalWasRefused(known)
	case ipam.ApprovalPending:
		return ipam.ApprovalRequired(known)
	}
	return ipam.ApprovalRequired(a)
}

// ChangeApproval writes a request that is another than before, with its event. The caller holds the lock of its pool.
func (c Change) ChangeApproval(before, after ipam.Approval, verb string) error {
	after.Version, after.UpdatedAt = before.Version+1, c.At
	if err := c.Tx.UpdateApproval(after); err != nil {
		return err
	}
	return c.Record(ApprovalObject(after), verb, before, after)
}

// ApprovalObject is a request, in the chain of its pool.
func ApprovalObject(a ipam.Approval) Object {
	return Object{Kind: "approval", ID: string(a.ID), Space: a.PoolUID, Scope: a.Scope, ScopeUID: a.ScopeUID}
}

// EndIn ends what is kept for a pool that ends: what waits for approval in it, and its policy.
func (c Change) EndIn(pool ipam.Pool) error {
	open, err := c.Tx.OpenApprovals(pool.UID)
	if err != nil {
		return err
	}
	for _, a := range open {
		after := a
		after.Status = ipam.ApprovalSuperseded
		if err := c.ChangeApproval(a, after, "superseded"); err != nil {
			return err
		}
	}
	return c.EndPolicy(pool)
}

// ask files what a write was refused for want of, unless somebody asks already.
func (k *Kernel) ask(ctx context.Context, by ipam.Caller, err error) error {
	refusal, is := errors.AsType[*ipam.Error](err)
	if !is || refusal.Code != ipam.CodeApprovalRequired || refusal.Approval == nil || k.File == nil {
		return err
	}
	return k.File(ctx, by, refusal)
}
