package provider

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

// parseCIDR reads a CIDR as CloudPAM takes it: no host bits, no zone, no IPv4-mapped IPv6, no leading zeros.
// Its errors say what to write instead. Any spelling of an IPv6 address is fine.
func parseCIDR(s string) (netip.Prefix, error) {
	address, length, found := strings.Cut(s, "/")
	if !found {
		if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
			return netip.Prefix{}, fmt.Errorf("%q has no prefix length. Did you mean %q?", s, netip.PrefixFrom(a, a.BitLen()))
		}
		return netip.Prefix{}, fmt.Errorf("%q is not a CIDR. Write it like \"10.0.0.0/24\" or \"2001:db8::/56\"", s)
	}
	if plain := withoutLeadingZeros(address, length); plain != s {
		if p, err := netip.ParsePrefix(plain); err == nil {
			return netip.Prefix{}, fmt.Errorf("%q has leading zeros, which some programs read as octal. Did you mean %q?", s, p.Masked())
		}
	}
	if strings.Contains(address, "%") {
		return netip.Prefix{}, fmt.Errorf("%q has a zone, which only means something on one machine. Remove the %% and what follows it", s)
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a CIDR. Write it like \"10.0.0.0/24\" or \"2001:db8::/56\"", s)
	}
	if p.Addr().Is4In6() {
		if p.Bits() >= 96 {
			v4 := netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked()
			return netip.Prefix{}, fmt.Errorf("%q is IPv4 written as IPv6. Did you mean %q?", s, v4)
		}
		return netip.Prefix{}, fmt.Errorf("%q is IPv4 written as IPv6. Write the IPv4 CIDR", s)
	}
	if m := p.Masked(); m != p {
		return netip.Prefix{}, fmt.Errorf("%s is an address inside %s. Did you mean %q?", s, m, m)
	}
	return p, nil
}

var leadingZero = regexp.MustCompile(`(^|\.)0+(\d)`)

// withoutLeadingZeros writes IPv4 octets and the prefix length without leading zeros; IPv6 groups may have them.
func withoutLeadingZeros(address, length string) string {
	if !strings.Contains(address, ":") {
		address = leadingZero.ReplaceAllString(address, "$1$2")
	}
	if n, err := strconv.Atoi(length); err == nil && n >= 0 {
		length = strconv.Itoa(n)
	}
	return address + "/" + length
}

// lastAddress is the highest address of p.
func lastAddress(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

// ipVersion is 4 or 6.
func ipVersion(p netip.Prefix) int64 {
	if p.Addr().Is4() {
		return 4
	}
	return 6
}

// cidrSpelling is that of a CIDR: 2001:db8:0::/48 is 2001:db8::/48.
type cidrSpelling struct{}

type (
	cidrType         = spelled[cidrSpelling]
	cidrValue        = spelledValue[cidrSpelling]
	keepCIDRSpelling = keepSpelling[cidrSpelling]
)

func (cidrSpelling) name() string  { return "CIDR" }
func (cidrSpelling) wrong() string { return "Not a CIDR" }

func (cidrSpelling) check(text string) error {
	_, err := parseCIDR(text)
	return err
}

func (cidrSpelling) same(a, b string) bool {
	p, err := parseCIDR(a)
	if err != nil {
		return a == b
	}
	q, err := parseCIDR(b)
	return err == nil && p == q
}

func newCIDR(s string) cidrValue { return cidrValue{basetypes.NewStringValue(s)} }
func unknownCIDR() cidrValue     { return cidrValue{basetypes.NewStringUnknown()} }

// prefixOf parses a CIDR; the zero prefix when it is null, unknown or wrong.
func prefixOf(v cidrValue) netip.Prefix {
	p, err := parseCIDR(v.ValueString())
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
