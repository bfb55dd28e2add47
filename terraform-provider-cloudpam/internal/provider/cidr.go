package provider

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
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

// cidrType is the attribute type of a CIDR: checked offline, and equal in every spelling.
type cidrType struct{ basetypes.StringType }

var (
	_ basetypes.StringTypable                    = cidrType{}
	_ basetypes.StringValuableWithSemanticEquals = cidrValue{}
	_ xattr.ValidateableAttribute                = cidrValue{}
	_ planmodifier.String                        = keepCIDRSpelling{}
)

// String names the type in error messages.
func (cidrType) String() string { return "cidr" }

// Equal reports whether the other type is this one.
func (t cidrType) Equal(other attr.Type) bool {
	o, ok := other.(cidrType)
	return ok && t.StringType.Equal(o.StringType)
}

// ValueType returns a value of the type.
func (cidrType) ValueType(context.Context) attr.Value { return cidrValue{} }

// ValueFromString wraps a string; the value checks itself.
func (cidrType) ValueFromString(_ context.Context, s basetypes.StringValue) (basetypes.StringValuable, diag.Diagnostics) {
	return cidrValue{s}, nil
}

// ValueFromTerraform converts from Terraform's own type system.
func (t cidrType) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	v, err := t.StringType.ValueFromTerraform(ctx, in)
	if err != nil {
		return nil, err
	}
	return cidrValue{v.(basetypes.StringValue)}, nil
}

// cidrValue is a CIDR, possibly null or unknown, in the spelling of the configuration.
type cidrValue struct{ basetypes.StringValue }

func newCIDR(s string) cidrValue     { return cidrValue{basetypes.NewStringValue(s)} }
func unknownCIDR() cidrValue         { return cidrValue{basetypes.NewStringUnknown()} }
func (v cidrValue) known() bool      { return !v.IsNull() && !v.IsUnknown() }
func (v cidrValue) pointer() *string { return optionalText(v.StringValue) }

// prefix parses the value; the zero prefix when it is null, unknown or wrong.
func (v cidrValue) prefix() netip.Prefix {
	p, err := parseCIDR(v.ValueString())
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// Type returns the CIDR type.
func (cidrValue) Type(context.Context) attr.Type { return cidrType{} }

// Equal compares spellings, as Terraform does; StringSemanticEquals compares networks.
func (v cidrValue) Equal(other attr.Value) bool {
	o, ok := other.(cidrValue)
	return ok && v.StringValue.Equal(o.StringValue)
}

// StringSemanticEquals keeps the configuration's spelling in the state when the server answers with the canonical one.
func (v cidrValue) StringSemanticEquals(_ context.Context, other basetypes.StringValuable) (bool, diag.Diagnostics) {
	o, ok := other.(cidrValue)
	return ok && sameCIDR(v.ValueString(), o.ValueString()), nil
}

// ValidateAttribute checks the value at terraform validate, without a server.
func (v cidrValue) ValidateAttribute(_ context.Context, req xattr.ValidateAttributeRequest, resp *xattr.ValidateAttributeResponse) {
	if !v.known() {
		return
	}
	if _, err := parseCIDR(v.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a CIDR", sentence(err.Error()))
	}
}

func sameCIDR(a, b string) bool {
	p, err := parseCIDR(a)
	if err != nil {
		return a == b
	}
	q, err := parseCIDR(b)
	return err == nil && p == q
}

// keepCIDRSpelling plans no change when only the spelling of a CIDR changed in the configuration.
type keepCIDRSpelling struct{}

// Description says what the modifier does.
func (keepCIDRSpelling) Description(context.Context) string {
	return "Another spelling of the same CIDR is not a change."
}

// MarkdownDescription is Description.
func (m keepCIDRSpelling) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// PlanModifyString plans the state's spelling when it is the same network.
func (keepCIDRSpelling) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.IsNull() || req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if sameCIDR(req.StateValue.ValueString(), req.ConfigValue.ValueString()) {
		resp.PlanValue = req.StateValue
	}
}
