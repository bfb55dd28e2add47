package web_test

import (
	"fmt"
	"testing"
)

// TestLivePools has the tree open while others change it: it follows, and nobody loses the place.
func TestLivePools(t *testing.T) {
	s := startServer(t)
	s.post("/pools", object{"name": "corp", "cidr": "10.0.0.0/8"})
	for i := range 60 {
		s.post("/pools", object{"parent": "corp", "name": fmt.Sprintf("site-%02d", i), "cidr": fmt.Sprintf("10.%d.0.0/16", 10+i)})
	}
	for i := range 4 {
		s.post("/pools", object{"parent": "site-03", "name": fmt.Sprintf("rack-%d", i), "cidr": fmt.Sprintf("10.13.%d.0/24", i)})
	}
	s.post("/allocations", object{"pool": "site-40", "name": "first", "cidr": "10.50.0.0/18"})
	s.post("/allocations", object{"pool": "site-40", "name": "second", "cidr": "10.50.128.0/18"})
	b := startChromium(t)
	b.resize(1440, 900, "light")
	s.signIn(b)
	follow(t, s, b, []step{
		{"a pool that comes leaves fold, choice, focus and place where they are", comesIntoTree},
		{"what is handed out in the open pool is seen, with what is chosen on its map", changesOpenPool},
		{"a pool that others rename is still the same one", followsRenames},
		{"a pool that others take away says so, and the focus stays in the tree", missesPool},
		{"what cannot be read anew stays as it was, and comes with the next change", staysAsItWas},
		{"the first pool of a scope takes the place of what teaches", beginsTree},
	}...)
}

const treeRows = "document.querySelectorAll('tr[data-pool]').length"

func comesIntoTree(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/pools?pool=site-40")
	b.await(treeRows + " === 65 && " + find(".panel .map rect[data-block]"))
	b.click("tr[data-pool=site-03] .twist")
	b.await(treeRows + " === 61")
	b.click(".panel .map [data-block='2']")
	b.await(says("#chosen", "10.50.128.0/18"))
	b.await("(window.row = " + find("tr[data-pool=site-42]") + ", row.scrollIntoView({block: 'center'}), row.focus(), document.activeElement === row && scrollY > 0 && (window.at = row.getBoundingClientRect().top, true))")
	s.post("/pools", object{"parent": "corp", "name": "fresh", "cidr": "10.9.0.0/16"})
	b.await(find("tr[data-pool=fresh]") + " && " + says(".tree header", "66 pools") + " && " + says("[data-news]", "1 new, 1 changed"))
	b.await("document.activeElement === row && Math.abs(row.getBoundingClientRect().top - at) <= 2")
	b.await(find("tr[data-pool=site-03]") + ".getAttribute('aria-expanded') === 'false' && " + find("tr[data-pool=site-40]") + ".ariaSelected === 'true' && " + says("#panel-title", "site-40") + " && " + says("#chosen", "10.50.128.0/18"))
}

func changesOpenPool(_ *testing.T, s *server, b *chromium) {
	b.await("(" + find(".panel") + ".scrollTop = 200, window.top0 = " + find(".panel") + ".scrollTop, top0 > 0)")
	s.post("/allocations", object{"pool": "site-40", "name": "third", "cidr": "10.50.64.0/19"})
	b.await(find("tr[data-pool=site-40] .c-used") + ".innerText === '63 %' && " + says(".use", "63 %") + " && " + says(".panel", "third") + " && document.querySelectorAll('.panel .map rect[data-block]').length === 5")
	b.await(says("#chosen", "10.50.128.0/18") + " && " + find(".panel .map rect.chosen") + " && " + find(".panel") + ".scrollTop === top0 && document.activeElement === row")
	// What is chosen says what is there by now.
	b.click(".panel .map [data-block='0']")
	b.await(says("#chosen", "10.50.0.0/18") + " && " + says("#chosen", "first") + " && (row.focus({preventScroll: true}), document.activeElement === row)")
	s.gone("/allocations/" + idOf(b.t, s, "first"))
	b.await(says("#chosen", "free") + " && " + says("#chosen", "10.50.0.0/18"))
	b.picture("live-pools-1440-light")
}

func followsRenames(_ *testing.T, _ *server, b *chromium) {
	for _, name := range []string{"site-40", "site-03"} {
		patchPool(b, name, `{"name": "new-`+name+`"}`)
	}
	b.await(says("#panel-title", "new-site-40") + " && location.search === '?pool=new-site-40' && !" + find(".note[role=status]"))
	b.await(find("tr[data-pool=new-site-03]") + "?.getAttribute('aria-expanded') === 'false' && " + find("tr[data-pool=new-site-40]") + ".ariaSelected === 'true'")
}

// patchPool and deletePool change a pool as it is by now, past the page.
func patchPool(b *chromium, pool, body string) { changePool(b, pool, "PATCH", body) }

func deletePool(b *chromium, pool string) { changePool(b, pool, "DELETE", "") }

func changePool(b *chromium, pool, method, body string) {
	b.t.Helper()
	b.await("await (async path => (await fetch(path, {method: " + quote(method) + ", headers: {'Content-Type': 'application/json', 'If-Match': (await fetch(path)).headers.get('ETag')}, body: " + quote(body) + " || undefined})).ok)(" + quote("/api/v1/pools/"+pool) + ")")
}

func missesPool(_ *testing.T, s *server, b *chromium) {
	b.await("(window.next = row.nextElementSibling.dataset.pool, document.activeElement === row)")
	deletePool(b, "site-42")
	b.await("!" + find("tr[data-pool=site-42]") + " && document.activeElement.dataset.pool === next && " + says("#panel-title", "new-site-40"))
	for _, name := range []string{"second", "third"} {
		s.gone("/allocations/" + idOf(b.t, s, name))
	}
	deletePool(b, "new-site-40")
	b.await(says(".note[role=status]", "no pool new-site-40") + " && !" + find("tr[data-pool=new-site-40]") + " && " + says(".panel .hint", "Select a pool"))
	b.await("document.activeElement.dataset.pool === next")
}

func staysAsItWas(_ *testing.T, s *server, b *chromium) {
	defer infect(b)()
	b.open(s.url + "/pools")
	b.await(find("tr[data-pool=site-10]"))
	ill(b, "/pool-tree", "lost")
	b.await("(window.fetch = (ask => (url, how) => ask(url, how).catch(error => { window.lostOnes = 1 + (window.lostOnes || 0); throw error; }))(window.fetch), true)")
	s.post("/pools", object{"parent": "corp", "name": "unseen", "cidr": "10.100.0.0/16"})
	b.await("window.lostOnes > 0")
	b.await(find("tr[data-pool=site-10]") + ".checkVisibility() && !" + find(".toast") + " && !" + find("[role=alert]") + ".checkVisibility()")
	well(b)
	s.post("/pools", object{"parent": "corp", "name": "seen", "cidr": "10.101.0.0/16"})
	b.await(find("tr[data-pool=seen]") + " && " + find("tr[data-pool=unseen]"))
}

func beginsTree(_ *testing.T, s *server, b *chromium) {
	s.post("/scopes", object{"name": "lab"})
	b.open(s.url + "/pools?scope=lab")
	b.await("document.querySelectorAll('.steps pre').length === 3")
	s.post("/pools", object{"scope": "lab", "name": "bench", "cidr": "192.168.0.0/16"})
	b.await(find("tr[data-pool='lab.bench']") + "?.checkVisibility() && !" + find(".steps") + ".checkVisibility() && " + says("#panel-title", "bench"))
}
