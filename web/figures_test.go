package web_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// prefix is one block of /prefixes, which is all that the figures are recomputed from.
type prefix struct {
	Scope, Pool, Kind, Status, Name string
	CIDR                            netip.Prefix
	OwnerID                         string    `json:"owner_id"`
	CreatedAt                       time.Time `json:"created_at"`
}

func (s *server) prefixes() (all []prefix) {
	s.t.Helper()
	for path := "/prefixes?limit=1000"; ; {
		status, page := s.request("GET", path, adminToken, nil)
		if status != 200 {
			s.t.Fatalf("GET %s: %d %v", path, status, page)
		}
		raw, err := json.Marshal(page["items"])
		if err != nil {
			s.t.Fatal(err)
		}
		var items []prefix
		if err := json.Unmarshal(raw, &items); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, items...)
		token, more := page["next_page_token"].(string)
		if !more {
			return all
		}
		path = "/prefixes?limit=1000&page_token=" + url.QueryEscape(token)
	}
}

// strew makes an estate at random. What does not fit is refused, and that is all right.
func (s *server) strew(r *rand.Rand) {
	ask := func(method, path string, body object) object {
		raw, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		_, got := s.request(method, path, adminToken, strings.NewReader(string(raw)))
		return got
	}
	s.post("/scopes", object{"name": "other"})
	s.post("/pools", object{"name": "four", "cidr": "10.0.0.0/16", "quarantine_seconds": 3600})
	s.post("/pools", object{"name": "six", "cidr": "2001:db8::/48"})
	s.post("/pools", object{"name": "small", "cidr": "192.168.0.0/24"})
	s.post("/pools", object{"scope": "other", "name": "four", "cidr": "10.0.0.0/20"})
	pools := []string{"four", "four", "six", "small", "other.four"}
	var made []string
	for i := range 90 {
		pool := pools[r.IntN(len(pools))]
		length := 20 + r.IntN(9)
		if strings.HasPrefix(pool, "six") {
			length = 52 + r.IntN(12)
		}
		switch r.IntN(9) {
		case 0, 1:
			name := fmt.Sprintf("%s-%d", strings.TrimPrefix(pool, "other."), i)
			if got := ask("POST", "/pools", object{"name": name, "parent": pool, "prefix_length": length - 2}); got["id"] != nil {
				pools = append(pools, got["id"].(string))
			}
		case 2:
			ask("POST", "/reservations", object{"pool": pool, "reason": "kept", "prefix_length": length})
		case 3:
			ask("POST", "/holds", object{"pool": pool, "name": fmt.Sprintf("held-%d", i), "prefix_length": length})
		case 4:
			ask("POST", "/pool-drafts", object{"pool": object{"name": fmt.Sprintf("draft-%d", i), "parent": pool, "prefix_length": length}})
		default:
			if got := ask("POST", "/allocations", object{"pool": pool, "name": fmt.Sprintf("n-%d", i), "prefix_length": length, "owner": []string{"ana", "bob", ""}[r.IntN(3)]}); got["id"] != nil {
				made = append(made, got["id"].(string))
			}
		}
	}
	// What is released is in quarantine in one pool, and free in the others. The answer has no body.
	for _, id := range made[:min(6, len(made))] {
		s.gone("/allocations/" + id)
	}
}

// split is the space, and the number of blocks, of each part of a pool.
type split struct {
	space  map[string]*big.Rat
	blocks map[string]int64
}

func newSplit() split { return split{map[string]*big.Rat{}, map[string]int64{}} }

func (s split) add(part string, block netip.Prefix) {
	s.plus(part, amountOf(block), 1)
}

func (s split) plus(part string, space *big.Rat, blocks int64) {
	s.space[part] = new(big.Rat).Add(s.of(part), space)
	s.blocks[part] += blocks
}

func (s split) of(part string) *big.Rat {
	if s.space[part] == nil {
		return new(big.Rat)
	}
	return s.space[part]
}

func (s split) sum(parts ...string) *big.Rat {
	all := new(big.Rat)
	for _, part := range parts {
		all.Add(all, s.of(part))
	}
	return all
}

var (
	living = []string{"allocated", "reserved", "held"}
	leaves = append(slices.Clone(living), "quarantined", "free")
)

// amountOf is the space of a block: IPv4 addresses, or IPv6 networks of 64 bits.
func amountOf(block netip.Prefix) *big.Rat {
	size := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(block.Addr().BitLen()-block.Bits())))
	if block.Addr().Is6() {
		size.Quo(size, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 64)))
	}
	return size
}

// cover is what is free of a block: the fewest blocks that have all but what is taken.
func cover(block netip.Prefix, taken []netip.Prefix) []netip.Prefix {
	var inside []netip.Prefix
	for _, t := range taken {
		if t.Overlaps(block) {
			inside = append(inside, t)
		}
	}
	if len(inside) == 0 {
		return []netip.Prefix{block}
	}
	if inside[0].Bits() <= block.Bits() {
		return nil
	}
	low := netip.PrefixFrom(block.Addr(), block.Bits()+1)
	raw := block.Addr().AsSlice()
	raw[block.Bits()/8] |= 0x80 >> (block.Bits() % 8)
	high, _ := netip.AddrFromSlice(raw)
	return append(cover(low, inside), cover(netip.PrefixFrom(high, block.Bits()+1), inside)...)
}

// land is what an estate adds up to.
type land struct {
	pools   map[string]prefix // by id
	direct  map[string]split  // of each pool
	rolled  map[string]split
	all     map[string]split          // by family
	grown   map[string]split          // allocated and reserved, with all below
	largest map[string]int            // the length of the largest free block
	classes map[string]map[int]int64  // free blocks by family and length
	made    map[string]int64          // by kind
	by      map[string]map[string]int // allocations' blocks by family and pool
}

func familyOf(p netip.Prefix) string {
	if p.Addr().Is6() {
		return "ipv6"
	}
	return "ipv4"
}

func survey(all []prefix) land {
	l := land{pools: map[string]prefix{}, direct: map[string]split{}, rolled: map[string]split{}, all: map[string]split{"ipv4": newSplit(), "ipv6": newSplit()}, grown: map[string]split{}, largest: map[string]int{}, classes: map[string]map[int]int64{"ipv4": {}, "ipv6": {}}, made: map[string]int64{}, by: map[string]map[string]int{"ipv4": {}, "ipv6": {}}}
	for _, x := range all {
		if x.Kind == "pool" && x.Status == "allocated" {
			l.pools[x.OwnerID] = x
			l.direct[x.OwnerID], l.rolled[x.OwnerID], l.grown[x.OwnerID] = newSplit(), newSplit(), newSplit()
		}
	}
	taken := map[string][]netip.Prefix{}
	for _, x := range all {
		part, kind := x.Status, x.Kind+"s"
		switch {
		case x.Status == "held":
			kind = "holds"
		case x.Kind == "pool":
			part = "delegated"
		}
		l.made[kind]++
		if x.Pool == "" {
			continue
		}
		taken[x.Pool] = append(taken[x.Pool], x.CIDR)
		if l.pools[x.Pool].OwnerID == "" {
			continue // what a plan holds in what it has drafted
		}
		l.direct[x.Pool].add(part, x.CIDR)
		if part == "allocated" {
			l.by[familyOf(x.CIDR)][x.Pool]++
		}
		if part != "delegated" {
			l.climb(x.Pool, part, x.CIDR)
		}
	}
	for id, p := range l.pools {
		l.largest[id] = -1
		for _, b := range cover(p.CIDR, taken[id]) {
			l.direct[id].add("free", b)
			l.climb(id, "free", b)
			l.classes[familyOf(b)][b.Bits()]++
			if l.largest[id] < 0 || b.Bits() < l.largest[id] {
				l.largest[id] = b.Bits()
			}
		}
	}
	return l
}

// climb adds a block to its pool and all pools above.
func (l land) climb(pool, part string, block netip.Prefix) {
	l.all[familyOf(block)].add(part, block)
	for at := pool; at != ""; at = l.pools[at].Pool {
		l.rolled[at].add(part, block)
		if part == "allocated" || part == "reserved" {
			l.grown[at].add("grown", block)
		}
	}
}

// order is that of a tree: by scope, family and address, parents before children.
func (l land) order() []string {
	return slices.SortedFunc(maps.Keys(l.pools), func(a, b string) int {
		x, y := l.pools[a], l.pools[b]
		return cmp.Or(cmp.Compare(x.Scope, y.Scope), x.CIDR.Addr().Compare(y.CIDR.Addr()), cmp.Compare(x.CIDR.Bits(), y.CIDR.Bits()))
	})
}

func (l land) ratio(id string) float64 {
	return float(new(big.Rat).Quo(l.rolled[id].sum(living...), amountOf(l.pools[id].CIDR)))
}

func float(r *big.Rat) float64 {
	f, _ := r.Float64()
	return f
}

func share(part, whole *big.Rat) float64 {
	if whole.Sign() == 0 {
		return 0
	}
	return float(part) / float(whole)
}

// percent, addresses, spaceWord and plural are how figures are written, as js/format.js and js/amounts.js do.
func percent(ratio float64) string {
	p := ratio * 100
	switch {
	case p <= 0:
		return "0 %"
	case p >= 100:
		return "100 %"
	case p < 0.1:
		return "< 0.1 %"
	case p < 10:
		return fmt.Sprintf("%.1f %%", math.Floor(p*10)/10)
	case p > 99:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", math.Floor(p*10)/10), ".0") + " %"
	}
	return fmt.Sprintf("%.0f %%", math.Floor(p+.5))
}

func addresses(n *big.Int) string {
	if n.Cmp(big.NewInt(100000)) < 0 {
		return grouped(n.Int64())
	}
	for _, u := range []struct {
		name string
		size int64
	}{{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"k", 1e3}} {
		if n.Cmp(big.NewInt(1000*1e12)) >= 0 {
			exponent := n.BitLen() - 1
			if new(big.Int).Lsh(big.NewInt(1), uint(exponent)).Cmp(n) == 0 {
				return fmt.Sprintf("2^%d", exponent)
			}
			return fmt.Sprintf("≈ 2^%d", exponent)
		}
		if n.Cmp(big.NewInt(u.size)) < 0 {
			continue
		}
		tenths := new(big.Int).Quo(new(big.Int).Mul(n, big.NewInt(10)), big.NewInt(u.size)).Int64()
		if tenths >= 1000 {
			return fmt.Sprintf("%d %s", tenths/10, u.name)
		}
		return fmt.Sprintf("%d.%d %s", tenths/10, tenths%10, u.name)
	}
	return ""
}

func grouped(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func spaceWord(r *big.Rat) string {
	if r.Sign() > 0 && r.Cmp(big.NewRat(1, 1)) < 0 {
		return "< 1"
	}
	return addresses(new(big.Int).Quo(r.Num(), r.Denom()))
}

func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(n) + " " + noun
}

// figures are all that a page shows as a figure: where it stands, and what it says.
const figures = `JSON.stringify(Object.fromEntries([...document.querySelectorAll('[data-figure]')].filter(e => e.checkVisibility()).map(e => {
	const row = e.closest('tr'), board = e.closest('section');
	return [[board ? board.getAttribute('aria-labelledby').replace('-title', '') : 'stats', row ? Object.values(row.dataset).filter(Boolean).join('/') : '', e.dataset.figure].filter(Boolean).join(' '), e.innerText];
})))`

// agree compares all figures of a page with all that are expected: one that nobody expects is as wrong as one that is missing.
func agree(t *testing.T, b *chromium, page string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	if err := json.Unmarshal([]byte(b.text(figures)), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			t.Errorf("%s: %s is %q, want %q", page, key, got[key], want[key])
		}
		delete(got, key)
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		t.Errorf("%s shows %s, %q, which does not follow from /prefixes", page, key, got[key])
	}
	if len(want) < 10 {
		t.Errorf("%s: only %d figures are expected: %v", page, len(want), want)
	}
}

const settledParts = "![...document.querySelectorAll('.board .under')].some(e => e.offsetParent && e.innerText === 'Loading…') && !" + `document.querySelector('.board .failed')?.checkVisibility()`

// TestFigures makes estates at random, and recomputes every figure on the dashboard, on Analytics and on Pools from /prefixes.
func TestFigures(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := startServer(t)
			s.strew(rand.New(rand.NewPCG(seed, 3)))
			b := startChromium(t)
			b.resize(1440, 900, "light")
			s.signIn(b)
			l := survey(s.prefixes())
			b.open(s.url + "/dashboard")
			b.await(find("[data-full]") + " && " + find("[data-lasting]") + " && " + settledParts)
			agree(t, b, "the dashboard", l.dashboard())
			b.open(s.url + "/analytics?by=pool&step=month")
			b.await(find("[data-bar]") + " && " + find("[data-group]") + " && " + find("[data-class]") + " && " + find("[data-lasting]") + " && " + find("[data-chart=made] canvas") + " && " + settledParts)
			b.await("(" + find(".as-table") + ".open = true, true)")
			agree(t, b, "Analytics", l.analytics())
			b.open(s.url + "/pools")
			b.await(find("tr[data-pool]"))
			agree(t, b, "Pools", l.tree())
			if told := b.complaints(); len(told) > 0 {
				t.Errorf("the page complained:\n%s", strings.Join(told, "\n"))
			}
		})
	}
}

// parts are the figures of the split of both families.
func (l land) parts(want map[string]string, board string) {
	for family, all := range l.all {
		for _, part := range leaves {
			key := board + " " + family + " " + part
			want[key], want[key+" blocks"], want[key+" share"] = spaceWord(all.of(part)), plural(all.blocks[part], "block"), percent(share(all.of(part), all.sum(leaves...)))
		}
	}
}

// runway are the pools that run out, the first first. All that there is was made within the day that counts for a pace.
func (l land) runway(want map[string]string, most int) {
	days := func(id string) float64 { return float(l.rolled[id].of("free")) / float(l.grown[id].of("grown")) }
	var ids []string
	for _, id := range l.order() {
		if l.grown[id].blocks["grown"] > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(days(a), days(b)) })
	for _, id := range ids[:min(most, len(ids))] {
		last := plural(int64(math.Floor(days(id))), "day")
		switch d := days(id); {
		case d >= 3650:
			last = "over 10 years"
		case d >= 730:
			last = fmt.Sprintf("%d years", int(d/365))
		case d == 0:
			last = "nothing is left"
		case d < 1:
			last = "less than a day"
		}
		key := "runway " + id
		want[key+" lasts"], want[key+" free"], want[key+" grown"] = last, percent(share(l.rolled[id].of("free"), amountOf(l.pools[id].CIDR))), spaceWord(l.grown[id].of("grown"))
	}
}

func (l land) dashboard() map[string]string {
	want := map[string]string{}
	l.parts(want, "use")
	for family, all := range l.all {
		want["stats "+family+" used"], want["stats "+family+" free"] = percent(share(all.sum(living...), all.sum(leaves...))), spaceWord(all.of("free"))
	}
	ids := l.order()
	slices.SortStableFunc(ids, func(a, b string) int {
		if x, y := l.ratio(a), l.ratio(b); x != y {
			return cmp.Compare(y, x)
		}
		return amountOf(l.pools[b].CIDR).Cmp(amountOf(l.pools[a].CIDR))
	})
	for _, id := range ids[:min(8, len(ids))] {
		want["fullest "+id+" used"], want["fullest "+id+" free"] = percent(l.ratio(id)), spaceWord(l.rolled[id].of("free"))
	}
	l.runway(want, 8)
	return want
}

func (l land) analytics() map[string]string {
	want := map[string]string{}
	l.parts(want, "split")
	roots := map[string]split{"ipv4": newSplit(), "ipv6": newSplit()}
	for id, p := range l.pools {
		if p.Pool == "" {
			roots[familyOf(p.CIDR)].plus("delegated", l.direct[id].of("delegated"), l.direct[id].blocks["delegated"])
		}
		taken := int64(0)
		for _, part := range append([]string{"delegated", "quarantined"}, living...) {
			taken += l.direct[id].blocks[part]
		}
		if taken > 0 {
			want["bars "+id+" blocks"], want["bars "+id+" allocated"], want["bars "+id+" children"] = plural(taken, "block"), plural(l.direct[id].blocks["allocated"], "allocation"), ""
			if n := l.direct[id].blocks["delegated"]; n > 0 {
				want["bars "+id+" children"] = plural(n, "child pool")
			}
		}
	}
	for family, all := range l.all {
		key := "split " + family + " delegated"
		want[key], want[key+" blocks"], want[key+" share"] = spaceWord(roots[family].of("delegated")), plural(roots[family].blocks["delegated"], "block"), percent(share(roots[family].of("delegated"), all.sum(leaves...)))
		bits := map[string]int{"ipv4": 32, "ipv6": 128}[family]
		free, fits, last := new(big.Int), new(big.Int), 0
		size := func(length int, n int64) *big.Int {
			return new(big.Int).Mul(big.NewInt(n), new(big.Int).Lsh(big.NewInt(1), uint(bits-length)))
		}
		for length, n := range l.classes[family] {
			free.Add(free, size(length, n))
		}
		for _, length := range slices.Sorted(maps.Keys(l.classes[family])) {
			n := l.classes[family][length]
			fits.Add(fits.Lsh(fits, uint(length-last)), big.NewInt(n))
			last = length
			part := new(big.Int).Quo(new(big.Int).Mul(size(length, n), big.NewInt(1000000)), free)
			key := fmt.Sprintf("left %s%d ", family, length)
			want[key+"share"], want[key+"count"], want[key+"fits"] = percent(float64(part.Int64())/1000000), addresses(big.NewInt(n)), addresses(fits)
		}
	}
	l.groups(want)
	l.runway(want, 20)
	for _, kind := range []string{"allocations", "pools", "reservations", "holds", "quarantines"} {
		want["made "+time.Now().UTC().Format("2006-01")+"-01T00:00:00Z "+kind] = fmt.Sprint(l.made[kind])
	}
	return want
}

// groups are the IPv4 allocations of each pool: the eight largest, and the others together.
func (l land) groups(want map[string]string) {
	ids := slices.Sorted(maps.Keys(l.by["ipv4"]))
	slices.SortStableFunc(ids, func(a, b string) int { return l.direct[b].of("allocated").Cmp(l.direct[a].of("allocated")) })
	whole, rest, others := new(big.Rat), new(big.Rat), int64(0)
	for i, id := range ids {
		whole.Add(whole, l.direct[id].of("allocated"))
		if i >= 8 {
			rest.Add(rest, l.direct[id].of("allocated"))
			others += l.direct[id].blocks["allocated"]
		}
	}
	put := func(name string, space *big.Rat, blocks int64) {
		want["ring "+name+" share"], want["ring "+name+" space"], want["ring "+name+" blocks"] = percent(share(space, whole)), spaceWord(space), plural(blocks, "block")
	}
	for _, id := range ids[:min(8, len(ids))] {
		put(id, l.direct[id].of("allocated"), l.direct[id].blocks["allocated"])
	}
	if others > 0 {
		put("all others", rest, others)
	}
}

// tree is the page of pools of the scope default.
func (l land) tree() map[string]string {
	want := map[string]string{}
	crowded := 0
	total, used := map[string]*big.Rat{"ipv4": {}, "ipv6": {}}, map[string]*big.Rat{"ipv4": {}, "ipv6": {}}
	millionths := func(part, whole *big.Rat) float64 {
		of := new(big.Rat).Quo(part, whole)
		n := new(big.Int).Quo(new(big.Int).Mul(of.Num(), big.NewInt(1000000)), of.Denom())
		return float64(n.Int64()) / 1000000
	}
	for id, p := range l.pools {
		if p.Scope != "default" {
			continue
		}
		ratio := millionths(l.rolled[id].sum(living...), amountOf(p.CIDR))
		if ratio >= 0.8 {
			crowded++
		}
		largest := "none"
		if l.largest[id] >= 0 {
			largest = fmt.Sprintf("/%d", l.largest[id])
		}
		want["tree "+id+" used"], want["tree "+id+" largest"] = percent(ratio), largest
		if p.Pool == "" {
			total[familyOf(p.CIDR)].Add(total[familyOf(p.CIDR)], amountOf(p.CIDR))
			used[familyOf(p.CIDR)].Add(used[familyOf(p.CIDR)], l.rolled[id].sum(living...))
		}
	}
	want["stats IPv4 addresses"], want["stats IPv4 in use"] = spaceWord(total["ipv4"]), percent(millionths(used["ipv4"], total["ipv4"]))
	want["stats IPv6, in /64s"], want["stats IPv6 in use"] = spaceWord(total["ipv6"]), percent(millionths(used["ipv6"], total["ipv6"]))
	want["stats Pools over 80 % in use"] = fmt.Sprint(crowded)
	return want
}
