package web_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// figures are all that a page shows as a figure: where it stands, and what it says, to those who hear it too.
const figures = `JSON.stringify(Object.fromEntries([...document.querySelectorAll('[data-figure]')].filter(e => e.checkVisibility()).flatMap(e => {
	const row = e.closest('tr'), board = e.closest('section, aside');
	const key = [board ? board.getAttribute('aria-labelledby').replace('-title', '') : 'stats', row ? Object.values(row.dataset).filter(Boolean).join('/') : '', e.dataset.figure].filter(Boolean).join(' ');
	return [[key, e.innerText ?? e.getAttribute('aria-label')], ...(e.matches('.c-used') ? [[key + ' title', e.title]] : [])];
})))`

// unmarked is what a page says in digits that is no figure. Names are links, headings or settings, blocks are code; what ends and what happened are
// lists with their times, which other tests look at.
const unmarked = `(() => {
	const seen = [], walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const e = walk.currentNode.parentElement;
		const text = walk.currentNode.textContent.replace(/IPv[46]|\/64s|80 %|(last|within) \d+ days|\w+ \d+, \d{4}(, \d+:\d\d.[AP]M)?/g, '').trim();
		if (/\d/.test(text) && e.checkVisibility() && !e.closest('[data-figure], a, h2, dd, code, pre, svg, [data-up], [aria-labelledby=endings-title], [aria-labelledby=recent-title]')) seen.push(text);
	}
	return seen.join(', ');
})()`

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
	if more := b.text(unmarked); more != "" {
		t.Errorf("%s says what nobody counts here: %s", page, more)
	}
	if len(want) < 10 {
		t.Errorf("%s: only %d figures are expected: %v", page, len(want), want)
	}
}

const settledParts = "![...document.querySelectorAll('.board .under')].some(e => e.offsetParent && e.innerText === 'Loading…') && !" + `document.querySelector('.board .failed')?.checkVisibility()`

// TestFigures makes estates at random, and recomputes every figure on the dashboard, on Analytics and on Pools from /prefixes. What is not marked
// as a figure says none.
func TestFigures(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := startServer(t)
			s.strew(rand.New(rand.NewPCG(seed, 3)))
			b := startChromium(t)
			b.resize(1440, 900, "light")
			s.signIn(b)
			all := s.prefixes()
			l := survey(all)
			b.open(s.url + "/dashboard")
			b.await(find("[data-full]") + " && " + find("[data-lasting]") + " && " + settledParts)
			agree(t, b, "the dashboard", l.dashboard())
			for where, l := range map[string]land{"": l, "&scope=other": survey(ofScope(all, "other")), "&pool=four": survey(below(all, "four")), "&pool=six": survey(below(all, "six"))} {
				if strings.HasPrefix(where, "&pool") {
					l.made["pools"]-- // a pool was not made in itself
				}
				b.open(s.url + "/analytics?by=pool&step=month" + where)
				b.await(find("[data-bar]") + " && " + find("[data-class]") + " && " + find("[data-chart=made] canvas") + " && " + settledParts)
				b.await("(" + find(".as-table") + ".open = true, true)")
				agree(t, b, "Analytics"+where, l.analytics())
			}
			for _, id := range l.order() {
				b.open(s.url + "/pools?pool=" + id)
				b.await(find("#panel-title") + "?.checkVisibility() && " + hides(".panel", "Loading…"))
				agree(t, b, "Pools, "+id, l.tree(l.pools[id].Scope, id))
			}
			if told := b.complaints(); len(told) > 0 {
				t.Errorf("the page complained:\n%s", strings.Join(told, "\n"))
			}
		})
	}
}

// parts are the figures of the split of both families.
func (l land) parts(want map[string]string, board string) {
	for family, all := range l.all {
		if all.sum(leaves...).Sign() == 0 {
			continue // of which there is nothing
		}
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
	crowded := 0
	for id := range l.pools {
		if l.ratio(id) >= 0.8 {
			crowded++
		}
	}
	want["stats pools"] = plural(int64(len(l.pools)), "pool") + fmt.Sprintf(", %d over 80 %%", crowded)
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
		if all.sum(leaves...).Sign() == 0 {
			continue
		}
		want["split "+family+" total"] = spaceWord(all.sum(leaves...))
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
