package web_test

import (
	"strings"
	"testing"
)

// checkAxe is what axe-core finds on a page, a line each.
const checkAxe = `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(r =>
	r.violations.map(v => v.id + ' (' + v.help + '): ' + v.nodes.map(n => n.html.slice(0, 200)).join(' ')).join('\n'))`

// passesAxe looks at each page with axe-core, the checker that accessibility reviewers use.
func passesAxe(t *testing.T, s *server, b *chromium) {
	axe := read(t, "testdata/axe-core-4.14.1.min.js")
	id := func(path string) string {
		return b.text("fetch('/api/v1" + path + "').then(r => r.json()).then(p => p.items[0].id)")
	}
	hold := "/holds?pool=gcp-prod&hold=" + id("/holds?holder=pipeline-7")
	views := []struct{ name, address, shown string }{
		{"pools", "/pools", find("tr[data-pool=v6] .bar rect")},
		{"pool", "/pools?pool=aws-prod", find(".panel .plain a") + " && " + find(".panel .map rect")},
		{"empty", "/pools?scope=empty", find(".steps pre")},
		{"allocations", "/allocations", find("tr[data-allocation]")},
		{"allocation", "/allocations?q=payments&allocation=" + id("/allocations?name=payments"), find("dialog.drawer[open]")},
		{"pool list", "/pool-list", find("tr[data-pool]")},
		{"listed pool", "/pool-list?pool=aws-prod", find("dialog.drawer[open]")},
		{"promises", "/pools?pool=gcp-prod", find(".map rect.k-draft")},
		{"holds", "/holds?pool=gcp-prod", find("tr[data-hold]")},
		{"hold", hold, find("dialog.drawer[open]")},
		{"release", hold, find("dialog.drawer[open]") + " && (" + find("dialog.confirm[open]") + " || " + find("[data-release]") + ".click() || " + find("dialog.confirm[open]") + ")"},
		{"no hold", "/holds?pool=v6", find(".empty") + "?.offsetParent"},
		{"reservations", "/reservations", find("tr[data-reservation]")},
		{"reservation", "/reservations?reservation=" + id("/reservations"), find("dialog.drawer[open]")},
		{"release all", "/holds?holder=pipeline-7", find("[data-release-all]") + "?.offsetParent && (" + find("dialog.confirm[open]") + " || !" + find("[data-release-all]") + ".disabled && " + find("[data-release-all]") + ".click())"},
		{"reserve", "/reservations?new=&pool=lab", find("dialog.ask[open]")},
		{"rename", "/pools?pool=lab", find("[data-rename]") + "?.offsetParent && (" + find("dialog.ask[open]") + " || " + find("[data-rename]") + ".click())"},
		{"no reservation", "/reservations?pool=v6", find(".empty") + "?.offsetParent"},
		{"accounts", "/accounts", find("tr[data-account]")},
		{"account", "/accounts?account=aws:012345678901", find("dialog.drawer[open]")},
		{"no account", "/accounts?environment=none", find(".empty") + "?.offsetParent"},
		{"sets", "/sets", find("tr[data-set]")},
		{"set", "/sets?set=" + id("/allocation-sets"), find("dialog.drawer[open] tbody tr")},
		{"quarantine", "/quarantine", find(".empty, tr[data-quarantine]") + "?.offsetParent"},
		{"audit", "/audit", find("tr[data-event]")},
		{"event", "/audit?event=" + id("/events"), find("dialog.drawer[open] tbody tr")},
		{"networks", "/networks", find(".empty") + "?.offsetParent"},
		{"approvals", "/approvals", find(".empty") + "?.offsetParent"},
		{"drift", "/drift", find(".empty") + "?.offsetParent"},
		{"tokens", "/tokens", find("tr[data-token]")},
		{"bindings", "/bindings", find("tr[data-binding]")},
		{"find", "/find?size=%2F22", find("[data-place]")},
		{"check", "/find?cidr=10.0.0.0%2F16", find("[data-verdict=default] .chain a")},
		{"search", "/pools", find("tr[data-pool=v6]") + " && (" + find("#hits a") + " || (" + find("dialog.finder[open]") + " ? (" + find(".finder .in") + ".value !== 'eks' && (" + find(".finder .in") + ".value = 'eks', " + find(".finder .in") + ".dispatchEvent(new Event('input'))), false) : (dispatchEvent(new CustomEvent('search')), false)))"},
		{"allocate", "/pools?pool=lab", find("[data-allocate]") + "?.offsetParent && (" + find("dialog.ask[open]") + " || " + find("[data-allocate]") + ".click())"},
		{"drafts", "/holds", find("tr[data-draft]")},
		{"login", "/login", canSignIn},
		{"me", "/pools", find("tr[data-pool]") + " && (" + find("dialog[open]") + " || " + find("[data-me]") + ".click())"},
		{"missing", "/no-such-page", find("h1")},
	}
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int{1440, 390} {
			b.resize(width, 900, theme)
			for _, view := range views {
				b.open(s.url + view.address)
				b.await(view.shown)
				if _, err := b.value(axe + "; 0"); err != nil {
					t.Fatal(err)
				}
				if found := b.text(checkAxe); found != "" {
					t.Errorf("%s, %s, %d px:\n%s", view.name, theme, width, found)
				}
			}
		}
	}
	onlyMissing(t, b)
}

// onlyMissing takes the complaint that the browser itself makes about a page that answers 404.
func onlyMissing(t *testing.T, b *chromium) {
	t.Helper()
	for _, told := range b.complaints() {
		if !strings.Contains(told, "status of 404") || !strings.Contains(told, "/no-such-page") {
			t.Errorf("the page complained: %s", told)
		}
	}
}
