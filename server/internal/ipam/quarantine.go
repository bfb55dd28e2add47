package ipam

import (
	"fmt"
	"net/netip"
	"time"
)

const (
	// MaxQuarantine is the longest that a pool may ask for.
	MaxQuarantine = 90 * 24 * time.Hour
	// LeastQuarantine is what a block gets that nobody released: what a collector ends is never free at once, whatever the pool asks for.
	LeastQuarantine = time.Hour
	// QuarantineMemory is for how long a block whose quarantine has ended stands last in line: what was never used goes first.
	QuarantineMemory = 7 * 24 * time.Hour
)

// Cause says why a block is in quarantine.
type Cause string

// The causes.
const (
	CauseReleased Cause = "released" // its allocation was
	CauseExpired  Cause = "expired"  // its allocation came to its end
	CauseShrunk   Cause = "shrunk"   // its allocation gave it up and lives on
)

// Quarantine is a block that is not free yet, though nothing uses it any more. The same pool, name and length may have it back
// at any time, and the allocation that left it can be restored; to everybody else it is taken until its end, and then the last
// that is handed out. It stands where its addresses are: in the pool around when that of its allocation is deleted, and in a
// pool that is made around it.
type Quarantine struct {
	ID string `json:"id"`
	In
	Origin     UID          `json:"origin"`     // the pool that it was handed out of
	Allocation string       `json:"allocation"` // the id of who had it
	Name       string       `json:"name"`
	Owner      string       `json:"owner"`
	CIDR       netip.Prefix `json:"cidr"`
	Cause      Cause        `json:"cause"`
	Was        *Allocation  `json:"was,omitempty"` // who had it, at the end; nil when that lives on
	Until      time.Time    `json:"until"`
	CreatedAt  time.Time    `json:"created_at"`
}

// Ended reports whether the block may be handed out to anybody.
func (q Quarantine) Ended(at time.Time) bool { return !at.Before(q.Until) }

// Space is the key of the space that the block occupies.
func (q Quarantine) Space() UID { return q.Prefix().Space() }

// Prefix is how the block occupies its space.
func (q Quarantine) Prefix() Prefix {
	return Prefix{Owner: q.ID, In: q.In, CIDR: q.CIDR, Status: StatusQuarantined, Kind: KindQuarantine, Name: q.Name, CreatedAt: q.CreatedAt}
}

// Restorable reports whether the allocation that left the block can be brought back.
func (q Quarantine) Restorable() bool { return q.Was != nil && q.Origin == q.PoolUID }

// Belongs reports whether the block is that of a name in a pool, or of an allocation: they have it back. What an allocation gave up
// while it lives is its own alone, to grow back: it may have another name by now, and its old one another owner.
func (q Quarantine) Belongs(pool UID, name, allocation string) bool {
	return name != "" && q.Name == name && q.Origin == pool && q.Was != nil || allocation != "" && q.Allocation == allocation
}

// Extent is what the block is, for a role that is narrowed: nothing is said of the labels of what an allocation gave up that lives on.
func (q Quarantine) Extent() Extent {
	if q.Was == nil {
		return OfLabelled(q.CIDR.Bits(), nil)
	}
	return q.Was.Extent()
}

// Why says of a block in quarantine what it is, and how it can be had.
func (q Quarantine) Why() string {
	return fmt.Sprintf("%s is in quarantine until %s, since allocation %q left it: DELETE /api/v1/quarantines/%s makes it free now",
		q.CIDR, q.Until.Format(time.RFC3339), q.Name, q.ID)
}

// QuarantineFilter narrows a list of quarantines; zero fields are no rule.
type QuarantineFilter struct {
	Scope, Pool, Owner, Allocation string
	Family                         int
	Text                           string
	Around                         Around
}

// CheckQuarantine refuses a quarantine, in seconds, that no pool may ask for.
func CheckQuarantine(seconds *int64) error {
	if seconds == nil || *seconds >= 0 && *seconds <= int64(MaxQuarantine.Seconds()) {
		return nil
	}
	return Invalid("/quarantine_seconds", "a quarantine lasts 0 to %d seconds, which is 90 days; this one %d", int64(MaxQuarantine.Seconds()), *seconds)
}

// Restored is an allocation that left a pool, and comes back to it. An end that has passed is taken away.
func (a Allocation) Restored(pool Pool, at time.Time) Allocation {
	a.In, a.Superseded, a.Version, a.UpdatedAt = pool.Inside(), false, a.Version+1, at
	if a.Expired(at) {
		a.ExpiresAt = nil
	}
	return a
}
