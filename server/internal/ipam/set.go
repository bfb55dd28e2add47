package ipam

import (
	"cmp"
	"errors"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// MaxMembers is how many members a set may have.
const MaxMembers = 256

// AllocationSet is a map of blocks of one pool that is handed out whole or not at all. (Pool, Name) is unique among the
// living. Each member is the allocation MemberName(Name, Key); it keeps its block while others come, go and resize.
type AllocationSet struct {
	ID string `json:"id"`
	In
	Name    string      `json:"name"`
	Members []SetMember `json:"members"` // by key
	Details
	Purpose   string    `json:"purpose"`
	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// SetMember is a member of a set and the id of the allocation that it is.
type SetMember struct {
	Key        string       `json:"key"`
	Allocation string       `json:"allocation"`
	CIDR       netip.Prefix `json:"cidr"`
}

// NewAllocationSet asks a pool for a map of blocks. Its members get its description, owner, labels and so on.
type NewAllocationSet struct {
	Pool     string        // "": by Selector
	Selector *PoolSelector // nil: Pool
	Name     string
	SetSizes
	Adopt bool // an allocation that has the name of a member and is in no set becomes that member
	Details
	Purpose string
}

// AllocationSetPatch changes a set and, where the fields are given, its members in the same way; nil leaves a field as it
// is. Sizes that are given are the whole set as it shall be.
type AllocationSetPatch struct {
	Name *string
	SetSizes
	Renamed Renames
	Adopt   bool // as of NewAllocationSet, for members that are new
	DetailsPatch
	Purpose *string
}

// NewSetHolds asks for promises of the blocks of a set that is new, or that changes.
type NewSetHolds struct {
	Pool     string        // "": by Selector, or the pool of the set that changes
	Selector *PoolSelector // nil: Pool
	Name     string
	SetSizes
	Renamed  Renames // of the set that changes
	Adopt    bool    // as of NewAllocationSet
	Updates  string  // the id of the set that the plan changes; "" for a new one
	Replaces string  // the id of the set that a new one follows, whose name it may share
	Meant    *Meant  // as of NewHold, for all members
	Plan     Plan
}

// Hold is the promise that a member asks for.
func (n NewSetHolds) Hold(key string, size BlockSize) NewHold {
	return NewHold{Pool: n.Pool, Name: MemberName(n.Name, key), BlockSize: size, Updates: n.Updates, Replaces: n.Replaces, Meant: n.Meant, Plan: n.Plan}
}

// SetPlan is what a set was promised.
type SetPlan struct {
	Pool    string          `json:"pool"`
	Members []PlannedMember `json:"members"` // by key
}

// PlannedMember is the block that a member has or will have.
type PlannedMember struct {
	Key  string       `json:"key"`
	CIDR netip.Prefix `json:"cidr"`
	Hold string       `json:"hold"` // "" for one that stays as it is
	// The allocation that it is and stays, or that is adopted; "" for one that is new, or gets another block.
	Allocation string       `json:"allocation"`
	Before     netip.Prefix `json:"-"` // what an earlier plan was shown, as of a hold
}

// SetSizes says which members a set has and how large they are: by key, by a bundle, or by both.
type SetSizes struct {
	Members map[string]BlockSize // nil: none is named
	Bundle  *Bundle
	Placing // of every member that is placed
}

// Given reports whether the sizes are said at all.
func (s SetSizes) Given() bool { return s.Members != nil || s.Bundle != nil }

var setKey = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// All is every member with its size, those of the bundle too. Errors: CodeInvalid.
func (s SetSizes) All() (map[string]BlockSize, error) {
	all := map[string]BlockSize{}
	if s.Bundle != nil {
		var err error
		if all, err = s.Bundle.members(); err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Members)) {
		if _, clash := all[key]; clash {
			return nil, Invalid("/members/"+key, "the bundle has a member %q too; choose another key", key)
		}
		all[key] = s.Members[key]
	}
	for key, size := range all {
		size.Placing = s.Placing
		all[key] = size
	}
	if len(all) > MaxMembers {
		return nil, Invalid("/members", "%d members are too many; a set has at most %d", len(all), MaxMembers)
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !setKey.MatchString(key) {
			return nil, s.At(key, Invalid("", "%q is not a key; use 1 to 63 letters, digits and . _ -, with a letter or digit at both ends", key))
		}
	}
	return all, nil
}

// CheckFor refuses sizes that no pool of a family can have.
func (s SetSizes) CheckFor(family int) error {
	if s.Bundle != nil && family != 4 {
		return Invalid("/bundle", "a bundle is made of IPv4 blocks; an IPv6 pool cannot have it")
	}
	all, err := s.All()
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if err := all[key].Check(family); err != nil {
			return s.At(key, err)
		}
	}
	return nil
}

// At turns an error about a member into one that says which.
func (s SetSizes) At(key string, err error) error {
	of, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	at, member := *of, "member "+key+": "
	at.Detail, at.Fields = member+of.Detail, nil
	for _, f := range of.Fields {
		pointer := "/bundle"
		if _, named := s.Members[key]; named {
			pointer = "/members/" + pointerEscapes.Replace(key) + strings.TrimSuffix(f.Pointer, "/name")
		}
		at.Fields = append(at.Fields, FieldError{Pointer: pointer, Detail: member + f.Detail})
	}
	return &at
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// MemberName is the name of the allocation that a member is.
func MemberName(set, key string) string { return set + "/" + key }

// CheckNames refuses a set whose members would have names that no allocation can have.
func (s SetSizes) CheckNames(set string) error {
	if err := CheckFreeName("/name", set); err != nil {
		return err
	}
	all, err := s.All()
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if name := MemberName(set, key); len(name) > 127 {
			return s.At(key, Invalid("", "its name %q has %d characters; 127 is the most", name, len(name)))
		}
	}
	return nil
}

// Check refuses a request that cannot be meant.
func (n NewAllocationSet) Check() error {
	if !n.Given() {
		return Invalid("/members", "say what the set consists of: members, a bundle, or both")
	}
	for _, err := range []error{n.CheckNames(n.Name), CheckLabels(n.Labels), CheckPool(n.Pool, n.Selector), checkAdopt(n.Adopt, n.Selector)} {
		if err != nil {
			return err
		}
	}
	return nil
}

// Check refuses a request that cannot be meant.
func (n NewSetHolds) Check() error {
	if !n.Given() {
		return Invalid("/members", "say what the set shall consist of: members, a bundle, or both")
	}
	if n.Updates != "" && n.Replaces != "" {
		return Invalid("/replaces", "a plan changes a set or replaces it; leave out updates or replaces")
	}
	if n.Updates == "" {
		if err := cmp.Or(CheckPool(n.Pool, n.Selector), checkAdopt(n.Adopt, n.Selector)); err != nil {
			return err
		}
	}
	if err := n.Plan.Check(); err != nil {
		return err
	}
	return n.CheckNames(n.Name)
}

// checkAdopt refuses to adopt what is in a pool that nobody names.
func checkAdopt(adopt bool, in *PoolSelector) error {
	if adopt && in != nil {
		return Invalid("/adopt", "name the pool that the allocations to adopt are in, instead of selecting one")
	}
	return nil
}

// Set is the set that a request asks for, without its members.
func (n NewAllocationSet) Set() AllocationSet {
	return AllocationSet{
		In: In{Pool: n.Pool}, Name: n.Name, Details: n.stored(), Purpose: n.Purpose,
	}
}

// Member is the allocation that a member of the set asks for.
func (s AllocationSet) Member(key string, size BlockSize) NewAllocation {
	return NewAllocation{
		Pool: s.Pool, Name: MemberName(s.Name, key), Set: s.ID, SetKey: key, BlockSize: size, Details: s.Details, Purpose: s.Purpose,
	}
}

// Apply returns the set with the settings of the patch; members are the registry's.
func (s AllocationSet) Apply(patch AllocationSetPatch) AllocationSet {
	set(&s.Name, patch.Name)
	s.Details = s.with(patch.DetailsPatch)
	set(&s.Purpose, patch.Purpose)
	return s
}

// OfMember is what the patch changes of one member.
func (p AllocationSetPatch) OfMember(key string) AllocationPatch {
	of := AllocationPatch{DetailsPatch: p.DetailsPatch, Purpose: p.Purpose}
	if p.Name != nil {
		of.Name = new(MemberName(*p.Name, key))
	}
	return of
}

// StaysAt is the block that a member has in place when it shall have a size, of this length in its pool: its own, the first
// part of it, or what a CIDR names inside or around it. False when it needs another.
func (a Allocation) StaysAt(size BlockSize, length int) (netip.Prefix, bool) {
	switch {
	case size.CIDR.IsValid():
		return size.CIDR, size.CIDR.Overlaps(a.CIDR)
	case size.Length == nil && size.Hosts == 0: // a default that has changed since moves nobody
		return a.CIDR, true
	case length >= a.CIDR.Bits():
		return netip.PrefixFrom(a.CIDR.Addr(), length), true
	default:
		return netip.Prefix{}, false
	}
}

// CheckMember refuses a change that only the set of a member can make.
func (a Allocation) CheckMember(patch AllocationPatch) error {
	if a.Set == "" {
		return nil
	}
	var pointer string
	switch {
	case patch.Name != nil && *patch.Name != a.Name:
		pointer = "/name"
	case patch.CIDR != nil && *patch.CIDR != a.CIDR:
		pointer = "/cidr"
	case patch.Length != nil && *patch.Length != a.CIDR.Bits():
		pointer = "/prefix_length"
	case patch.Hosts != 0:
		pointer = "/hosts"
	default:
		return nil
	}
	return Invalid(pointer, "%s is the member %q of the allocation set %s, which names and sizes it; change the set", a.ID, a.SetKey, a.Set)
}

// FollowedBy reports whether a promise to what replaces something may have the allocation's name: it replaces that, or the set
// that it is a member of. A member alone is not replaced.
func (a Allocation) FollowedBy(replaces string) bool { return replaces == cmp.Or(a.Set, a.ID) }

// UpdatedBy reports whether a promise to a plan that changes a set may have the allocation's name: it is a member of that set.
func (a Allocation) UpdatedBy(set string) bool { return set != "" && set == a.Set }

// Asked is what a plan of a set in a pool asks to hold; false where a member names its CIDR.
func (s SetSizes) Asked(pool, set string) (asked []NewHold, bySize bool) {
	all, err := s.All()
	if err != nil {
		return nil, false
	}
	for key, size := range all {
		if size.CIDR.IsValid() {
			return nil, false
		}
		asked = append(asked, NewHold{Pool: pool, Name: MemberName(set, key), BlockSize: size})
	}
	return asked, true
}
