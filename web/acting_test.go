package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// typeInto replaces what stands in a field of the form.
func typeInto(b *chromium, field, text string) {
	b.t.Helper()
	b.await(find("#field-"+field) + "?.offsetParent && (" + find("#field-"+field) + ".focus(), " + find("#field-"+field) + ".select(), true)")
	b.write(text)
}

const form = `document.querySelector('dialog.ask[aria-labelledby=form-title][open]')`

// actsWhereOneLooks allocates on a pool, on a chip, on a free block of the map and of the list, with the server's preview.
func actsWhereOneLooks(t *testing.T, s *server, b *chromium) {
	s.post("/pools", object{"name": "acts", "cidr": "172.20.0.0/20"})
	s.post("/allocations", object{"pool": "acts", "name": "first", "cidr": "172.20.0.0/24", "owner": "platform"})
	b.open(s.url + "/pools?pool=acts")
	b.await(find(".panel .map rect") + " && " + find("[data-allocate]") + "?.offsetParent")

	// The preview is a promise: it is let go with the form, and kept for the request that it was made for.
	b.click("[data-allocate]")
	b.await(form + " && document.activeElement.id === 'field-name'")
	typeInto(b, "name", "previewed")
	typeInto(b, "block", "/24")
	b.click("[data-preview]")
	b.await(find(".preview b") + ".innerText.startsWith('172.20.1.0/24 is held for you until')")
	b.picture("allocate-1440-light")
	held := func() []any {
		_, page := s.request("GET", "/holds?pool=acts&kept=true", adminToken, nil)
		return page["items"].([]any)
	}
	if got := held(); len(got) != 1 {
		t.Fatalf("held %v", got)
	}
	b.press("Escape")
	b.await("!" + form)
	b.await("fetch('/api/v1/holds?pool=acts&kept=true').then(r => r.json()).then(p => p.items.length === 0)")
	b.click("[data-allocate]")
	typeInto(b, "name", "previewed")
	typeInto(b, "block", "/24")
	b.click("[data-preview]")
	b.await(find(".preview b") + ".innerText.startsWith('172.20.1.0/24')")
	b.click(".code summary")
	b.await(find(".code code") + `.innerText.includes('resource "cloudpam_allocation" "previewed"') && ` + find(".code code") + ".innerText.includes('prefix_length = 24')")
	b.click("[data-send]")
	b.await("!" + form + " && document.querySelector('.toast.note')?.innerText.includes('Allocated 172.20.1.0/24 to previewed')")
	if got := held(); len(got) != 0 {
		t.Errorf("still held: %v", got)
	}

	// A refusal says who is in the way, at the field.
	b.click("[data-allocate]")
	typeInto(b, "name", "taken")
	typeInto(b, "block", "172.20.0.0/23")
	b.press("Enter")
	b.await(find("#field-block-fault") + ".innerText.includes('is taken') && " + form + ".innerText.includes('first') && " + find("#field-block") + ".getAttribute('aria-invalid') === 'true'")
	b.picture("allocate-refused")
	b.press("Escape")
	onlyRefused(t, b)

	// A chip of the ladder, a free block of the map, by keyboard and by pointer, and of the list are prefilled.
	b.click(".chips .free")
	b.await(form + " && /^172\\.20\\.[0-9.]+\\/2[1-4]$/.test(" + find("#field-block") + ".value) && " + find("#field-pool") + ".value === 'acts'")
	b.press("Escape")
	b.await("!" + form + " && (" + find(".map") + ".focus(), true)")
	b.press("ArrowRight")
	b.await(find("#chosen") + ".innerText.includes('172.20.0.0/24') && " + find("#chosen") + ".innerText.includes('of platform') && " + find(".map .chosen"))
	b.press("ArrowRight")
	b.press("ArrowRight")
	b.await(find("#chosen") + ".innerText.includes('172.20.2.0/23') && " + find("#chosen") + ".innerText.includes('free')")
	b.picture("map-chosen")
	b.press("Enter")
	b.await(form + " && " + find("#field-block") + ".value === '172.20.2.0/23'")
	b.press("Escape")
	b.await("!" + form)
	at := b.text("location.href")
	b.click(".map rect.k-allocation")
	b.await(find("#chosen") + ".innerText.includes('172.20.0.0/24') && " + find("[data-block-act=Open]"))
	if b.text("location.href") != at {
		t.Error("a click on the map led away before it said what is there")
	}
	b.await("(" + find(".by select") + ".value = 'owner', " + find(".by select") + ".dispatchEvent(new Event('change')), true)")
	b.await(find(".map rect.v-0") + " && " + says(".by-value", "platform"))
	b.picture("map-by-owner")
	b.click(".seg button:last-child")
	b.click("[data-free='172.20.2.0/23']")
	b.await(form + " && " + find("#field-block") + ".value === '172.20.2.0/23'")
	b.press("Escape")

	// A pool is edited, given a child, and deleted.
	b.click("[data-act=Edit]")
	typeInto(b, "owner", "netops")
	b.press("Enter")
	b.await("!" + form + " && " + says("[aria-labelledby=facts-title]", "netops"))
	b.click(".panel .history summary")
	b.await(says(".panel .turns", "pool.updated") + " && " + says(".panel .turns", "owner: ∅ → netops"))
	b.click("[data-act='New child']")
	typeInto(b, "name", "acts-child")
	typeInto(b, "block", "/24")
	b.press("Enter")
	b.await("!" + form + " && " + find("tr[data-pool=acts-child][aria-selected=true]") + " && document.title.startsWith('acts-child')")
	b.click("[data-act='Delete…']")
	b.await(form + " && document.activeElement.matches('[data-keep]')")
	b.click("[data-send]")
	b.await("!" + form + " && " + find("tr[data-pool=acts][aria-selected=true]") + " && !" + find("tr[data-pool=acts-child]"))
}

// keepsSets makes a set, gives it a key and takes one: the others keep their CIDRs.
func keepsSets(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/sets?pool=acts")
	b.await(find(".empty") + "?.offsetParent && " + find("[data-new]"))
	b.press("n")
	typeInto(b, "name", "ring")
	typeInto(b, "members", "app-a /26\napp-b /26")
	b.await("(" + find("[data-send]") + ".focus(), true)")
	b.press("Enter")
	drawer := find("dialog.drawer[open]")
	b.await("!" + form + " && " + drawer + "?.innerText.includes('app-b')")
	_, page := s.request("GET", "/allocation-sets?pool=acts", adminToken, nil)
	before := page["items"].([]any)[0].(object)["members"].([]any)
	b.click("[data-act='Add keys']")
	typeInto(b, "members", "app-c /26")
	b.await("(" + find("[data-send]") + ".focus(), true)")
	b.press("Enter")
	b.await("!" + form + " && " + drawer + "?.innerText.includes('app-c')")
	b.click("[data-act='Remove keys…']")
	b.click("#field-app-a")
	b.click("[data-send]")
	b.await("!" + form + " && !" + drawer + ".innerText.includes('app-a ') && " + drawer + ".querySelectorAll('tbody tr').length === 2")
	b.picture("set-1440-light")
	_, page = s.request("GET", "/allocation-sets?pool=acts", adminToken, nil)
	after := page["items"].([]any)[0].(object)["members"].([]any)
	if len(after) != 2 || after[0].(object)["cidr"] != before[1].(object)["cidr"] {
		t.Errorf("the set is %v, was %v", after, before)
	}
}

// keepsAccess makes a token that may only plan and a webhook; what either may know is shown once.
func keepsAccess(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/tokens")
	b.await(find("tr[data-token]") + "?.offsetParent && " + find("[data-new]"))
	b.press("n")
	typeInto(b, "name", "plans-only")
	b.await("(" + find("#field-role") + ".value = 'planner', " + find("#field-role") + ".dispatchEvent(new Event('change')), true)")
	b.click("[data-send]")
	b.await(find(".secret code") + ".innerText.startsWith('cpam_')")
	b.picture("token-secret")
	secret := b.text(find(".secret code") + ".innerText")
	if status, me := s.request("GET", "/principals/me", secret, nil); status != http.StatusOK || me["actor"] != "token:plans-only" {
		t.Errorf("status %d: %v", status, me)
	}
	b.click("[data-keep]")
	b.await("!" + form + " && " + find(".list") + ".innerText.includes('planner, everywhere')")

	b.open(s.url + "/webhooks")
	b.await(find(".empty") + "?.offsetParent && " + find("[data-new]"))
	b.press("n")
	typeInto(b, "name", "chat")
	typeInto(b, "url", "https://hooks.example.com/ipam")
	typeInto(b, "actions", "scope.deleted") // or it would be told of its own making, at once or a little later
	b.press("Enter")
	b.await(find(".secret code") + ".innerText.startsWith('whsec_')")
	b.click("[data-keep]")
	b.click("tr[data-webhook] .link")
	// What has happened meanwhile may be on its way already.
	b.await(find("dialog.drawer[open]") + "?.innerText.includes('Nothing was delivered yet.') || " + find("dialog.drawer[open] tbody tr"))
	b.click("[data-act='Switch off']")
	b.await(find("dialog.drawer[open]") + ".innerText.includes('Off')")
	b.picture("webhook-1440-light")
}

// offersNoMoreThanTheRole looks with the eyes of a viewer: what he may not do is absent.
func offersNoMoreThanTheRole(t *testing.T, s *server, b *chromium) {
	secret := s.post("/tokens", object{"name": "looks", "bindings": []object{{"role": "viewer"}}})["secret"].(string)
	as := func(token string) { s.endSessions(); signInBy(b, s, token) }
	as(secret)
	b.open(s.url + "/pools?pool=acts")
	b.await(find(".panel .map rect") + " && " + find("[data-me]") + ".textContent.includes('looks')")
	absent := "![...document.querySelectorAll('[data-allocate], [data-act], [data-rename], [data-new-pool], [data-new], [data-free], .admin a')].some(e => e.checkVisibility())"
	b.await(absent)
	b.picture("viewer-1440-light")
	b.open(s.url + "/allocations?pool=acts")
	b.click("tr[data-allocation] .link")
	b.await(find("dialog.drawer[open]") + "?.innerText.includes('172.20.') && " + absent)
	as(adminToken)
}

// goesBackAndForth follows the back button, links of others, and what the address says that no page knows.
func goesBackAndForth(t *testing.T, s *server, b *chromium) {
	panel := find("#panel-title")
	b.open(s.url + "/pools?pool=lab")
	b.await(panel + "?.innerText === 'lab'")
	b.click("tr[data-pool=gcp-prod] .name")
	b.await(panel + ".innerText === 'gcp-prod' && document.title.startsWith('gcp-prod')")
	b.await("(history.back(), true)")
	b.await(panel + ".innerText === 'lab' && location.search === '?pool=lab'")
	b.open(s.url + "/pools?pool=nope")
	b.await(says(".note[role=status]", "There is no pool nope in the scope default"))
	b.open(s.url + "/allocations?pool=lab&colour=red")
	b.await(says(".note[role=status]", "no filter called colour") + " && document.querySelectorAll('tr[data-allocation]').length === 13")
	b.click("tr[data-allocation] .link")
	b.await(find("dialog.drawer[open]") + " && location.search.includes('allocation=')")
	b.await("(history.back(), true)")
	b.await("!" + find("dialog.drawer[open]") + " && !location.search.includes('allocation=')")

	// Several words are each looked for.
	b.press("/")
	b.write("aws-prod eu-west-1")
	b.await(find("dialog.finder[open]") + "?.innerText.includes('10.0.0.0/10')")
	b.press("Enter")
	b.await("location.pathname === '/pools' && " + panel + "?.innerText === 'aws-prod'")
	if status := headOf(t, s.url+"/pools"); status != http.StatusOK {
		t.Errorf("HEAD answers %d", status)
	}
}

func headOf(t *testing.T, url string) int {
	t.Helper()
	answer, err := http.Head(url)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// showsPages opens every page that lists something, empty or not, at three widths.
func showsPages(t *testing.T, s *server, b *chromium) {
	for _, page := range []struct{ path, title, shows string }{
		{"/sets", "Allocation sets", "shop"},
		{"/quarantine", "Quarantine", "quarantine"},
		{"/networks", "Networks", "Nothing has been observed yet."},
		{"/drift", "Drift", "No difference was found."},
		{"/approvals", "Approvals", "Nothing was asked for."},
		{"/audit", "Audit log", "allocation.created"},
		{"/tokens", "Tokens", "bootstrap"},
		{"/bindings", "Role bindings", "everywhere"},
		{"/webhooks", "Webhooks", "No webhook yet."},
		{"/find", "Find space", "Check a CIDR"},
	} {
		b.resize(1440, 900, "light")
		b.open(s.url + page.path)
		b.await(says("main", page.shows) + " && !" + find(".skeleton") + "?.offsetParent && document.title === " + quote(page.title+" · CloudPAM"))
		for _, theme := range []string{"light", "dark"} {
			for _, width := range []int{390, 1280, 1440} {
				b.resize(width, 900, theme)
				b.picture(strings.TrimPrefix(page.path, "/") + map[int]string{390: "-390-", 1280: "-1280-", 1440: "-1440-"}[width] + theme)
				if v, _ := b.value("document.documentElement.scrollWidth"); v.(float64) > float64(width) {
					t.Errorf("%s is %v pixels wide at %d", page.path, v, width)
				}
			}
		}
	}
	b.resize(1440, 900, "light")
}
