package ipam

import (
	"net/netip"
	"time"
)

// RealPool hides a draft, which only a plan knows: to everybody else there is no such pool.
func RealPool(p Pool, err error) (Pool, error) {
	if err == nil && p.DraftUntil != nil {
		return Pool{}, Errorf(CodeNotFound, "there is no pool %q", p.ID)
	}
	return p, err
}

// RealScope hides a draft, as RealPool does.
func RealScope(s Scope, err error) (Scope, error) {
	if err == nil && s.DraftUntil != nil {
		return Scope{}, Errorf(CodeNotFound, "there is no scope %q", s.ID)
	}
	return s, err
}

// Adopts is a draft or a pool that is asked for, in place of the draft of its name: that one's key and CIDR are its own.
func (p Pool) Adopts(draft Pool) Pool {
	if p.DraftUntil != nil && draft.DraftUntil.After(*p.DraftUntil) {
		p.DraftUntil = draft.DraftUntil // a promise is never cut short
	}
	if p.DraftHolder == "" && p.DraftPrincipal == draft.DraftPrincipal {
		p.DraftHolder = draft.DraftHolder
	}
	if p.DraftUntil != nil && p.DraftRun == "" {
		p.DraftRun = draft.DraftRun
	}
	p.DraftEncloses = draft.DraftEncloses
	p.UID, p.CIDR, p.CreatedAt, p.Version = draft.UID, draft.CIDR, draft.CreatedAt, draft.Version+1
	return p
}

// Growth is the draft of a block that a plan keeps for the pool to grow over.
func (p Pool) Growth(block netip.Prefix, by Caller, plan Plan, now time.Time) Pool {
	until := plan.Until(now)
	d := Pool{
		UID: NewUID("pool"), Scope: p.Scope, ScopeUID: p.ScopeUID, Name: GrowthName(p, block), Parent: p.Parent, ParentUID: p.ParentUID, CIDR: block,
		Strategy: p.Strategy, Sizes: p.Sizes, Details: Details{Labels: Labels{}}, Version: 1, CreatedAt: now, UpdatedAt: now,
		DraftUntil: &until, DraftPrincipal: by.UID, DraftActor: by.String(), DraftHolder: plan.Holder, DraftRun: plan.Run, DraftNamed: true, DraftGrows: p.UID,
	}
	d.ID = PoolID(d.Scope, d.Name)
	return d
}
