package httpapi_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// walk reads all pages of a list.
func walk[T any](t testing.TB, s lab, path, as string) (all []T) {
	t.Helper()
	sep := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
	for token := ""; ; {
		a := s.send(t, "GET", "/api/v1"+path+token, "", as)
		if a.status != 200 {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		p := decode[struct {
			Items []T
			Next  string `json:"next_page_token"`
		}](t, a)
		all = append(all, p.Items...)
		if p.Next == "" {
			return all
		}
		token = sep + "page_token=" + url.QueryEscape(p.Next)
	}
}

// spread writes at random until there is something of everything. Requests may fail.
func (s lab) spread(t testing.TB, r *rand.Rand) {
	post[api.Scope](t, s, "/scopes", `{"name":"b"}`)
	for i, tier := range []string{"prd", "dev"} {
		post[api.Account](t, s, "/accounts", fmt.Sprintf(`{"cloud":"custom","external_id":"a%d","name":"n","tier":%q,"platform":"p%d"}`, i, tier, i))
	}
	roots := []string{`{"name":"v4","cidr":"10.0.0.0/12","quarantine_seconds":3600}`, `{"name":"v6","cidr":"2001:db8::/40"}`, `{"scope":"b","name":"v4","cidr":"10.0.0.0/16"}`, `{"name":"tiny","cidr":"2001:db9::/120"}`}
	pools := []string{"v4", "v6", "b.v4", "tiny"}
	for _, p := range roots {
		post[api.Pool](t, s, "/pools", p)
	}
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	var made []string
	for i := range 150 {
		pool := pools[r.IntN(len(pools))]
		length := 18 + r.IntN(12)
		if strings.Contains(pool, "v6") {
			length = 44 + r.IntN(84)
		} else if pool == "tiny" {
			length = 121 + r.IntN(7)
		}
		scope, _, other := strings.Cut(pool, ".")
		if !other {
			scope = "default"
		}
		who := fmt.Sprintf(`"owner":%q,"account":%q,"region":%q,"environment":%q`, one("", "ana", "bob"), one("", "custom:a0", "custom:a1", "custom:none"), one("", "r1"), one("", "prod", "dev"))
		switch r.IntN(8) {
		case 0:
			name := fmt.Sprintf("%s-p%d", map[bool]string{true: "v6", false: "q"}[strings.Contains(pool, "v6") || pool == "tiny"], i)
			a := s.send(t, "POST", "/api/v1/pools", fmt.Sprintf(`{"scope":%q,"name":%q,"parent":%q,"prefix_length":%d}`, scope, name, pool, length-1))
			if a.status == 201 && pool != "tiny" {
				pools = append(pools, decode[api.Pool](t, a).ID)
			}
		case 1:
			s.send(t, "POST", "/api/v1/reservations", fmt.Sprintf(`{"pool":%q,"reason":"r","prefix_length":%d}`, pool, length))
		case 2:
			s.send(t, "POST", "/api/v1/holds", fmt.Sprintf(`{"pool":%q,"name":"h%d","prefix_length":%d}`, pool, i, length))
		case 3:
			s.send(t, "POST", "/api/v1/pool-drafts", fmt.Sprintf(`{"pool":{"scope":%q,"name":"d%d","parent":%q,"prefix_length":%d}}`, scope, i, pool, length))
		case 4:
			if len(made) > 0 {
				s.send(t, "DELETE", "/api/v1/allocations/"+made[r.IntN(len(made))], "")
			}
		default:
			if a := s.send(t, "POST", "/api/v1/allocations", fmt.Sprintf(`{"pool":%q,"name":"n%d","prefix_length":%d,%s}`, pool, i, length, who)); a.status == 201 {
				made = append(made, decode[api.Allocation](t, a).ID)
			}
		}
		if r.IntN(3) == 0 {
			s.passed.Add(int64(r.IntN(40)) * int64(time.Hour))
		}
	}
}

type amounts map[string]*struct {
	blocks int64
	space  *big.Rat
}

func (a amounts) add(key, cidr string, sign int64) {
	if a[key] == nil {
		a[key] = &struct {
			blocks int64
			space  *big.Rat
		}{0, new(big.Rat)}
	}
	p := netip.MustParsePrefix(cidr)
	unit := p.Addr().BitLen() - p.Bits()
	size := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(unit)))
	if p.Addr().Is6() {
		size.Quo(size, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 64)))
	}
	a[key].blocks += sign
	a[key].space.Add(a[key].space, size.Mul(size, big.NewRat(sign, 1)))
}

func (a amounts) check(t *testing.T, what, key string, got api.Amount, countToo bool) {
	t.Helper()
	want := a[key]
	if want == nil {
		if got.Blocks != 0 || got.Space != 0 {
			t.Errorf("%s of %s: %+v, want none", what, key, got)
		}
		return
	}
	if f, _ := want.space.Float64(); f != got.Space || countToo && want.blocks != got.Blocks {
		t.Errorf("%s of %s: %+v, want %d blocks, %s", what, key, got, want.blocks, want.space.FloatString(6))
	}
}

// Every number of analytics is what one gets by adding up /prefixes, /pools and /allocations, for whoever asks.
func TestAnalyticsAreWhatTheBlocksAddUpTo(t *testing.T) {
	for seed := range uint64(3) {
		each(t, func(t *testing.T, s lab) {
			r := rand.New(rand.NewPCG(seed, 7))
			s.spread(t, r)
			for who, as := range map[string]string{
				"all": bearer(secret), "scope": s.as(t, ipam.NewBinding{Role: ipam.Viewer, Scope: "b"}), "pools": s.as(t, ipam.NewBinding{Role: ipam.Viewer, Pool: "v4"}, ipam.NewBinding{Role: ipam.Viewer, Pool: "tiny"}),
			} {
				t.Run(who, func(t *testing.T) { s.recompute(t, as) })
			}
		})
	}
}

func (s lab) recompute(t *testing.T, as string) {
	read := func(path string, into any) {
		t.Helper()
		a := s.send(t, "GET", "/api/v1"+path, "", as)
		if a.status != 200 {
			t.Fatalf("%s: %s", path, a.body)
		}
		switch v := into.(type) {
		case *api.SpaceUse:
			*v = decode[api.SpaceUse](t, a)
		case *api.SpaceGroups:
			*v = decode[api.SpaceGroups](t, a)
		case *api.Runway:
			*v = decode[api.Runway](t, a)
		case *api.Creations:
			*v = decode[api.Creations](t, a)
		case *api.FreeClasses:
			*v = decode[api.FreeClasses](t, a)
		}
	}
	pools, prefixes, allocations := walk[api.Pool](t, s, "/pools", as), walk[api.Prefix](t, s, "/prefixes", as), walk[api.Allocation](t, s, "/allocations", as)
	byID := map[string]api.Pool{}
	for _, p := range pools {
		byID[p.ID] = p
	}
	direct, rolled, all := amounts{}, amounts{}, amounts{}
	made := map[string]int64{}
	for _, x := range prefixes {
		kind := string(x.Kind)
		if x.Status == "held" {
			kind = "hold"
		}
		made[x.CreatedAt.UTC().Format("2006-01-02")+" "+kind]++
		if x.Pool == nil {
			continue
		}
		part := string(x.Status)
		switch {
		case x.Status == "held":
		case x.Kind == "pool":
			part = "delegated"
		}
		if _, known := byID[*x.Pool]; known {
			direct.add(*x.Pool+" "+part, x.CIDR, 1)
			for up := *x.Pool; part != "delegated" && up != ""; {
				rolled.add(up+" "+part, x.CIDR, 1)
				p, known := byID[up]
				if up = ""; known && p.Parent != nil {
					up = *p.Parent
				}
				if _, known := byID[up]; !known {
					all.add(string(x.Family)+" "+part, x.CIDR, 1)
					break
				}
			}
		}
	}
	classes := map[[2]string]int64{}
	for _, p := range pools {
		for _, b := range walk[api.SpaceBlock](t, s, "/pools/"+p.ID+"/space?limit=1000", as) {
			if b.Status == "free" {
				direct.add(p.ID+" free", b.CIDR, 1)
				_, length, _ := strings.Cut(b.CIDR, "/")
				classes[[2]string{string(p.Family), length}]++
				for up := p.ID; up != ""; {
					rolled.add(up+" free", b.CIDR, 1)
					at := byID[up]
					if up = ""; at.Parent != nil {
						if _, known := byID[*at.Parent]; known {
							up = *at.Parent
						}
					}
				}
				all.add(string(p.Family)+" free", b.CIDR, 1)
			}
		}
	}
	parts := func(u api.SpaceSplit) map[string]api.Amount {
		return map[string]api.Amount{"delegated": u.Delegated, "allocated": u.Allocated, "reserved": u.Reserved, "held": u.Held, "quarantined": u.Quarantined, "free": u.Free}
	}
	var use api.SpaceUse
	read("/analytics/utilization", &use)
	if len(use.Pools) != len(pools) || len(pools) == 0 {
		t.Fatalf("%d pools, want %d", len(use.Pools), len(pools))
	}
	for _, u := range use.Pools {
		sum, below := 0.0, 0.0
		for part, got := range parts(u.Direct) {
			direct.check(t, part, u.Pool+" "+part, got, true)
			sum += got.Space
		}
		for part, got := range parts(u.Rolled) {
			rolled.check(t, "rolled "+part, u.Pool+" "+part, got, true)
			below += got.Space
		}
		if u.Family == "ipv4" && (sum != u.Space || below != u.Space) {
			t.Errorf("%s has %v, split into %v and %v", u.Pool, u.Space, sum, below)
		}
	}
	for family, u := range map[string]api.SpaceSplit{"ipv4": use.Ipv4, "ipv6": use.Ipv6} {
		for part, got := range parts(u) {
			all.check(t, "all "+part, family+" "+part, got, true)
		}
	}
	tiers := map[string]string{}
	for _, a := range walk[api.Account](t, s, "/accounts", as) {
		tiers[a.ID] = string(*a.Tier)
	}
	for by, key := range map[string]func(api.Allocation) string{
		"scope": func(a api.Allocation) string { return a.Scope }, "pool": func(a api.Allocation) string { return a.Pool }, "account": func(a api.Allocation) string { return a.Account },
		"owner": func(a api.Allocation) string { return a.Owner }, "environment": func(a api.Allocation) string { return a.Environment },
		"region": func(a api.Allocation) string { return a.Region }, "tier": func(a api.Allocation) string { return tiers[a.Account] },
	} {
		want := amounts{}
		for _, a := range allocations {
			want.add(key(a)+" "+string(a.Family), a.CIDR, 1)
		}
		var got api.SpaceGroups
		read("/analytics/space?by="+by, &got)
		n := 0
		for _, g := range got.Groups {
			want.check(t, by, g.Key+" ipv4", g.Ipv4, true)
			want.check(t, by, g.Key+" ipv6", g.Ipv6, true)
			n += int(g.Ipv4.Blocks + g.Ipv6.Blocks)
		}
		if n != len(allocations) || got.Rest != nil {
			t.Errorf("by %s: %d allocations, want %d", by, n, len(allocations))
		}
	}
	var free api.FreeClasses
	read("/analytics/free-blocks", &free)
	for _, c := range free.Items {
		at := [2]string{string(c.Family), fmt.Sprint(c.PrefixLength)}
		if classes[at] != c.Count {
			t.Errorf("%v: %d free, want %d", at, c.Count, classes[at])
		}
		delete(classes, at)
	}
	if len(classes) > 0 {
		t.Errorf("left out: %v", classes)
	}
	var runway api.Runway
	read("/analytics/runway?since=2030-01-03T00:00:00Z", &runway)
	since, today, grown := time.Date(2030, 1, 3, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(s.passed.Load())), amounts{}
	for _, x := range prefixes {
		if x.Pool == nil || x.Kind == "pool" || x.Status != "allocated" && x.Status != "reserved" || x.CreatedAt.Before(since) {
			continue
		}
		for up := *x.Pool; byID[up].ID != ""; {
			grown.add(up+" grown", x.CIDR, 1)
			p := byID[up]
			if up = ""; p.Parent != nil {
				up = *p.Parent
			}
		}
	}
	before := 0.0
	for _, p := range runway.Pools {
		from := since
		if byID[p.Pool].CreatedAt.After(from) {
			from = byID[p.Pool].CreatedAt
		}
		grown.check(t, "grown", p.Pool+" grown", p.Grown, true)
		rolled.check(t, "free", p.Pool+" free", p.Free, true)
		want := p.Free.Space / p.Grown.Space * max(1, today.Sub(from).Hours()/24)
		if p.Days < before || math.Abs(p.Days-want) > want/1e6 || !p.Since.Equal(from) {
			t.Errorf("%s lasts %v days since %v, want %v since %v, behind %v", p.Pool, p.Days, p.Since, want, from, before)
		}
		before = p.Days
		delete(grown, p.Pool+" grown")
	}
	if len(grown) > 0 || len(runway.Pools) == 0 && as == bearer(secret) {
		t.Errorf("%d pools run out, and left out are %v", len(runway.Pools), grown)
	}
	var when api.Creations
	read("/analytics/creations?since=2030-01-02T00:00:00Z&until=2031-01-02T00:00:00Z", &when)
	if len(when.Steps) != 365 {
		t.Errorf("%d days", len(when.Steps))
	}
	for _, d := range when.Steps {
		for kind, n := range map[string]int64{"pool": d.Pools, "allocation": d.Allocations, "reservation": d.Reservations, "hold": d.Holds, "quarantine": d.Quarantines} {
			at := d.Start.Format("2006-01-02") + " " + kind
			if made[at] != n {
				t.Errorf("%s: %d, want %d", at, n, made[at])
			}
		}
	}
	for _, step := range []string{"week", "month"} {
		var coarse api.Creations
		read("/analytics/creations?since=2030-01-02T00:00:00Z&until=2031-01-02T00:00:00Z&step="+step, &coarse)
		sum := func(c api.Creations) (n int64) {
			for _, d := range c.Steps {
				n += d.Pools + d.Allocations + d.Reservations + d.Holds + d.Quarantines
			}
			return n
		}
		if sum(coarse) != sum(when) || sum(when) == 0 {
			t.Errorf("by %s: %d, by day: %d", step, sum(coarse), sum(when))
		}
	}
}
