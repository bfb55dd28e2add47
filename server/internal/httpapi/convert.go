package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

func optional[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

func labels(l ipam.Labels) api.Labels {
	if l == nil {
		return api.Labels{}
	}
	return api.Labels(l)
}

func labelsPatch(l *api.Labels) *ipam.Labels {
	if l == nil {
		return nil
	}
	patch := ipam.Labels(*l)
	return &patch
}

// prefixAt reads an optional CIDR of a body or a query.
func prefixAt(pointer string, text *string) (netip.Prefix, error) {
	if text == nil {
		return netip.Prefix{}, nil
	}
	p, err := ipam.ParseCIDR(*text)
	if err != nil {
		return p, ipam.Invalid(pointer, "%v", err)
	}
	return p, nil
}

func poolSelector(s *api.PoolSelector) *ipam.PoolSelector {
	if s == nil {
		return nil
	}
	selector := ipam.PoolSelector{Scope: ipam.DefaultScope, Family: 4, Labels: s.Labels}
	if s.Scope != nil {
		selector.Scope = *s.Scope
	}
	if s.Family != nil {
		selector.Family = familyNumber(s.Family)
	}
	return &selector
}

func blockSize(cidr *string, length *int, hosts *int64, target *api.Target) (ipam.BlockSize, error) {
	at, err := prefixAt("/cidr", cidr)
	return ipam.BlockSize{CIDR: at, Length: length, Hosts: value(hosts), Target: ipam.Target(value(target))}, err
}

func placing(strategy *api.Strategy, exclude *api.Exclude) (ipam.Placing, error) {
	p := ipam.Placing{Strategy: alloc.Strategy(value(strategy))}
	for i, text := range value(exclude) {
		x, err := prefixAt(fmt.Sprintf("/exclude/%d", i), &text)
		if err != nil {
			return p, err
		}
		p.Exclude = append(p.Exclude, x)
	}
	return p, nil
}

// prefixPatch reads the CIDR of a change; nil where it names none.
func prefixPatch(text *string) (*netip.Prefix, error) {
	if text == nil {
		return nil, nil
	}
	p, err := prefixAt("/cidr", text)
	return &p, err
}

func familyName(p netip.Prefix) api.Family {
	if p.Addr().Is4() {
		return api.FamilyIpv4
	}
	return api.FamilyIpv6
}

func familyNumber(f *api.Family) int {
	switch value(f) {
	case api.FamilyIpv4:
		return 4
	case api.FamilyIpv6:
		return 6
	default:
		return 0
	}
}

// around reads the filters by address. An address alone is the block of that address.
func around(within, contains *string) (a ipam.Around, err error) {
	if a.Within, err = prefixAt("query:within", within); err != nil {
		return a, err
	}
	if contains != nil && !strings.Contains(*contains, "/") {
		if ip, err := netip.ParseAddr(*contains); err == nil && ip.Zone() == "" && !ip.Is4In6() {
			a.Contains = netip.PrefixFrom(ip, ip.BitLen())
			return a, nil
		}
	}
	a.Contains, err = prefixAt("query:contains", contains)
	return a, err
}

func accountKind(cloud *api.Cloud, platform *string, tier *api.Tier) ipam.AccountKind {
	return ipam.AccountKind{Cloud: string(value(cloud)), Platform: value(platform), Tier: string(value(tier))}
}

// counted is the total of a list where it is asked for.
func counted(asked *bool, count func() (int64, error)) (*int64, error) {
	if !value(asked) {
		return nil, nil
	}
	n, err := count()
	return &n, err
}

func labelFilter(pairs api.LabelFilter) ([]ipam.Label, error) {
	var out []ipam.Label
	for _, pair := range pairs {
		key, val, found := strings.Cut(pair, "=")
		if !found || key == "" {
			return nil, ipam.Invalid("query:label", "%q is not a label; write key=value", pair)
		}
		out = append(out, ipam.Label{Key: key, Value: val})
	}
	return out, nil
}

// page reads a page token, which is a cursor that only we can make sense of.
func page(limit *int, token *string) (ipam.Page, error) {
	p := ipam.Page{Limit: 100}
	if limit != nil {
		p.Limit = *limit
	}
	if token == nil || *token == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*token)
	if err == nil {
		err = json.Unmarshal(raw, &p.After)
	}
	if err != nil || !isText(p.After.ID) {
		return p, ipam.Invalid("query:page_token", "not a page token of this server; pass next_page_token back as it came")
	}
	return p, nil
}

// nextPage is the token behind the last item of a full page; nil at the end.
func nextPage[T any](p ipam.Page, items []T, cursor func(T) ipam.Cursor) *string {
	if len(items) < p.Limit || len(items) == 0 {
		return nil
	}
	return cursorToken(cursor(items[len(items)-1]))
}

func cursorToken(at ipam.Cursor) *string {
	raw, err := json.Marshal(at)
	if err != nil {
		panic(err) // a cursor always marshals
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	return &token
}

func each[A, B any](items []A, convert func(A) B) []B {
	out := make([]B, 0, len(items))
	for _, item := range items {
		out = append(out, convert(item))
	}
	return out
}

func etag(tag string) string { return `"` + tag + `"` }

// ifMatch reads which versions a request is about.
func ifMatch(header *api.IfMatch) (ipam.Match, error) {
	if header == nil {
		return ipam.Match{}, nil
	}
	return ipam.ParseMatch(*header)
}
