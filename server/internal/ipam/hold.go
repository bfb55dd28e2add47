package ipam

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// HoldTTL is how long a hold is promised when the request does not say; HoldMemory how long it is remembered after that.
const (
	HoldTTL    = 24 * time.Hour
	MaxHoldTTL = 30 * 24 * time.Hour
	HoldMemory = 90 * 24 * time.Hour
)

// Hold is a plan-time promise: the block that (Pool, Name, length) gets when it is created. It expires softly: past
// ExpiresAt its space is used last, and only when it was used is the hold lost. The row then remembers what was promised,
// so that an apply of the old plan is told instead of silently given another block.
type Hold struct {
	ID string `json:"id"`
	In
	Name      string       `json:"name"`
	CIDR      netip.Prefix `json:"cidr"`
	Principal UID          `json:"principal"`
	Actor     string       `json:"actor"`              // the principal's name
	Holder    string       `json:"holder"`             // who asks besides the actor: a workspace, a pipeline
	Run       string       `json:"-"`                  // of the plan that asked for it last; not in events: every plan is another
	Named     bool         `json:"-"`                  // it was asked for by its CIDR
	Before    netip.Prefix `json:"-"`                  // in an answer to an apply: what an earlier plan of the name was shown, which it may be of
	Replaces  string       `json:"replaces"`           // the allocation that this one follows, whose name it may share
	Inherits  bool         `json:"inherits,omitempty"` // its block is that of something else, until that goes: of what it replaces, or of what the plan releases
	Kept      bool         `json:"kept"`               // false: lost
	Approval  UID          `json:"approval,omitempty"` // the request that it is kept for: then no later plan displaces it, and nobody releases it
	ExpiresAt time.Time    `json:"expires_at"`
	CreatedAt time.Time    `json:"created_at"`
	RenewedAt time.Time    `json:"renewed_at"`
}

// Expired reports whether the promise has run out; its space may still be there.
func (h Hold) Expired(at time.Time) bool { return !at.Before(h.ExpiresAt) }

// Belongs reports whether the hold is the caller's: of the same holder where both name one, whichever token asks, so that a
// pipeline may plan with one token and apply with another; of the same actor otherwise.
func (h Hold) Belongs(principal UID, holder string) bool {
	return same(h.Principal, principal, h.Holder, holder)
}

// Belongs reports whether a draft is the caller's, as of a hold.
func (p Pool) Belongs(principal UID, holder string) bool {
	return same(p.DraftPrincipal, principal, p.DraftHolder, holder)
}

// HasPrefix reports whether the hold itself takes its block.
func (h Hold) HasPrefix() bool { return h.Kept && !h.Inherits }

// OutdatedBy reports whether a hold gives way to what a plan needs: an earlier run of the same holder asked for it last, and
// this one plans. An apply displaces nothing, so that what a plan has shown is only taken by a newer plan.
func (h Hold) OutdatedBy(principal UID, p Plan) bool {
	return h.Approval == "" && p.outdates(principal, h.Principal, h.Holder, h.Run)
}

// OutdatedBy reports whether a draft gives way, as of a hold.
func (p Pool) OutdatedBy(principal UID, plan Plan) bool {
	return plan.outdates(principal, p.DraftPrincipal, p.DraftHolder, p.DraftRun)
}

// Displaces reports whether a plan may take what earlier runs of its holder were promised.
func (p Plan) Displaces() bool { return p.Run != "" && (p.Applying == nil || !*p.Applying) }

func (p Plan) outdates(principal, of UID, holder, run string) bool {
	return p.Displaces() && run != "" && run != p.Run && holder == p.Holder && (holder != "" || of == principal)
}

func same(principal, other UID, holder, otherHolder string) bool {
	if holder != "" && otherHolder != "" {
		return holder == otherHolder
	}
	return principal == other
}

// Plan says what a plan promises with: for how long, for whom, and whether the request comes from an apply.
type Plan struct {
	ID       string        // the same while a plan is made and while it is applied; "" when it does not name itself
	TTL      time.Duration // 0: HoldTTL
	Holder   string
	Run      string // one command that plans or applies; "" when the caller does not tell its runs apart
	Applying *bool  // nil: the caller cannot tell
	NewScope bool   // the plan creates the scope of the pool that it drafts
}

// Check refuses a TTL that cannot be meant.
func (p Plan) Check() error {
	if p.TTL != 0 && (p.TTL < time.Minute || p.TTL > MaxHoldTTL) {
		return Invalid("/ttl_seconds", "a hold lives %d seconds to %d; this one asks for %d", int(time.Minute.Seconds()), int(MaxHoldTTL.Seconds()), int(p.TTL.Seconds()))
	}
	return nil
}

// Until is when a promise made now runs out.
func (p Plan) Until(now time.Time) time.Time {
	if p.TTL == 0 {
		return now.Add(HoldTTL)
	}
	return now.Add(p.TTL)
}

// UntilIn is when a hold in a pool that is promised now runs out. In a draft it goes with the draft, so it promises no more than that.
func (p Plan) UntilIn(pool Pool, now time.Time) time.Time {
	end := p.Until(now)
	if pool.DraftUntil != nil && pool.DraftUntil.Before(end) {
		return *pool.DraftUntil
	}
	return end
}

// NewHold asks for a promise: like NewAllocation, without the description.
type NewHold struct {
	Pool     string        // "": by Selector
	Selector *PoolSelector // nil: Pool
	Name     string
	BlockSize
	Updates  string // of a member: the id of the set that the plan changes, whose member has the name
	Replaces string
	Meant    *Meant // what the allocation will say of itself; nil where the plan does not tell
	Plan     Plan
}

// CheckAll refuses what no pool could answer.
func (in NewHold) CheckAll() error {
	return errors.Join(CheckName("/name", in.Name), in.Plan.Check(), CheckPool(in.Pool, in.Selector))
}

const growth = "growth:"

// Renewed is the hold as a plan that asks for it at a time has it.
func (h Hold) Renewed(pool Pool, in NewHold, by Caller, at time.Time) Hold {
	if in.Plan.Run != "" {
		h.Run = in.Plan.Run
	}
	if in.Replaces != "" {
		h.Replaces = in.Replaces
	}
	if in.Plan.Holder != "" || h.Principal != by.UID {
		h.Holder = in.Plan.Holder
	}
	h.Kept, h.Principal, h.Actor, h.RenewedAt, h.Named, h.ExpiresAt = true, by.UID, by.String(), at, in.CIDR.IsValid(), in.Plan.UntilIn(pool, at)
	return h
}

// Same reports whether two states of a hold differ only in what every plan moves.
func (h Hold) Same(o Hold) bool {
	h.ExpiresAt, h.RenewedAt, h.Run, h.Named = o.ExpiresAt, o.RenewedAt, o.Run, o.Named
	return h == o
}

// GrowthHold is the name of what is held for an allocation to gain beside its block.
func GrowthHold(allocation string) string { return growth + allocation }

// GrowthOf is the allocation that a hold is for to grow; false when it is for none.
func (h Hold) GrowthOf() (string, bool) { return strings.CutPrefix(h.Name, growth) }

// Grows reports whether the hold is for an allocation to gain.
func (h Hold) Grows() bool { return strings.HasPrefix(h.Name, growth) }

// GrowthName is the name of a draft that a pool is to grow over: one that nobody can ask for.
func GrowthName(pool Pool, block netip.Prefix) string {
	return pool.Name + "~" + strings.NewReplacer("/", "-", ".", "-", ":", "-").Replace(block.String()) // a dot would part a scope from a name
}

const shrink = "shrink:"

// ShrinkHold is the name of what is held in a pool that is to give it up.
func ShrinkHold(pool UID) string { return shrink + string(pool) }

const leaving = "leaving:"

// LeavingHold is the name of what is held of a block that a plan releases, for what the same plan puts there.
func LeavingHold(cidr netip.Prefix) string { return leaving + cidr.String() }

// OfLeaving reports whether the hold is of a block that a plan releases.
func (h Hold) OfLeaving() bool { return strings.HasPrefix(h.Name, leaving) }

const rename = "rename:"

// RenameHold is the name of the promise that an allocation is to be called something: it is of the allocation's own block.
func RenameHold(name string) string { return rename + name }

// NewName is what an allocation is to be called; false when the hold is not about that.
func (h Hold) NewName() (string, bool) { return strings.CutPrefix(h.Name, rename) }

// OverOthers reports whether the hold promises a block that something else has still, and that is to go.
func (h Hold) OverOthers() bool {
	_, renames := h.NewName()
	return h.Inherits && !h.OfLeaving() && !renames
}

// OfBorder reports whether the hold is for the border of an allocation or a pool to move, or for a pool to stay in, and not for a
// new block.
func (h Hold) OfBorder() bool {
	_, encloses := h.Encloses()
	return encloses || h.Grows() || strings.HasPrefix(h.Name, shrink)
}

// For is how an error says what a hold is for: the name, or the allocation that is to grow, or the reservation.
func (h Hold) For() string {
	if id, grows := h.GrowthOf(); grows {
		return "the growth of allocation " + id
	}
	if of, is := ReservationOf(h.Name, h.CIDR); is && of != "" {
		return "the reservation " + strconv.Quote(of)
	}
	if strings.HasPrefix(h.Name, shrink) {
		return "what the pool gives up"
	}
	if name, renames := h.NewName(); renames {
		return "another name, " + strconv.Quote(name)
	}
	if h.OfLeaving() {
		return "what its plan puts where it releases something"
	}
	if pool, encloses := h.Encloses(); encloses {
		return "the enclosed pool " + string(pool)
	}
	return strconv.Quote(h.Name)
}
