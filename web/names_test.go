package web_test

import (
	"fmt"
	"strings"
	"testing"
)

// long is a name of sixty letters that nothing in a browser would like to break.
func long(prefix string) string { return prefix + strings.Repeat("m", 60-len(prefix)) }

// seedLong fills a scope of its own with names of sixty letters, four levels deep, IPv6 too.
func seedLong(s *server) (scope, deepest string) {
	scope = long("scope-")
	s.post("/scopes", object{"name": scope})
	parent := ""
	for i := range 4 {
		pool := object{"name": long(fmt.Sprintf("level-%d-", i+1)), "cidr": fmt.Sprintf("10.240.0.0/%d", 12+2*i), "owner": long("owner-"), "description": strings.Repeat("All about it. ", 20)}
		if parent == "" {
			pool["scope"] = scope
		} else {
			pool["parent"] = parent
		}
		parent = s.post("/pools", pool)["id"].(string)
	}
	v6 := s.post("/pools", object{"scope": scope, "name": long("v6-"), "cidr": "2001:db8:1234:5600::/56"})["id"].(string)
	account := s.post("/accounts", object{
		"cloud": "gcp", "external_id": "a" + strings.Repeat("m", 29), "name": long("account-"), "scope": scope, "owner": long("owner-"), "environment": long("env-"), "regions": []string{long("region-"), "eu-west-1"},
	})["id"].(string)
	for i := range 6 {
		s.post("/allocations", object{
			"pool": parent, "name": long(fmt.Sprintf("allocation-%d-", i)), "prefix_length": 28, "owner": long("owner-"), "account": account, "region": long("region-"), "environment": long("env-"), "description": strings.Repeat("What it is for. ", 30),
		})
	}
	s.post("/allocations", object{"pool": v6, "name": long("v6-"), "prefix_length": 64, "owner": long("owner-")})
	s.post("/reservations", object{"pool": parent, "prefix_length": 28, "reason": long("one-word-"), "owner": long("owner-")})
	s.post("/reservations", object{"pool": parent, "prefix_length": 28, "reason": strings.Repeat("because of the merger ", 20), "expires_at": "2098-12-31T22:22:22Z"})
	s.promise("/holds", object{"pool": parent, "name": long("hold-"), "prefix_length": 28, "holder": long("holder-")})
	s.promise("/pool-drafts", object{"pool": object{"name": long("draft-"), "parent": parent, "prefix_length": 26}, "holder": long("holder-")})
	return scope, parent
}

// untidy lists what long names break on the page: its width, a table's, the height of a row, a name without its whole in the title.
const untidy = `(() => {
	const seen = [], shown = all => [...document.querySelectorAll(all)].filter(e => e.offsetParent);
	const called = e => e.tagName + '.' + e.className + ' ' + e.textContent.trim().slice(0, 24);
	if (document.documentElement.scrollWidth > innerWidth) seen.push('the page is ' + document.documentElement.scrollWidth + ' px wide');
	for (const card of shown('.card, dialog[open]')) {
		const edge = card.getBoundingClientRect().right + .5;
		for (const e of card.querySelectorAll('table, tr, td, header > *, .line')) {
			if (e.offsetParent && !e.closest('.sr') && e.getBoundingClientRect().right > edge) seen.push(called(e) + ' runs out of its card');
		}
	}
	for (const row of shown('tbody tr')) {
		const most = getComputedStyle(row).display === 'grid' ? 120 : 52;
		if (row.offsetHeight > most) seen.push(called(row) + ' is ' + row.offsetHeight + ' px high');
	}
	const names = shown('.line, td:is(.c-pool, .c-extra, .c-who, .c-wide)');
	for (const e of names) {
		const text = document.createRange();
		text.selectNodeContents(e);
		if (text.getBoundingClientRect().height > 30) seen.push(called(e) + ' has more than one line');
		if (e.scrollWidth > e.clientWidth && e.title.trim() !== e.textContent.trim()) seen.push(called(e) + ' is cut and its title is ' + e.title.slice(0, 24));
	}
	for (const e of shown('.c-name :is(.name, .link)')) if (e.textContent.length > 20 && e.clientWidth < 80) seen.push(called(e) + ' has ' + e.clientWidth + ' px');
	return seen.concat(names.length ? [] : ['no name is shown']).join('\n');
})()`

// keepsNamesShort looks at every table, the panel and the drawers with names of sixty letters.
func keepsNamesShort(t *testing.T, s *server, b *chromium) {
	scope, pool := seedLong(s)
	first := func(path string) string {
		_, page := s.request("GET", path, adminToken, nil)
		return page["items"].([]any)[0].(object)["id"].(string)
	}
	views := []struct{ name, address, shown string }{
		{"tree", "/pools?scope=" + scope, find("tr[data-pool]") + "?.offsetParent"},
		{"pool", "/pools?pool=" + pool, find("[aria-labelledby=allocs-title] td a") + "?.offsetParent && " + find(".panel .map rect")},
		{"blocks", "/pools?pool=" + pool, find(".panel .map rect") + " && (" + find(".seg button:last-child") + ".click(), " + find(".panel .state") + "?.offsetParent)"},
		{"pool list", "/pool-list?scope=" + scope, find("tr[data-pool]") + "?.offsetParent"},
		{"listed pool", "/pool-list?pool=" + pool, find("dialog.drawer[open]")},
		{"allocations", "/allocations?scope=" + scope, find("tr[data-allocation]") + "?.offsetParent"},
		{"allocation", "/allocations?scope=" + scope + "&allocation=" + first("/allocations?pool="+pool), find("dialog.drawer[open]")},
		{"reservations", "/reservations?scope=" + scope, find("tr[data-reservation]") + "?.offsetParent"},
		{"holds", "/holds?scope=" + scope, find("tr[data-hold]") + "?.offsetParent && " + find("tr[data-draft]")},
		{"hold", "/holds?scope=" + scope + "&hold=" + first("/holds?scope="+scope), find("dialog.drawer[open]")},
		{"accounts", "/accounts?scope=" + scope, find("tr[data-account]") + "?.offsetParent"},
		{"account", "/accounts?scope=" + scope + "&account=" + first("/accounts?scope="+scope), find("dialog.drawer[open]")},
	}
	// Beside the common widths, those at which the page changes its shape. A wide page opens its first pool by itself.
	for _, widths := range [][]int{{360, 768, 821, 961, 1101}, {1241, 1280, 1440, 1920}} {
		for _, view := range views {
			b.resize(widths[0], 900, "light")
			b.open(s.url + view.address)
			b.await(view.shown)
			for i, width := range widths {
				b.resize(width, 900, []string{"light", "dark"}[i%2])
				b.picture(fmt.Sprintf("names-%s-%d", view.name, width))
				if found := b.text(untidy); found != "" {
					t.Errorf("%s, %d px:\n%s", view.name, width, found)
				}
			}
		}
	}
	b.resize(1440, 900, "light")
}
