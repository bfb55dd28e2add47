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

// The targets.
const (
	TargetAWSSubnet     Target = "aws_subnet"
	TargetGCPSubnetwork Target = "gcp_subnetwork"
)

// limits is what a cloud makes of a subnet. AWS takes the first four addresses and the last one, GCP the first two and the
// last two of a primary range and none of a secondary one; the largest range that GCP takes is all of 240.0.0.0/4.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
// https://cloud.google.com/vpc/docs/subnets
type limits struct {
	name   string
	taken  int64
	v4, v6 lengths
}

// lengths are prefix lengths that a cloud accepts: from the largest block to the smallest, step by step.
type lengths struct{ largest, smallest, step int }

var targets = map[Target]limits{
	TargetAWSSubnet:     {name: "an AWS subnet", taken: 5, v4: lengths{16, 28, 1}, v6: lengths{44, 64, 4}},
	TargetGCPSubnetwork: {name: "a GCP subnetwork", taken: 4, v4: lengths{4, 29, 1}, v6: lengths{64, 64, 1}},
}

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
			return nil, Invalid("/hosts", "%d hosts in %s need a /%d, but %s says /%d; leave one out", s.Hosts, targets[s.Target].name, fits, pointer[1:], *length)
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
		return Invalid("/target", "%q is not a target; use %s or %s", t, TargetAWSSubnet, TargetGCPSubnetwork)
	}
	return nil
}

// lengthFor is the smallest block of a family in which the target has room for so many hosts.
func (t Target) lengthFor(hosts int64, family int) (int, error) {
	if t == "" {
		return 0, Invalid("/target", "hosts need a target, which says how many addresses the cloud takes for itself: %s or %s", TargetAWSSubnet, TargetGCPSubnetwork)
	}
	if err := t.check(); err != nil {
		return 0, err
	}
	if hosts < 1 || hosts > 1<<32 {
		return 0, Invalid("/hosts", "hosts are 1 to %d; not %d", int64(1)<<32, hosts)
	}
	limit := targets[t]
	of := limit.of(family)
	length := min(width(family)-bits.Len64(uint64(hosts+limit.taken-1)), of.smallest)
	if length < of.largest {
		return 0, Invalid("/hosts", "%d hosts do not fit %s: the largest is a /%d, with room for %d; use several", hosts, limit.name, of.largest, int64(1)<<(width(family)-of.largest)-limit.taken)
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
	right := of.around(min(max(length, of.largest), of.smallest))
	if right == length {
		return nil
	}
	const what = "%s cannot be a /%d: "
	switch {
	case of.largest == of.smallest:
		return Invalid(pointer, what+"its IPv%d block is always a /%d", limit.name, length, family, right)
	case of.step > 1:
		return Invalid(pointer, what+"its IPv%d block is a /%d to a /%d in steps of %d; use /%d", limit.name, length, family, of.largest, of.smallest, of.step, right)
	default:
		return Invalid(pointer, what+"it is a /%d to a /%d; use /%d", limit.name, length, of.largest, of.smallest, right)
	}
}

func (l limits) of(family int) lengths {
	if family == 4 {
		return l.v4
	}
	return l.v6
}

func width(family int) int {
	if family == 4 {
		return 32
	}
	return 128
}

// around is the length of the smallest accepted block that is no smaller than one of this length.
func (l lengths) around(length int) int {
	return length - (length-l.largest)%l.step
}
