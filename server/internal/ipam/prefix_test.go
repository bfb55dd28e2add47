package ipam_test

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"go4.org/netipx"
	"pgregory.net/rapid"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestParseCIDR(t *testing.T) {
	for text, want := range map[string]string{
		"0.0.0.0/0": "0.0.0.0/0", "10.0.0.0/8": "10.0.0.0/8", "10.0.0.0/31": "10.0.0.0/31", "255.255.255.255/32": "255.255.255.255/32",
		"::/0": "::/0", "2001:db8::/32": "2001:db8::/32", "::1/128": "::1/128", "2001:db8::/127": "2001:db8::/127",
		"2001:DB8:0:0::/64": "2001:db8::/64", "2001:0db8::/64": "2001:db8::/64", "::10.0.0.0/104": "::a00:0/104",
	} {
		if got, err := ipam.ParseCIDR(text); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestParseCIDRNamesTheRightSpelling(t *testing.T) {
	for text, says := range map[string]string{
		"10.1.2.3/20": `did you mean "10.1.0.0/20"`, "2001:db8::1/64": `did you mean "2001:db8::/64"`, "1.2.3.4/0": `did you mean "0.0.0.0/0"`,
		"::ffff:10.0.0.0/104": `did you mean "10.0.0.0/8"`, "::ffff:10.1.2.3/112": `did you mean "10.1.0.0/16"`, "::ffff:0:0/95": "write IPv4 as a.b.c.d/n",
		"010.0.0.0/8": `did you mean "10.0.0.0/8"`, "10.0.0.0/08": `did you mean "10.0.0.0/8"`, "10.0.0.0/+8": `did you mean "10.0.0.0/8"`,
		"fe80::%eth0/64": `write it without: "fe80::/64"`, "10.0.0.0": `a single address is "10.0.0.0/32"`, "::1": `a single address is "::1/128"`,
		"10.0.0.0/33": "IPv4 takes /0 to /32", "::/129": "IPv6 takes /0 to /128", "10.0.0.0/-1": "IPv4 takes /0 to /32", "10.0.0.0/x": "not a prefix length",
		"10.0.0.0/": "not a prefix length", "/8": "not an IP address", "": "is not a CIDR", "10.0.0/8": "not an IP address", "fe80::1%eth0": "is not a CIDR",
	} {
		if got, err := ipam.ParseCIDR(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %s, %v, want %q", text, got, err, says)
		}
	}
}

var suggestion = regexp.MustCompile(`(?:did you mean|a single address is|write it without:) "([^"]*)"`)

func FuzzParseCIDR(f *testing.F) {
	for _, seed := range []string{"10.0.0.0/8", "10.1.2.3/20", "010.0.0.0/08", "::ffff:10.0.0.0/104", "fe80::%eth0/64", "::/0", "1.2.3.4", "fe80::1%1/64", "01.02.03.04/5", "10.0.0.1/+8", "::ffff:1.2.3.4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ipam.ParseCIDR(text)
		if err != nil {
			if found := suggestion.FindStringSubmatch(err.Error()); found != nil {
				if _, err := ipam.ParseCIDR(found[1]); err != nil {
					t.Errorf("%q: it suggests %q, which is refused: %v", text, found[1], err)
				}
			}
			return
		}
		if again, err := ipam.ParseCIDR(p.String()); err != nil || again != p {
			t.Errorf("%q is %s, which is %s, %v", text, p, again, err)
		}
		if p != p.Masked() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
			t.Errorf("%q was let in as %s", text, p)
		}
	})
}

// prefixes draws canonical CIDRs of both families.
func prefixes() *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		size := rapid.SampledFrom([]int{4, 16}).Draw(t, "bytes")
		a, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "address"))
		return netip.PrefixFrom(a, rapid.IntRange(0, size*8).Draw(t, "length")).Masked()
	})
}

func TestLastIPIsTheEndOfTheRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := prefixes().Draw(t, "prefix")
		if got, want := ipam.LastIP(p), netipx.RangeOfPrefix(p).To(); got != want {
			t.Fatalf("last of %s = %s, want %s", p, got, want)
		}
	})
}

func TestHostBitsAreAlwaysRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := prefixes().Draw(t, "prefix")
		last := ipam.LastIP(p)
		_, err := ipam.ParseCIDR(netip.PrefixFrom(last, p.Bits()).String())
		if single := last == p.Addr(); single != (err == nil) && !last.Is4In6() {
			t.Fatalf("%s/%d: %v", last, p.Bits(), err)
		}
	})
}
