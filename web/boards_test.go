package web_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// berlin is a data centre as a document: one network, 49 subnets in it, and one subnet that no pool has.
func berlin() string {
	subnets := []string{`{"id":"vlan-999","name":"stray","network":"dc-1","region":"berlin","cidr":"172.16.9.0/24"}`}
	for i := range 49 {
		subnets = append(subnets, fmt.Sprintf(`{"id":"vlan-%d","name":"rack-%d","network":"dc-1","region":"berlin","cidr":"10.200.%d.0/24","tags":{"team":"net"}}`, i, i, i))
	}
	return `{"networks":[{"id":"dc-1","name":"berlin-dc","region":"berlin","cidrs":["10.200.0.0/16"]}],"subnets":[` + strings.Join(subnets, ",") + `]}`
}

// TestBoards looks at the dashboard, analytics, policies and what clouds have: with nothing, with an estate, and with what cannot be read.
func TestBoards(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "berlin.json"), []byte(berlin()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "CLOUDPAM_CLOUDS=custom", "CLOUDPAM_CUSTOM_DIR="+dir)
	b := startChromium(t)
	b.resize(1440, 900, "light")
	s.signIn(b)
	follow(t, s, b, []step{
		{"with nothing, the boards teach and deny nothing", teachesBoards},
		{"what a data centre has is looked at, listed and filtered", looksAtClouds},
		{"fifty differences are answered at once, with what would become of them and the Terraform for it", adoptsAll},
		{"the dashboard says what is full, what runs out, what ends, what differs and what changed, and leads there", showsDashboard},
		{"every mark of a picture leads to what it counts, and a table says the same", drawsPictures},
		{"a policy is explained, tried, set and taken away", explainsPolicies},
		{"a board that could not be read says so, and asks again", admitsBoards},
		{"names of sixty letters keep to one line on the boards", keepsBoardsShort},
		{"the boards pass axe, wide and narrow, light and dark", passesAxeOnBoards},
	}...)
}

func teachesBoards(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/dashboard")
	b.await("document.querySelectorAll('.steps pre').length === 3 && " + says(".empty", "Three commands") + " && !" + find(".boards") + ".checkVisibility()")
	b.picture("dashboard-empty")
	b.open(s.url + "/analytics?colour=red")
	b.await(says(".empty", "There is no pool to look at.") + " && " + find(".empty") + ".checkVisibility() && " + says(".note[role=status]", "no filter called colour"))
	b.open(s.url + "/policies")
	b.await(says(".empty", "Which pool?") + " && !" + find(".boards") + ".checkVisibility()")
}

func looksAtClouds(_ *testing.T, s *server, b *chromium) {
	s.post("/pools", object{"name": "corp", "cidr": "10.0.0.0/8", "owner": "netops", "quarantine_seconds": 3600})
	s.post("/accounts", object{"cloud": "custom", "external_id": "berlin", "name": "berlin", "environment": "prod"})
	b.open(s.url + "/accounts")
	b.click("tr[data-account='custom:berlin'] .link")
	b.click("[data-act='Look now']")
	b.await(says(".toasts", "Seen: 51 added") + " && " + says("dialog.drawer[open]", "complete"))
	b.open(s.url + "/networks")
	b.await("document.querySelectorAll('tr[data-observation]').length === 51 && " + says("tr[data-observation]", "custom:berlin"))
	b.picture("networks-1440-light")
	b.click("[data-filter=kind]")
	b.press("Escape")
	b.await("(" + find("[data-filter=kind]") + ".value = 'network', " + find("[data-filter=kind]") + ".dispatchEvent(new Event('change')), true)")
	b.await("document.querySelectorAll('tr[data-observation]').length === 1 && location.search === '?kind=network'")
	b.open(s.url + "/networks?contains=10.200.7.9")
	b.await("document.querySelectorAll('tr[data-observation]').length === 2")
	b.click("tr[data-observation]:last-of-type .link")
	b.await(says("dialog.drawer[open]", "team=net") + " && " + says("dialog.drawer[open]", "dc-1") + " && " + find("dialog.drawer a[href='/find?cidr=10.200.7.0%2F24']"))
	b.press("Escape")
	b.open(s.url + "/drift")
	b.await("document.querySelectorAll('tr[data-drift]').length === 51 && " + says("tr[data-drift]", "unmanaged"))
	b.picture("drift-1440-light")
}

func adoptsAll(t *testing.T, s *server, b *chromium) {
	h := &hand{chromium: b}
	b.open(s.url + "/drift?kind=unmanaged")
	b.await(find("tr[data-drift]"))
	h.tap("[data-act='Adopt all…']")
	b.await(form + " && " + says(`dialog.ask[open]`, "Adopt 51 blocks"))
	h.tap("[data-preview]")
	b.await(says(".preview", "50 would be adopted, 1 refused.") + " && " + says(".preview", "10.200.0.0/16 becomes the pool berlin-dc in corp") + " && " + says(".preview", "172.16.9.0/24: "))
	b.picture("adopt-1440-light")
	if _, page := s.request("GET", "/allocations", adminToken, nil); len(page["items"].([]any)) != 0 {
		t.Error("the preview has adopted something")
	}
	h.tap("[data-send]")
	drawer := "dialog.drawer[open]"
	b.await(says(drawer, "Terraform of custom:berlin") + " && " + says(drawer, "import {") + " && " + says(drawer, `to = cloudpam_pool.`) + " && " + says(drawer, "not adopted"))
	b.picture("adopted-1440-light")
	if h.actions > most {
		t.Errorf("fifty differences took %d actions", h.actions)
	}
	b.press("Escape")
	b.await("document.querySelectorAll('tr[data-drift]').length === 1 && " + says("tr[data-drift]", "172.16.9.0/24"))
	if _, page := s.request("GET", "/allocations?limit=1000", adminToken, nil); len(page["items"].([]any)) != 49 {
		t.Errorf("%d allocations", len(page["items"].([]any)))
	}
	b.click("tr[data-drift] .link")
	b.await(says(drawer, "unmanaged") + " && " + says(drawer, "import {") + " && " + find(drawer+" [data-act='Adopt…']"))
	b.press("Escape")
}

func showsDashboard(t *testing.T, s *server, b *chromium) {
	s.post("/pools", object{"name": "edge", "parent": "corp", "prefix_length": 28, "owner": "netops"})
	s.post("/pools", object{"name": "six", "cidr": "2001:db8::/48"})
	for i := range 3 {
		s.post("/allocations", object{"pool": "edge", "name": fmt.Sprintf("edge-%d", i), "prefix_length": 30})
	}
	s.post("/allocations", object{"pool": "six", "name": "six", "prefix_length": 64, "account": "custom:berlin"})
	s.post("/reservations", object{"pool": "corp", "prefix_length": 24, "reason": "kept for the merger", "expires_at": "2098-12-31T22:22:22Z"})
	s.promise("/holds", object{"pool": "edge", "name": "planned", "prefix_length": 30, "holder": "ring-ci"})
	b.open(s.url + "/")
	b.await("location.pathname === '/dashboard' && " + find("[data-lasting=edge]") + " && " + find("[data-drift-kind]") + " && " + settledParts)
	for board, words := range map[string]string{
		"fullest": "edge", "runway": "nothing is left", "endings": "planned", "drift": "unmanaged", "recent": "hold.placed", "use": "Quarantined",
	} {
		b.await(says("[aria-labelledby="+board+"-title]", words))
	}
	// What ends in seventy years does not end soon, and what is held ends within a day.
	b.await(hides("[aria-labelledby=endings-title]", "merger") + " && /in (24 h|23 h|1 d)/.test(" + find("[aria-labelledby=endings-title]") + ".innerText)")
	b.await(find("[data-full=edge] .crowded") + "?.innerText === '100 %' && document.querySelector('[data-full]').dataset.full === 'edge'")
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int{390, 1280, 1440} {
			b.resize(width, 900, theme)
			b.picture(fmt.Sprintf("dashboard-%d-%s", width, theme))
			if v, _ := b.value("document.documentElement.scrollWidth"); v.(float64) > float64(width) {
				t.Errorf("the dashboard is %v pixels wide at %d", v, width)
			}
		}
	}
	b.resize(1440, 900, "light")
	b.click("[data-drift-kind] .link")
	b.await("location.pathname === '/drift' && document.querySelectorAll('tr[data-drift]').length === 1")
	b.await("(history.back(), true)")
	b.await("location.pathname === '/dashboard' && " + find("[data-full=edge]"))
	b.click("[data-full=edge] .link")
	b.await("location.pathname === '/pools' && " + find("#panel-title") + "?.innerText === 'edge'")
	b.press("g")
	b.press("o")
	b.await("location.pathname === '/dashboard'")
}

func drawsPictures(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/analytics")
	b.await(find("[data-bar=berlin-dc]") + " && " + find(".ring .arc") + " && " + find("[data-chart=made] canvas") + " && " + find("[data-chart=runway] canvas") + " && " + settledParts)
	// What a picture shows is a link, and the table beside it has the same one.
	same := b.text(`(() => {
		const wrong = [];
		for (const svg of document.querySelectorAll('.board svg')) {
			const table = (svg.closest('tr') || svg.closest('.family, .beside')).querySelectorAll('a[href]:not(svg a)');
			const beside = [...table].map(a => a.getAttribute('href'));
			for (const a of svg.querySelectorAll('a')) if (!svg.closest('tr') && !beside.includes(a.getAttribute('href'))) wrong.push(a.getAttribute('href'));
			if (svg.getAttribute('aria-hidden') !== 'true' || [...svg.querySelectorAll('a')].some(a => a.tabIndex !== -1)) wrong.push('a mark takes the focus');
		}
		for (const chart of document.querySelectorAll('.lines')) if (!chart.parentElement.querySelector('table')) wrong.push('a chart without a table');
		return wrong.join();
	})()`)
	if same != "" {
		t.Errorf("pictures differ from their tables: %s", same)
	}
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int{390, 1280, 1440} {
			b.resize(width, 900, theme)
			b.await(find("[data-chart=made] canvas") + ".getBoundingClientRect().right <= " + find("[data-chart=made]") + ".getBoundingClientRect().right + 1")
			b.picture(fmt.Sprintf("analytics-%d-%s", width, theme))
			if v, _ := b.value("document.documentElement.scrollWidth"); v.(float64) > float64(width) {
				t.Errorf("analytics is %v pixels wide at %d", v, width)
			}
		}
	}
	b.resize(1440, 900, "light")
	b.await("(" + find("[data-by]") + ".value = 'pool', " + find("[data-by]") + ".dispatchEvent(new Event('change')), true)")
	b.await("location.search === '?by=pool' && " + find("[data-group=berlin-dc]"))
	b.click("[data-group=berlin-dc] .link")
	b.await("location.pathname === '/allocations' && document.querySelectorAll('tr[data-allocation]').length === 49")
	b.open(s.url + "/analytics?pool=nope")
	b.await(says("[aria-labelledby=split-title] .failed", "there is no pool"))
	onlyRefused(t, b)
}

func raw(t *testing.T, body object) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func explainsPolicies(t *testing.T, s *server, b *chromium) {
	s.put("/pools/corp/policy", object{"description": "Everything is owned.", "rules": object{"owner_required": true, "exclude_sets": []string{"docker"}}})
	b.open(s.url + "/policies?pool=berlin-dc")
	b.await(says("[data-policy=corp]", "An allocation names an owner.") + " && " + says("[data-policy=corp]", "from above") + " && document.title.startsWith('berlin-dc')")
	b.await("document.querySelectorAll('[data-broken]').length === 49 && " + says("[aria-labelledby=broken-title]", "49 breaches") + " && " + says("[data-broken=rack-7]", "owner_required"))
	b.click("[data-broken=rack-7] summary")
	b.await(says("[data-broken=rack-7]", "the policy of pool corp asks for one"))

	// What would be allowed is asked of the server, and nothing is made.
	b.click("[data-try-it]")
	b.await(says("[data-verdict]", "Refused.") + " && " + says("[aria-labelledby=try-title] .rules", "owner_required"))
	b.await("(" + find("[data-try=owner]") + ".focus(), true)")
	b.write("netops")
	b.press("Enter")
	b.await(says("[data-verdict]", "Allowed: it would get 10.200.49.0/24."))
	if _, page := s.request("GET", "/allocations?pool=berlin-dc&limit=1000", adminToken, nil); len(page["items"].([]any)) != 49 {
		t.Error("trying has allocated something")
	}
	onlyRefused(t, b)

	// One of its own is tried, refused where it contradicts, set, and taken away.
	b.click("[data-act=edit-policy]")
	typeInto(b, "min_prefix_length", "28")
	typeInto(b, "max_prefix_length", "24")
	b.click("[data-preview]")
	b.await(find("dialog.ask[open] .wrong:not([style*=none]), dialog.ask[open] .alert:not([style*=none])") + "?.innerText.includes('24')")
	b.picture("policy-refused")
	typeInto(b, "min_prefix_length", "24")
	typeInto(b, "max_prefix_length", "28")
	b.click("[data-preview]")
	b.await(says(".preview", "It agrees with the policies above and below"))
	if status, _ := s.request("GET", "/pools/berlin-dc/policy", adminToken, nil); status != 404 {
		t.Errorf("trying has set a policy: %d", status)
	}
	b.await("(" + find("#field-min_prefix_length") + ".focus(), true)")
	b.press("Enter")
	b.await("!" + form + " && " + says("[data-policy=berlin-dc]", "An allocation is a /24 or smaller.") + " && " + says("[data-policy=berlin-dc]", "its own"))
	b.picture("policies-1440-light")
	b.click("[data-act=drop-policy]")
	b.await(form + " && document.activeElement.matches('[data-keep]')")
	b.click("[data-send]")
	b.await("!" + form + " && !" + find("[data-policy=berlin-dc]") + " && " + find("[data-policy=corp]"))
	onlyRefused(t, b)
}

func admitsBoards(t *testing.T, s *server, b *chromium) {
	defer infect(b)()
	for _, page := range []struct {
		address string
		boards  map[string]string // what is asked for, and what is said where it failed
	}{
		{"/dashboard", map[string]string{"/analytics/utilization": "The use of space", "/analytics/runway": "When pools run out", "/analytics/endings": "What ends soon", "/drifts": "The drift", "/events": "The changes"}},
		{"/analytics", map[string]string{"/analytics/utilization": "The use of space", "/analytics/space": "What is allocated", "/analytics/free-blocks": "The free blocks", "/analytics/creations": "What was made", "/analytics/runway": "When pools run out"}},
		{"/policies?pool=corp", map[string]string{"/policy/effective": "The policies", "/policy/violations": "What breaks them"}},
	} {
		for of, words := range page.boards {
			ill(b, of, "silent")
			b.open(s.url + page.address)
			b.await("[...document.querySelectorAll('.board .under')].some(e => e.offsetParent && e.innerText === 'Loading…') && " + hides("main", "Nothing", "No hold", "Everything in the pool", "There is no pool", "Three commands"))
			ill(b, of, "refused")
			b.open(s.url + page.address)
			failed := "[...document.querySelectorAll('.board .failed')].filter(e => e.offsetParent)"
			b.await(failed + ".some(e => e.innerText.startsWith(" + quote(words+" could not be loaded. Not now: The database rests.") + ")) && " + hides("main", "There is no pool to look at", "Three commands"))
			b.picture("failed" + strings.ReplaceAll(strings.Split(page.address, "?")[0]+of, "/", "-"))
			well(b)
			b.await("(" + failed + "[0].querySelector('button').click(), true)")
			b.await(failed + ".length <= 1") // the same answer may be missing on another board
		}
	}
	onlyRefused(t, b)
}

func keepsBoardsShort(t *testing.T, s *server, b *chromium) {
	scope, pool := seedLong(s)
	s.post("/allocations", object{"pool": "corp", "name": long("named-"), "prefix_length": 24, "owner": "netops", "account": "custom:" + long("account-"), "expires_at": "2098-12-31T22:22:22Z"})
	for _, widths := range [][]int{{360, 390, 768}, {1280, 1440, 1920}} {
		for _, address := range []string{"/dashboard", "/analytics?scope=" + scope, "/policies?pool=" + pool} {
			b.resize(widths[0], 900, "light")
			b.open(s.url + address)
			b.await(find(".board") + "?.offsetParent && " + find(".board tbody tr, .board .under:not([style*=none])") + " && " + settledParts)
			for _, width := range widths {
				b.resize(width, 900, "dark")
				b.picture(fmt.Sprintf("names%s-%d", strings.Split(strings.ReplaceAll(address, "/", "-"), "?")[0], width))
				if found := b.text(untidy); found != "" && found != "no name is shown" {
					t.Errorf("%s, %d px:\n%s", address, width, found)
				}
			}
		}
	}
	b.resize(1440, 900, "light")
}

func passesAxeOnBoards(t *testing.T, s *server, b *chromium) {
	axe := read(t, "testdata/axe-core-4.14.1.min.js")
	adopt := find("tr[data-drift]") + " && (" + find("dialog.ask[open]") + " || " + find("[data-act='Adopt all…']") + ".click())"
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int{1440, 390} {
			b.resize(width, 900, theme)
			for _, view := range []struct{ address, shown string }{
				{"/dashboard", find("[data-full]") + " && " + find("[data-lasting]") + " && " + settledParts},
				{"/analytics", find("[data-bar]") + " && " + find("[data-chart=runway] canvas") + " && " + settledParts + " && (" + find(".as-table") + ".open = true)"},
				{"/policies?pool=berlin-dc", find("[data-broken]") + " && " + settledParts},
				{"/policies", find(".empty .btn")},
				{"/networks", find("tr[data-observation]")},
				{"/drift", find("tr[data-drift]")},
				{"/drift?", adopt},
			} {
				b.open(s.url + view.address)
				b.await(view.shown)
				if _, err := b.value(axe + "; 0"); err != nil {
					t.Fatal(err)
				}
				if found := b.text(checkAxe); found != "" {
					t.Errorf("%s, %s, %d px:\n%s", view.address, theme, width, found)
				}
			}
		}
	}
	b.resize(1440, 900, "light")
}
