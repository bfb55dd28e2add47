package choose

import (
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Asker is who asks for space, with what it may see and have: what gives way to it, what its plan was promised, what it leaves. It reads
// and decides, and takes nothing.
type Asker struct {
	Tx        *store.Tx
	At        time.Time // of the write
	Due       time.Time // by which what has an end has come to it
	Principal ipam.UID
	Actor     string // the principal's name
	Sees      ipam.Visible
	Quota     int       // how many blocks of a pool its promises may take; 0 is no limit
	Plan      ipam.Plan // that asks; zero when none does
	Moves     bool      // it may move what its own run was promised by size
}

// HoldLost says what became of a promise.
func (f Asker) HoldLost(h ipam.Hold) error {
	now, err := f.Tx.PrefixesIn(h.PoolUID, h.CIDR, 5)
	if err != nil {
		return err
	}
	pool, err := f.Tx.Pool(ipam.Everything, string(h.PoolUID))
	if err != nil {
		return err
	}
	return ipam.HoldLost(h, pool, now)
}

// MayRenew refuses to renew a hold that does not count against its caller yet, as WithinQuota does.
func (f Asker) MayRenew(pool ipam.Pool, h ipam.Hold) error {
	if !h.Expired(f.Due) && h.Principal == f.Principal {
		return nil
	}
	return f.WithinQuota(pool)
}

// WithinQuota refuses a new promise to an actor that keeps as many blocks of the pool as one may. Renewing is no new one.
func (f Asker) WithinQuota(pool ipam.Pool) error {
	most := f.Quota
	if most == 0 {
		return nil
	}
	held, err := f.Tx.CountHeld(pool.UID, f.Principal, f.Due, most)
	if err != nil || held < most {
		return err
	}
	return ipam.Errorf(ipam.CodeQuotaExceeded, "the plans of %s hold %d blocks of pool %s, and one token may hold %d; release the holds of plans that will not be applied, wait until they run out, or ask the operator for a larger CLOUDPAM_HOLD_QUOTA",
		f.Actor, held, pool.ID, most)
}

// SetNameFree refuses a name of a set that the pool has already.
func (f Asker) SetNameFree(pool ipam.Pool, name string) error {
	holder, taken, err := f.Tx.AllocationSetNamed(pool.UID, name)
	if err != nil || !taken {
		return err
	}
	e := ipam.Errorf(ipam.CodeNameTaken, "there is already an allocation set %q in pool %s: %s", name, pool.ID, holder.ID)
	e.Fields = []ipam.FieldError{{Pointer: "/name", Detail: e.Detail}}
	return e
}

// PlannedAfter reports whether a promise to any member of a set was made to replace another set.
func (f Asker) PlannedAfter(pool ipam.Pool, name, replaced string, wanted []Member) (bool, error) {
	for _, m := range wanted {
		h, found, err := f.Tx.HoldNamed(pool.UID, ipam.MemberName(name, m.Key), m.Length)
		if err != nil {
			return false, err
		}
		if found && h.Replaces == replaced && (!m.Size.CIDR.IsValid() || m.Size.CIDR == h.CIDR) {
			return true, nil
		}
	}
	return false, nil
}

// NewName is what the caller's plan will call an allocation; false when it keeps its name.
func (f Asker) NewName(a ipam.Allocation) (string, bool, error) {
	if a.Set != "" || a.Superseded {
		return "", false, nil
	}
	holds, err := f.Tx.HoldsFor(a.PoolUID, a.ID)
	for _, h := range holds {
		if name, renames := h.NewName(); renames && name != a.Name && h.Kept && !h.Expired(f.Due) && h.Belongs(f.Principal, f.Plan.Holder) {
			return name, true, err
		}
	}
	return "", false, err
}

// Leaves reports whether what is asked for is a hold of a block that the plan leaves and that is not released yet, or of an
// allocation that it gives another name.
func (f Asker) Leaves(pool ipam.Pool, in ipam.NewHold) (bool, error) {
	_, renames := ipam.Hold{Name: in.Name}.NewName()
	if !in.CIDR.IsValid() || !renames && in.Name != ipam.LeavingHold(in.CIDR) || in.Replaces == "" {
		return false, nil
	}
	there, err := f.Tx.PrefixesIn(pool.UID, in.CIDR, 1)
	if err != nil || len(there) == 0 || there[0].CIDR != in.CIDR || renames && there[0].Kind != ipam.KindAllocation {
		return false, err
	}
	if may, err := f.mayLeave(there[0]); !may {
		return false, err
	}
	if there[0].Owner == in.Replaces || renames || there[0].Kind != ipam.KindAllocation {
		return there[0].Owner == in.Replaces, nil
	}
	a, err := f.Tx.Allocation(ipam.Everything, there[0].Owner)
	return a.Set == in.Replaces, err
}

// IsLeft reports whether the caller's plan leaves what has a prefix.
func (f Asker) IsLeft(pool ipam.Pool, p ipam.Prefix) (bool, error) {
	if pool.UID == "" {
		return false, nil
	}
	h, found, err := f.Tx.HoldNamed(pool.UID, ipam.LeavingHold(p.CIDR), p.CIDR.Bits())
	if err != nil || !found || !h.Inherits || !f.LeftBy(h) {
		return false, err
	}
	if kept, err := f.keepsReleased(pool.UID); kept || err != nil {
		return false, err
	}
	return f.mayLeave(p)
}

// Promised is the block that a plan was promised: this very plan, when it names itself, else any that is being applied and
// whose hold or draft has gone with the draft around it. False when it was promised none, or nobody knows.
func (f Asker) Promised(space ipam.UID, kind ipam.Kind, name string, fam, length int, plan ipam.Plan) (bool, netip.Prefix, error) {
	if plan.ID != "" {
		block, told, err := f.Tx.Promised(space, kind, name, fam, length, plan.ID)
		if told || err != nil {
			return told, block, err
		}
	}
	if plan.Applying == nil || !*plan.Applying {
		return false, netip.Prefix{}, nil
	}
	block, told, err := f.Tx.Promised(space, kind, name, fam, length, "")
	return told, block, err
}

// Before is what an earlier plan of a name was shown, of which an apply may be that does not name its plan; zero when that is the block
// that it has, or when the run that applies planned it. Run is the one that asked for it last.
func (f Asker) Before(space ipam.UID, kind ipam.Kind, name string, at netip.Prefix, run string, plan ipam.Plan) (netip.Prefix, error) {
	if plan.ID != "" || PhaseOf(plan.Applying) != Applies || plan.Run != "" && plan.Run == run {
		return netip.Prefix{}, nil
	}
	before, err := f.Tx.Shown(space, kind, name, ipam.Family(at), at.Bits())
	if before == at {
		before = netip.Prefix{}
	}
	return before, err
}

// Told reports whether an apply was told that a hold is lost.
func (f Asker) Told(h ipam.Hold) (bool, error) {
	block, told, err := f.Tx.Promised(h.PoolUID, ipam.KindHold, h.Name, ipam.Family(h.CIDR), h.CIDR.Bits(), "")
	return told && block == h.CIDR, err
}

// Shown reports whether something is promised to this very run, which left its place to us.
func (f Asker) Shown(run string, named bool) bool {
	return f.Plan.Displaces() && run == f.Plan.Run && !named
}

// InOwnWay turns the refusal of a block into CodePlanAgain where only what this run was promised by size is in the way.
func (f Asker) InOwnWay(at netip.Prefix, standing []ipam.Prefix, refusal error) error {
	if !f.Plan.Displaces() || f.Moves {
		return refusal
	}
	for _, p := range standing {
		if p.Status != ipam.StatusHeld {
			return refusal
		}
		run, named, err := f.promisedTo(p)
		if err != nil {
			return err
		}
		if !f.Shown(run, named) {
			return refusal
		}
	}
	return ipam.ShownBefore(at, standing)
}

// promisedTo is the run that a hold or a draft is promised to, and whether it named the block.
func (f Asker) promisedTo(p ipam.Prefix) (run string, named bool, err error) {
	if p.Kind == ipam.KindHold {
		h, err := f.Tx.Hold(ipam.Everything, p.Owner)
		return h.Run, h.Named, err
	}
	draft, err := f.Tx.Pool(ipam.Everything, p.Owner)
	return draft.DraftRun, draft.DraftNamed, err
}

// SetNameFreeFor lets a plan have the name of the set that it changes or replaces. That it replaces it, the promises to its
// members remember, as that to an allocation does (nameFreeFor).
func (f Asker) SetNameFreeFor(pool ipam.Pool, in ipam.NewSetHolds, wanted []Member) error {
	living, taken, err := f.Tx.AllocationSetNamed(pool.UID, in.Name)
	if err != nil || !taken || living.ID == in.Updates || living.ID == in.Replaces {
		return err
	}
	planned, err := f.PlannedAfter(pool, in.Name, living.ID, wanted)
	if err != nil || planned {
		return err
	}
	return f.SetNameFree(pool, in.Name)
}

// Growth lists the drafts that a pool is to grow over by the plan that asks. Those of a plan that was thrown away are none: the pool
// may stay as it is. An apply comes by the name of what its plan was promised, whichever run that was.
func (f Asker) Growth(pool ipam.Pool) ([]ipam.Pool, error) {
	if pool.DraftUntil != nil {
		return nil, nil // it has that space already
	}
	drafts, err := f.Tx.GrowthOf(pool.UID)
	own := drafts[:0]
	for _, d := range drafts {
		if d.Belongs(f.Principal, f.Plan.Holder) && (!f.Plan.Displaces() || d.DraftRun == f.Plan.Run) {
			own = append(own, d)
		}
	}
	return own, err
}
