package ipam

import (
	"math/bits"
	"net/netip"
)

// BlockSize says how large a block shall be: by its CIDR, by a prefix length, by how many hosts a target is to hold, or by
// none of these for the default length of the pool. More than one may be given where they agree. And it says how to choose it.
type BlockSize struct {
	CIDR   netip.Prefix // zero: to be placed
	Length *int
	Hosts  int64  // 1 to 2^32; 0: not given
	Target Target // what the block will become; "": nothing that a cloud limits
	Placing
}

// Refuses reports whether a block is not what is asked for: another one is named, or it is excluded.
func (s BlockSize) Refuses(block netip.Prefix) bool {
	return s.CIDR.IsValid() && s.CIDR != block || s.Excludes(block)
}

// Target is what a block will become in a cloud.
type Target string

// SizeLimits is what a cloud makes of a block.
type SizeLimits struct {
	Target Target
	Name   string // for a refusal: "an AWS subnet"
	Taken  int64  // addresses that the cloud takes for itself
	V4, V6 Lengths
}

// Lengths are the prefix lengths that a cloud accepts: from the largest block to the smallest, step by step.
type Lengths struct{ Largest, Smallest, Step int }

// LengthIn is the prefix length that the size comes to in a pool; whether the pool hands it out, Allow says. Errors:
// CodeOutsidePool, and CodeInvalid where the size contradicts itself or its target, or says nothing and the pool neither.
func (s BlockSize) LengthIn(pool Pool) (int, error) {
	if s.CIDR.IsValid() && (Family(s.CIDR) != Family(pool.CIDR) || s.CIDR.Bits() < pool.CIDR.Bits() || !pool.CIDR.Contains(s.CIDR.Addr())) {
		e := Errorf(CodeOutsidePool, "%s lies outside pool %s, which is %s", s.CIDR, pool.ID, pool.CIDR)
		e.Fields = []FieldError{{Pointer: "/cidr", Detail: e.Detail}}
		return 0, e
	}
	length, err := s.length(Family(pool.CIDR))
	if err == nil {
		err = s.check(s.CIDR)
	}
	switch {
	case err != nil:
		return 0, err
	case length != nil:
		return *length, nil
	case pool.Sizes.Default == nil:
		return 0, Invalid("/prefix_length", "pool %s has no default_prefix_length; name a prefix_length, a cidr, or hosts and a target", pool.ID)
	default:
		return *pool.Sizes.Default, s.Target.allow("/prefix_length", Family(pool.CIDR), *pool.Sizes.Default)
	}
}

// Check refuses a size that no pool of a family can have.
func (s BlockSize) Check(family int) error {
	if s.CIDR.IsValid() && Family(s.CIDR) != family {
		return Invalid("/cidr", "%s is no IPv%d block", s.CIDR, family)
	}
	length, err := s.length(family)
	if err == nil && length != nil && *length > width(family) {
		err = Invalid("/prefix_length", "/%d is longer than an IPv%d address", *length, family)
	}
	if err == nil {
		err = s.check(s.CIDR)
	}
	return err
}

// length is the prefix length that the size comes to in a family; nil where it says none.
func (s BlockSize) length(family int) (*int, error) {
	length, pointer := s.Length, "/prefix_length"
	if s.CIDR.IsValid() {
		if length != nil && *length != s.CIDR.Bits() {
			return nil, Invalid("/prefix_length", "prefix_length %d and cidr %s disagree; leave one out", *length, s.CIDR)
		}
		length, pointer = new(s.CIDR.Bits()), "/cidr"
	}
	if s.Hosts != 0 {
		fits, err := s.Target.lengthFor(s.Hosts, family)
		if err != nil {
			return nil, err
		}
		if length != nil && *length != fits {
			return nil, Invalid("/hosts", "%d hosts in %s need a /%d, but %s says /%d; leave one out", s.Hosts, targets[s.Target].Name, fits, pointer[1:], *length)
		}
		return &fits, nil
	}
	if length == nil {
		return nil, s.Target.check()
	}
	return length, s.Target.allow(pointer, family, *length)
}

func (t Target) check() error {
	if _, known := targets[t]; !known && t != "" {
		return Invalid("/target", "%q is not a target; use %s", t, targetNames)
	}
	return nil
}

// lengthFor is the smallest block of a family in which the target has room for so many hosts.
func (t Target) lengthFor(hosts int64, family int) (int, error) {
	if t == "" {
		return 0, Invalid("/target", "hosts need a target, which says how many addresses the cloud takes for itself: %s", targetNames)
	}
	if err := t.check(); err != nil {
		return 0, err
	}
	if hosts < 1 || hosts > 1<<32 {
		return 0, Invalid("/hosts", "hosts are 1 to %d; not %d", int64(1)<<32, hosts)
	}
	limit := targets[t]
	of := limit.of(family)
	length := min(width(family)-bits.Len64(uint64(hosts+limit.Taken-1)), of.Smallest)
	if length < of.Largest {
		return 0, Invalid("/hosts", "%d hosts do not fit %s: the largest is a /%d, with room for %d; use several", hosts, limit.Name, of.Largest, int64(1)<<(width(family)-of.Largest)-limit.Taken)
	}
	return of.around(length), nil
}

// allow refuses a length that the cloud refuses.
func (t Target) allow(pointer string, family, length int) error {
	if err := t.check(); err != nil || t == "" {
		return err
	}
	limit := targets[t]
	of := limit.of(family)
	right := of.around(min(max(length, of.Largest), of.Smallest))
	if right == length {
		return nil
	}
	const what = "%s cannot be a /%d: "
	switch {
	case of.Largest == of.Smallest:
		return Invalid(pointer, what+"its IPv%d block is always a /%d", limit.Name, length, family, right)
	case of.Step > 1:
		return Invalid(pointer, what+"its IPv%d block is a /%d to a /%d in steps of %d; use /%d", limit.Name, length, family, of.Largest, of.Smallest, of.Step, right)
	default:
		return Invalid(pointer, what+"it is a /%d to a /%d; use /%d", limit.Name, length, of.Largest, of.Smallest, right)
	}
}

func (l SizeLimits) of(family int) Lengths {
	if family == 4 {
		return l.V4
	}
	return l.V6
}

func width(family int) int {
	if family == 4 {
		return 32
	}
	return 128
}

// around is the length of the smallest accepted block that is no smaller than one of this length.
func (l Lengths) around(length int) int {
	return length - (length-l.Largest)%l.Step
}
