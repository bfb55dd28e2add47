package ipam

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Kind says what owns a prefix.
type Kind string

// The kinds of owners.
const (
	KindPool        Kind = "pool"
	KindAllocation  Kind = "allocation"
	KindReservation Kind = "reservation"
	KindHold        Kind = "hold"
	KindQuarantine  Kind = "quarantine"
)

// Status says how a prefix occupies its space. Free is not a status: what is free has no prefix.
type Status string

// The statuses of a prefix.
const (
	StatusReserved    Status = "reserved"
	StatusAllocated   Status = "allocated"
	StatusHeld        Status = "held"
	StatusQuarantined Status = "quarantined"
)

// Prefix is one block that occupies a pool, or the root of a scope.
type Prefix struct {
	Owner     string // the key of the pool, allocation, reservation, hold or quarantine that it is the block of
	In               // the pool that it occupies; none at the root of a scope
	CIDR      netip.Prefix
	Status    Status
	Kind      Kind
	Name      string
	CreatedAt time.Time
}

// OwnerID is how people call the owner: a pool by its name, anything else by its key.
func (p Prefix) OwnerID() string {
	if p.Kind == KindPool {
		return PoolID(p.Scope, p.Name)
	}
	return p.Owner
}

// Space is the key of the space that the prefix occupies.
func (p Prefix) Space() UID {
	if p.PoolUID == "" {
		return p.ScopeUID
	}
	return p.PoolUID
}

// Family is 4 or 6.
func Family(p netip.Prefix) int {
	if p.Addr().Is4() {
		return 4
	}
	return 6
}

// ParseCIDR reads a canonical CIDR. Host bits, zones, IPv4-mapped IPv6 and leading zeros are refused with an error that
// names the right spelling, since guessing what was meant is how wrong CIDRs reach a network.
// IPv6 spellings that differ only in case or zeros are accepted and made canonical (RFC 5952).
func ParseCIDR(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, explainCIDR(text)
	}
	if p.Addr().Is4In6() {
		if p.Bits() >= 96 {
			v4 := netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked()
			return netip.Prefix{}, fmt.Errorf("%q is an IPv4-mapped IPv6 CIDR; did you mean %q?", text, v4)
		}
		return netip.Prefix{}, fmt.Errorf("%q is an IPv4-mapped IPv6 CIDR, which is never a network; write IPv4 as a.b.c.d/n", text)
	}
	if p.Masked() != p {
		return netip.Prefix{}, fmt.Errorf("%q has host bits set; did you mean %q?", text, p.Masked())
	}
	return p, nil
}

// mapped is where IPv6 writes IPv4 (RFC 4291, section 2.5.5.2): never a network.
var mapped = netip.MustParsePrefix("::ffff:0:0/96")

// CheckPoolCIDR refuses a pool that would hand out IPv4-mapped blocks, which every input refuses. One of a /64 or more may be
// around them: it has other space first.
func CheckPoolCIDR(p netip.Prefix) error {
	if p.Addr().Is6() && p.Bits() > 64 && p.Overlaps(mapped) {
		return Invalid("/cidr", "%s is around or in %s, where IPv6 writes IPv4 addresses and no network can be; write IPv4 as a.b.c.d/n", p, mapped)
	}
	return nil
}

// IsMapped reports whether a block is one of IPv4-mapped addresses.
func IsMapped(p netip.Prefix) bool { return p.Addr().Is4In6() && p.Bits() >= mapped.Bits() }

func explainCIDR(text string) error {
	address, length, slash := strings.Cut(text, "/")
	if !slash {
		if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
			a = a.Unmap()
			return fmt.Errorf("%q has no prefix length; a single address is %q", text, netip.PrefixFrom(a, a.BitLen()))
		}
		return fmt.Errorf("%q is not a CIDR; one looks like \"10.0.0.0/24\" or \"2001:db8::/56\"", text)
	}
	if bare, zone, found := strings.Cut(address, "%"); found {
		if right, ok := canonical(bare, length); ok {
			return fmt.Errorf("%q carries the zone %q; write it without: %q", text, zone, right)
		}
		return fmt.Errorf("%q carries the zone %q, which a network does not have", text, zone)
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		if plain, ok := withoutLeadingZeros(address); ok {
			if right, ok := canonical(plain, length); ok {
				return fmt.Errorf("%q has leading zeros, which some systems read as octal; did you mean %q?", text, right)
			}
			return fmt.Errorf("%q has leading zeros, which some systems read as octal", text)
		}
		return fmt.Errorf("%q is not a CIDR: %q is not an IP address", text, address)
	}
	n, err := strconv.Atoi(length)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a CIDR: %q is not a prefix length; %s takes /0 to /%d", text, length, familyName(a), a.BitLen())
	case n < 0 || n > a.BitLen():
		return fmt.Errorf("%q has a prefix length out of range; %s takes /0 to /%d", text, familyName(a), a.BitLen())
	default: // a sign or leading zeros: ParsePrefix refused what Atoi accepts
		if right, ok := canonical(address, length); ok {
			return fmt.Errorf("%q spells its prefix length unusually; did you mean %q?", text, right)
		}
		return fmt.Errorf("%q spells its prefix length unusually, and is no network either", text)
	}
}

// canonical is the network around an address: what a suggestion may name, since it is never refused itself.
func canonical(address, length string) (netip.Prefix, bool) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}, false
	}
	n, err := strconv.Atoi(length)
	if a.Is4In6() {
		a, n = a.Unmap(), n-96
	}
	if err != nil || n < 0 || n > a.BitLen() {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, n).Masked(), true
}

func familyName(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

func withoutLeadingZeros(address string) (string, bool) {
	parts := strings.Split(address, ".")
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil {
			return "", false
		}
		parts[i] = strconv.Itoa(n)
	}
	plain := strings.Join(parts, ".")
	_, err := netip.ParseAddr(plain)
	return plain, err == nil && plain != address
}

// LastIP returns the highest address of a CIDR.
func LastIP(p netip.Prefix) netip.Addr {
	b := p.Addr().As16()
	skip := 0
	if p.Addr().Is4() {
		skip = 96
	}
	for bit := skip + p.Bits(); bit < 128; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	last := netip.AddrFrom16(b)
	if p.Addr().Is4() {
		return last.Unmap()
	}
	return last
}
