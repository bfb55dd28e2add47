package ipam

import (
	"net/netip"
	"time"
)

// Allocation is a block handed out. It may grow and shrink where it stands, and never moves; (Pool, Name) is unique among
// the living.
type Allocation struct {
	ID string `json:"id"`
	In
	Name   string       `json:"name"`
	Set    string       `json:"set,omitempty"` // the id of the set that it is a member of, under SetKey
	SetKey string       `json:"set_key,omitempty"`
	CIDR   netip.Prefix `json:"cidr"`
	Details
	Purpose    string     `json:"purpose"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"` // nil: it stands until it is released
	Superseded bool       `json:"superseded,omitempty"` // its successor has its block; all that is left to do is to release it
	Version    int64      `json:"version"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
}

// NewAllocation asks a pool for a block.
type NewAllocation struct {
	Pool     string        // "": by Selector
	Selector *PoolSelector // nil: Pool
	Name     string
	Set      string // of a member: the id of its set, and its key there
	SetKey   string
	BlockSize
	Details
	Purpose   string
	ExpiresAt *time.Time
}

// Allocation is the allocation that a request asks for, not placed yet.
func (n NewAllocation) Allocation() Allocation {
	return Allocation{
		In: In{Pool: n.Pool}, Name: n.Name, Set: n.Set, SetKey: n.SetKey, CIDR: n.CIDR,
		Details: n.stored(), Purpose: n.Purpose, ExpiresAt: n.ExpiresAt,
	}
}

// AllocationPatch changes an allocation; nil leaves a field as it is.
type AllocationPatch struct {
	Name   *string
	CIDR   *netip.Prefix
	Length *int
	Hosts  int64
	Target Target
	DetailsPatch
	Purpose   *string
	ExpiresAt **time.Time
}

// Resized is the CIDR that a patch asks for: the allocation's own when it asks for none. It must contain that or lie in it;
// a length alone keeps the first address when shrinking and takes the block around when growing.
func (a Allocation) Resized(patch AllocationPatch) (netip.Prefix, error) {
	size := BlockSize{Length: patch.Length, Hosts: patch.Hosts, Target: patch.Target}
	if patch.CIDR != nil {
		size.CIDR = *patch.CIDR
	}
	length, err := size.length(Family(a.CIDR))
	if err != nil {
		return a.CIDR, err
	}
	to, err := resized(a.CIDR, patch.CIDR, length)
	if err == nil && !to.Overlaps(a.CIDR) {
		err = Invalid("/cidr", "allocation %s is %s; it can grow around that or shrink inside it, but not move to %s: release it and allocate anew", a.ID, a.CIDR, to)
	}
	return to, err
}

// Expired reports whether the allocation has come to its end; it stands until a collector releases it.
func (a Allocation) Expired(at time.Time) bool { return a.ExpiresAt != nil && !at.Before(*a.ExpiresAt) }

// CheckLiving refuses to change an allocation whose successor has its block.
func (a Allocation) CheckLiving() error {
	if !a.Superseded {
		return nil
	}
	return Errorf(CodePreconditionFailed, "allocation %s has given %s to its successor; all that is left to do is to release it", a.ID, a.CIDR)
}

// Apply returns the allocation with the settings of the patch. Resizing is not a setting: the registry does it.
func (a Allocation) Apply(patch AllocationPatch) Allocation {
	set(&a.Name, patch.Name)
	a.Details = a.with(patch.DetailsPatch)
	set(&a.Purpose, patch.Purpose)
	set(&a.ExpiresAt, patch.ExpiresAt)
	return a
}
