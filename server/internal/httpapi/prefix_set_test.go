package httpapi_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestAPrefixSetIsTheFewestCIDRsOfWhatMatches(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Scope](t, s, "/scopes", `{"name":"b"}`)
		post[api.Account](t, s, "/accounts", `{"cloud":"custom","external_id":"x","name":"x","tier":"prd"}`)
		for _, p := range []string{`{"name":"p","cidr":"10.0.0.0/16"}`, `{"name":"six","cidr":"2001:db8::/48"}`, `{"scope":"b","name":"p","cidr":"10.0.0.0/16"}`, `{"name":"kid","parent":"p","cidr":"10.0.64.0/20","labels":{"app":"kid"}}`} {
			post[api.Pool](t, s, "/pools", p)
		}
		for _, a := range []string{
			`{"pool":"p","name":"a","cidr":"10.0.0.0/24","labels":{"app":"shop"}}`, `{"pool":"p","name":"b","cidr":"10.0.1.0/24","labels":{"app":"shop","x":"y"}}`, `{"pool":"p","name":"c","cidr":"10.0.2.0/24","labels":{"app":"shop"},"account":"custom:x"}`,
			`{"pool":"p","name":"d","cidr":"10.0.3.0/24","labels":{"app":"other"},"account":"custom:x"}`, `{"pool":"kid","name":"e","cidr":"10.0.64.0/21","labels":{"app":"shop"}}`, `{"pool":"six","name":"f","cidr":"2001:db8::/64","labels":{"app":"shop"}}`,
			`{"pool":"b.p","name":"g","cidr":"10.0.9.0/24","labels":{"app":"shop"}}`,
		} {
			post[api.Allocation](t, s, "/allocations", a)
		}
		for query, want := range map[string]string{
			"label=app%3Dshop":             "10.0.0.0/23 10.0.2.0/24 10.0.64.0/21 2001:db8::/64 of 5",
			"label=app%3Dshop&family=ipv6": "2001:db8::/64 of 1",
			"label=app%3Dshop&pool=p":      "10.0.0.0/23 10.0.2.0/24 of 3",
			"label=app%3Dshop&label=x%3Dy": "10.0.1.0/24 of 1",
			"label=app%3Dshop&scope=b":     "10.0.9.0/24 of 1",
			"tier=prd":                     "10.0.2.0/23 of 2",
			"within=10.0.0.0/22":           "10.0.0.0/22 of 4",
			"label=app%3Dnone":             " of 0",
			"of=pools&label=app%3Dkid":     "10.0.64.0/20 of 1",
			"of=pools&pool=p":              "10.0.64.0/20 of 1",
		} {
			got := get[api.PrefixSet](t, s, "/prefix-set?"+query)
			if text := fmt.Sprintf("%s of %d", strings.Join(got.Cidrs, " "), got.Matched); text != want {
				t.Errorf("%s: %s, want %s", query, text, want)
			}
		}
		if p := wantProblemCode(t, s.send(t, "GET", "/api/v1/prefix-set?family=ipv4", ""), 400, "invalid"); !strings.Contains(p.Detail, "everything") {
			t.Errorf("%+v", p)
		}
		a := s.send(t, "GET", "/api/v1/prefix-set?label=app%3Dshop", "", s.as(t, ipam.NewBinding{Role: ipam.Viewer, Pool: "kid"}))
		if got := decode[api.PrefixSet](t, a); strings.Join(got.Cidrs, " ") != "10.0.64.0/21" {
			t.Errorf("%v", got)
		}
	})
}

// Whatever is allocated, the set has its addresses and no other, and no two of its CIDRs could be one.
func TestAPrefixSetHasTheAddressesOfWhatMatchesAndNoOther(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		r := rand.New(rand.NewPCG(3, 3))
		post[api.Pool](t, s, "/pools", `{"name":"p","cidr":"10.0.0.0/22"}`)
		has := map[netip.Addr]bool{}
		for i := range 120 {
			label := []string{"yes", "no"}[r.IntN(2)]
			a := s.send(t, "POST", "/api/v1/allocations", fmt.Sprintf(`{"pool":"p","name":"n%d","prefix_length":%d,"labels":{"k":%q}}`, i, 26+r.IntN(7), label))
			if a.status == 201 && label == "yes" {
				for p := netip.MustParsePrefix(decode[api.Allocation](t, a).CIDR); ; {
					for ip := p.Addr(); p.Contains(ip); ip = ip.Next() {
						has[ip] = true
					}
					break
				}
			}
		}
		got := get[api.PrefixSet](t, s, "/prefix-set?label=k%3Dyes")
		n, known := 0, map[netip.Prefix]bool{}
		for _, text := range got.Cidrs {
			p := netip.MustParsePrefix(text)
			known[p] = true
			for ip := p.Addr(); p.Contains(ip); ip = ip.Next() {
				if n++; !has[ip] {
					t.Errorf("%s is in %s and in no allocation", ip, p)
				}
			}
		}
		if n != len(has) || n == 0 {
			t.Errorf("%d addresses, want %d", n, len(has))
		}
		for p := range known {
			outer := netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked()
			buddy := netip.PrefixFrom(outer.Addr(), p.Bits())
			if buddy == p {
				last := outer.Addr().As4()
				v := uint32(last[0])<<24 | uint32(last[1])<<16 | uint32(last[2])<<8 | uint32(last[3]) + 1<<(32-p.Bits())
				buddy = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), p.Bits())
			}
			if known[buddy] {
				t.Errorf("%s and %s could be one", p, buddy)
			}
		}
	})
}
