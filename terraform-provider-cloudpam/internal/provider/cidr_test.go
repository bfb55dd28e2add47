package provider

import (
	"net/netip"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

func TestACIDRIsTakenInEverySpelling(t *testing.T) {
	for spelling, want := range map[string]string{
		"0.0.0.0/0": "0.0.0.0/0", "10.0.0.0/8": "10.0.0.0/8", "10.1.2.3/32": "10.1.2.3/32", "10.0.0.0/31": "10.0.0.0/31",
		"::/0": "::/0", "2001:DB8::/48": "2001:db8::/48", "2001:0db8:0:0::/48": "2001:db8::/48", "2001:db8::1/128": "2001:db8::1/128",
	} {
		p, err := parseCIDR(spelling)
		if err != nil || p.String() != want {
			t.Errorf("%s is %v, %v; want %s", spelling, p, err, want)
		}
	}
}

func TestAWrongCIDRIsRefusedWithTheRightSpelling(t *testing.T) {
	for wrong, want := range map[string]string{
		"10.1.2.3/20":         `10.1.2.3/20 is an address inside 10.1.0.0/20. Did you mean "10.1.0.0/20"?`,
		"2001:db8::1/48":      `2001:db8::1/48 is an address inside 2001:db8::/48. Did you mean "2001:db8::/48"?`,
		"10.0.0.1":            `"10.0.0.1" has no prefix length. Did you mean "10.0.0.1/32"?`,
		"2001:db8::1":         `"2001:db8::1" has no prefix length. Did you mean "2001:db8::1/128"?`,
		"10.010.0.0/16":       `"10.010.0.0/16" has leading zeros, which some programs read as octal. Did you mean "10.10.0.0/16"?`,
		"10.0.0.0/08":         `"10.0.0.0/08" has leading zeros, which some programs read as octal. Did you mean "10.0.0.0/8"?`,
		"fe80::%eth0/64":      `"fe80::%eth0/64" has a zone, which only means something on one machine. Remove the % and what follows it`,
		"::ffff:10.0.0.0/104": `"::ffff:10.0.0.0/104" is IPv4 written as IPv6. Did you mean "10.0.0.0/8"?`,
		"10.0.0.0/33":         `"10.0.0.0/33" is not a CIDR. Write it like "10.0.0.0/24" or "2001:db8::/56"`,
		"10.0.0.0/-1":         `"10.0.0.0/-1" is not a CIDR. Write it like "10.0.0.0/24" or "2001:db8::/56"`,
		"":                    `"" is not a CIDR. Write it like "10.0.0.0/24" or "2001:db8::/56"`,
		"corp":                `"corp" is not a CIDR. Write it like "10.0.0.0/24" or "2001:db8::/56"`,
	} {
		if _, err := parseCIDR(wrong); err == nil || err.Error() != want {
			t.Errorf("%q\n got %v\nwant %s", wrong, err, want)
		}
	}
}

func TestSpellingsOfOneNetworkAreEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"2001:DB8:0::/48", "2001:db8::/48", true},
		{"10.0.0.0/8", "10.0.0.0/8", true},
		{"10.0.0.0/8", "10.0.0.0/9", false},
		{"0.0.0.0/0", "::/0", false},
	} {
		got, _ := newCIDR(c.a).StringSemanticEquals(t.Context(), newCIDR(c.b))
		if got != c.same {
			t.Errorf("%s and %s: %t", c.a, c.b, got)
		}
	}
	if got, _ := newCIDR("10.0.0.0/8").StringSemanticEquals(t.Context(), basetypes.NewStringValue("10.0.0.0/8")); got {
		t.Error("a plain string is no CIDR")
	}
}

func TestTheLastAddressIsTheHighest(t *testing.T) {
	for cidr, want := range map[string]string{
		"0.0.0.0/0": "255.255.255.255", "10.0.0.0/23": "10.0.1.255", "10.0.0.4/31": "10.0.0.5", "10.0.0.4/32": "10.0.0.4",
		"2001:db8::/63": "2001:db8:0:1:ffff:ffff:ffff:ffff", "::/0": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1/128": "::1",
	} {
		if got := lastAddress(netip.MustParsePrefix(cidr)).String(); got != want {
			t.Errorf("%s ends at %s, want %s", cidr, got, want)
		}
	}
}
