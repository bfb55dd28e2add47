package web_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strings"
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
	drafts  map[string]int64          // of pools, by the pool that they will stand in
	free    map[string]map[int]int64  // free blocks of each pool by length
}

func familyOf(p netip.Prefix) string {
	if p.Addr().Is6() {
		return "ipv6"
	}
	return "ipv4"
}

func survey(all []prefix) land {
	l := land{pools: map[string]prefix{}, direct: map[string]split{}, rolled: map[string]split{}, all: map[string]split{"ipv4": newSplit(), "ipv6": newSplit()}, grown: map[string]split{}, largest: map[string]int{}, classes: map[string]map[int]int64{"ipv4": {}, "ipv6": {}}, made: map[string]int64{}, by: map[string]map[string]int{"ipv4": {}, "ipv6": {}}, drafts: map[string]int64{}, free: map[string]map[int]int64{}}
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
		if x.Kind == "pool" && x.Status == "held" {
			l.drafts[x.Pool]++
		}
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
		l.largest[id], l.free[id] = -1, map[int]int64{}
		for _, b := range cover(p.CIDR, taken[id]) {
			l.direct[id].add("free", b)
			l.climb(id, "free", b)
			l.classes[familyOf(b)][b.Bits()]++
			l.free[id][b.Bits()]++
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
