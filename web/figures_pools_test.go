package web_test

import (
	"fmt"
	"math/big"
	"strings"
)

// tree is the page of pools of one scope, with one of them open.
func (l land) tree(scope, open string) map[string]string {
	want := map[string]string{}
	crowded, count, roots := 0, int64(0), int64(0)
	total, used := map[string]*big.Rat{}, map[string]*big.Rat{}
	for id, p := range l.pools {
		if p.Scope != scope {
			continue
		}
		count++
		ratio := millionths(l.rolled[id].sum(living...), amountOf(p.CIDR))
		if ratio >= 0.8 {
			crowded++
		}
		want["tree "+id+" used"], want["tree "+id+" largest"] = percent(ratio), l.largestWord(id)
		want["tree "+id+" used title"] = inAddresses(p, l.rolled[id].sum(living...)) + " of " + inAddresses(p, amountOf(p.CIDR)) + " addresses in use, " + inAddresses(p, l.direct[id].of("delegated")) + " delegated to child pools"
		want["tree "+id+" bar"] = fmt.Sprintf("%s in use, %s delegated, %s, %s", percent(ratio), l.delegatedWord(id), plural(l.direct[id].blocks["delegated"], "child pool"), plural(l.direct[id].blocks["allocated"], "allocation"))
		if p.Pool == "" {
			roots++
			family := familyOf(p.CIDR)
			if total[family] == nil {
				total[family], used[family] = new(big.Rat), new(big.Rat)
			}
			total[family].Add(total[family], amountOf(p.CIDR))
			used[family].Add(used[family], l.rolled[id].sum(living...))
		}
	}
	want["tree count"] = plural(count, "pool") + ", " + plural(roots, "root")
	for family, words := range map[string][]string{"ipv4": {"IPv4 addresses", "IPv4 in use"}, "ipv6": {"IPv6, in /64s", "IPv6 in use"}} {
		if total[family] != nil {
			want["stats "+words[0]], want["stats "+words[1]] = spaceWord(total[family]), percent(millionths(used[family], total[family]))
		}
	}
	want["stats Pools over 80 % in use"] = fmt.Sprint(crowded)
	l.panel(want, open)
	return want
}

// panel is all that is said of the pool that is open.
func (l land) panel(want map[string]string, id string) {
	p, direct := l.pools[id], l.direct[id]
	size := amountOf(p.CIDR)
	want["panel used"], want["panel delegated"], want["panel largest"] = percent(millionths(l.rolled[id].sum(living...), size)), l.delegatedWord(id), l.largestWord(id)
	want["panel quarantined"], want["panel free"] = percent(millionths(l.rolled[id].of("quarantined"), size)), inAddresses(p, direct.of("free"))
	want["panel allocations"] = addresses(big.NewInt(direct.blocks["allocated"]))

	blocks := int64(0)
	for _, n := range direct.blocks {
		blocks += n
	}
	want["map blocks"] = plural(blocks, "block")
	if n := direct.blocks["reserved"]; n > 0 {
		want["map reserved"] = "Kept out of use: " + plural(n, "block") + "."
	}
	var promised []string
	if n := direct.blocks["held"] - l.drafts[id]; n > 0 {
		promised = append(promised, plural(n, "block"))
	}
	if n := l.drafts[id]; n > 0 {
		promised = append(promised, plural(n, "draft pool"))
	}
	if len(promised) > 0 {
		want["map promised"] = "Promised to plans: " + strings.Join(promised, " and ") + "."
	}

	if n := direct.blocks["delegated"]; n > 0 {
		want["facts Child pools"] = fmt.Sprint(n)
	}
	want["facts Fragmentation"] = percent(0)
	if l.largest[id] < 0 {
		return
	}
	apart := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(p.CIDR.Addr().BitLen()-l.largest[id])))
	if p.CIDR.Addr().Is6() {
		apart.Quo(apart, sixtyFour)
	}
	want["facts Fragmentation"] = percent(1 - share(apart, direct.of("free")))
	for length := min(p.CIDR.Bits()+1, p.CIDR.Addr().BitLen()); length <= min(p.CIDR.Bits()+8, p.CIDR.Addr().BitLen()); length++ {
		fits := new(big.Int)
		for at, n := range l.free[id] {
			if at <= length {
				fits.Add(fits, new(big.Int).Lsh(big.NewInt(n), uint(length-at)))
			}
		}
		want[fmt.Sprintf("ladder /%d", length)] = addresses(fits) + " of " + addresses(new(big.Int).Lsh(big.NewInt(1), uint(length-p.CIDR.Bits()))) + " free"
	}
}

func (l land) delegatedWord(id string) string {
	return percent(millionths(l.direct[id].of("delegated"), amountOf(l.pools[id].CIDR)))
}

func (l land) largestWord(id string) string {
	if l.largest[id] < 0 {
		return "none"
	}
	return fmt.Sprintf("/%d", l.largest[id])
}

var sixtyFour = new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 64))

// inAddresses counts space in addresses, of IPv6 too.
func inAddresses(p prefix, space *big.Rat) string {
	if p.CIDR.Addr().Is6() {
		space = new(big.Rat).Mul(space, sixtyFour)
	}
	return addresses(new(big.Int).Quo(space.Num(), space.Denom()))
}

// millionths is a share as js/figures.js counts it.
func millionths(part, whole *big.Rat) float64 {
	of := new(big.Rat).Quo(part, whole)
	n := new(big.Int).Quo(new(big.Int).Mul(of.Num(), big.NewInt(1000000)), of.Denom())
	return float64(n.Int64()) / 1000000
}

// ofScope is what is in one scope.
func ofScope(all []prefix, scope string) (some []prefix) {
	for _, x := range all {
		if x.Scope == scope {
			some = append(some, x)
		}
	}
	return some
}

// below is a pool as if it were a root, with what is in it and in all pools below it. Parents come before children.
func below(all []prefix, pool string) (some []prefix) {
	known := map[string]bool{pool: true}
	for grown := true; grown; {
		grown = false
		for _, x := range all {
			if x.Kind == "pool" && known[x.Pool] && !known[x.OwnerID] {
				known[x.OwnerID], grown = true, true
			}
		}
	}
	for _, x := range all {
		switch {
		case x.Kind == "pool" && x.OwnerID == pool:
			x.Pool = ""
			some = append(some, x)
		case known[x.Pool]:
			some = append(some, x)
		}
	}
	return some
}
