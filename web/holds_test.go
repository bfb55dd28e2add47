package web_test

import (
	"fmt"
	"strings"
	"testing"
)

// promised is the state of the drawer of one hold, in words.
const promised = "document.querySelector('dialog.drawer[open]')?.innerText"

func teachesHolds(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/holds")
	b.await(find(".empty") + "?.offsetParent && " + find(".empty h2") + ".innerText === 'No plan holds anything.'")
	b.await("['plan_mode', 'hold_ttl', 'holder'].every(word => " + find(".empty pre") + ".innerText.includes(word))")
	b.picture("holds-empty")
}

// losesFirstDelete lets the answer to the first DELETE never arrive, and remembers what was asked.
const losesFirstDelete = `window.deleted = [];
	window.fetch = (ask => (url, how) => {
		if (how.method !== 'DELETE') return ask(url, how);
		window.deleted.push(url + ' ' + how.headers['Idempotency-Key']);
		return window.deleted.length === 1 ? Promise.reject(new TypeError('lost')) : ask(url, how);
	})(window.fetch);
	0`

// promise places what three plans were promised: two blocks in a pool, and a draft pool with a block in it.
func promise(s *server) (hold object) {
	hold = s.promise("/holds", object{"pool": "gcp-prod", "name": "app-a", "prefix_length": 16, "holder": "workspace-prod"})
	s.promise("/holds", object{"pool": "gcp-prod", "name": "app-b", "prefix_length": 15, "holder": "pipeline-7"})
	s.promise("/pool-drafts", object{"pool": object{"name": "staging", "parent": "gcp-prod", "prefix_length": 14}})
	s.promise("/holds", object{"pool": "staging", "name": "nodes", "prefix_length": 20})
	return hold
}

func releasesHold(t *testing.T, s *server, b *chromium) {
	hold := promise(s)
	cidr, id := hold["cidr"].(string), hold["id"].(string)
	row := find("tr[data-hold='" + id + "']")

	// The pool shows what it promised, and leads there.
	b.open(s.url + "/pools?pool=gcp-prod")
	b.await("document.querySelectorAll('.map rect.k-hold').length === 2 && " + find(".map rect.k-draft"))
	b.await("[...document.querySelectorAll('.chips button.taken')].some(chip => chip.title.includes('staging (draft pool, planned, '))")
	b.await("document.querySelector('.panel').innerText.includes('Promised to plans: 2 blocks and 1 draft pool.')")
	b.picture("promises-1440-light")
	b.click(".seg button:last-child")
	b.await("[...document.querySelectorAll('.panel .state')].map(s => s.innerText.trim()).filter(word => word === 'held' || word === 'draft pool, planned').length === 3")
	b.picture("promises-list")
	b.await(find(".panel .plain a[href='/holds?pool=gcp-prod&hold="+id+"']") + " && " + find(".panel .plain a[href='/holds?pool=staging']"))
	b.click(".panel a[href='/holds?pool=gcp-prod']")
	b.await("document.querySelectorAll('tr[data-hold]').length === 2 && location.search === '?pool=gcp-prod'")
	b.picture("holds-1440-light")

	// It is attributed, and says what it is.
	b.open(s.url + "/holds?pool=gcp-prod&holder=workspace-prod")
	b.await("document.querySelectorAll('tr[data-hold]').length === 1 && " + row)
	for _, words := range []string{cidr, "app-a", hold["actor"].(string) + " for workspace-prod", "Promised until "} {
		b.await(row + ".innerText.includes(" + quote(words) + ")")
	}
	b.click("tr[data-hold] .link")
	b.await(promised + ".includes('gets it when it is applied') && location.search.includes('hold=')")
	b.picture("hold-1440-light")

	// Nothing is released by opening the question.
	b.click("[data-release]")
	b.await(find("dialog.confirm[open]") + "?.innerText.includes('The plan that made it is told if its CIDR is gone by then.')")
	b.picture("hold-confirm")
	b.press("Escape")
	b.await("!" + find("dialog.confirm[open]") + " && " + find("dialog.drawer[open]"))
	if status, got := s.request("GET", "/holds/"+id, adminToken, nil); status != 200 || got["kept"] != true {
		t.Fatalf("the hold is gone before anyone confirmed: %d %v", status, got)
	}

	// A lost answer is told in the dialog, and trying again repeats the same request.
	if _, err := b.value(losesFirstDelete); err != nil {
		t.Fatal(err)
	}
	b.click("[data-release]")
	b.click("[data-confirm]")
	b.await(find(".confirm .alert") + ".innerText.startsWith('No answer from the server')")
	b.picture("hold-confirm-refused")
	b.click("[data-confirm]")
	b.await("document.querySelector('.toast.note')?.innerText.includes(" + quote("Released "+cidr) + ")")
	b.await("!" + find("dialog[open]") + " && " + row + ".innerText.includes('Gone, only remembered') && document.activeElement === " + row)
	first, second, _ := strings.Cut(b.text("window.deleted.join()"), ",")
	if path := "/api/v1/holds/" + id + " "; first != second || !strings.HasPrefix(first, path) || len(first) != len(path)+32 {
		t.Errorf("asked %q and %q, want the hold twice with one Idempotency-Key", first, second)
	}
	b.click("tr[data-hold] .link")
	b.await(promised + ".includes('otherwise told what is there now') && !" + find("[data-release]") + ".offsetParent")
	b.press("Escape")

	// The block is free: a person takes exactly it.
	s.post("/allocations", object{"pool": "gcp-prod", "name": "by-hand", "cidr": cidr})
}

// expiresSoftly looks at a hold with a clock two days ahead.
func expiresSoftly(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/holds?holder=pipeline-7")
	b.await(find("tr[data-hold]") + "?.innerText.includes('Promised until')")
	if _, err := b.value("(later => { Date.now = () => later; })(Date.now() + 2 * 86400000); 0"); err != nil {
		t.Fatal(err)
	}
	b.click(".filters .btn")
	b.await("location.search === '' && [...document.querySelectorAll('.hold-state.expired')].filter(s => /^Expired .*, space is used last$/.test(s.innerText)).length === 2")
	b.picture("holds-states")
	b.click("tr[data-hold]:nth-of-type(2) .link")
	b.await(promised + ".includes('nothing has needed the space since') && " + find("[data-release]") + ".offsetParent")
	b.press("Escape")
}

// saysWhatHoldsAreFor looks at holds that Terraform names after what they are for, and not after an allocation to be.
func saysWhatHoldsAreFor(_ *testing.T, s *server, b *chromium) {
	_, page := s.request("GET", "/allocations?pool=lab&name=bench-12", adminToken, nil)
	bench, cidr := page["items"].([]any)[0].(object)["id"].(string), page["items"].([]any)[0].(object)["cidr"].(string)
	growth := s.promise("/holds", object{"pool": "lab", "name": "growth:" + bench, "cidr": "10.128.0.208/28", "replaces": bench})
	later := s.promise("/holds", object{"pool": "lab", "name": "reservation:10.128.0.224/28", "cidr": "10.128.0.224/28"})
	leaving := s.promise("/holds", object{"pool": "lab", "name": "leaving:" + cidr, "cidr": cidr, "replaces": bench, "run": "1", "holder": "w"})
	row := func(hold object) string { return "tr[data-hold='" + hold["id"].(string) + "']" }
	b.open(s.url + "/holds?pool=lab")
	b.await(find(row(growth)) + "?.innerText.includes('growth of an allocation') && " + find(row(later)) + ".innerText.includes('a reservation')")
	b.await(find(row(leaving)) + ".innerText.includes('what its plan releases')")
	b.click(row(growth) + " .link")
	b.await(promised + ".includes('Open the allocation that it grows')")
	b.click("dialog.drawer a[href^='/allocations?']")
	b.await("location.pathname === '/allocations' && " + find("dialog.drawer[open] h2") + "?.innerText === 'bench-12'")
	b.open(s.url + "/pools?pool=lab")
	b.await("[...document.querySelectorAll('.chips button.taken, .panel .plain a')].map(at => at.title + at.innerText).join().includes('growth of an allocation')")
}

// releasesAll releases what one holder's plans hold in several pools, a draft and what stands in it included.
func releasesAll(t *testing.T, s *server, b *chromium) {
	for _, name := range []string{"one", "two", "three"} {
		s.promise("/holds", object{"pool": "euw1", "name": name, "prefix_length": 26, "holder": "pull-42"})
	}
	s.promise("/pool-drafts", object{"pool": object{"name": "root", "scope": "partner", "cidr": "10.0.0.0/8"}, "holder": "pull-42", "new_scope": true})
	s.promise("/holds", object{"pool": "partner.root", "name": "inside", "prefix_length": 20, "holder": "pull-42"})
	other := s.promise("/holds", object{"pool": "euw1", "name": "other", "prefix_length": 26, "holder": "pull-43"})

	b.open(s.url + "/holds")
	b.await(find("tr[data-draft='partner.root']") + "?.innerText.includes('new scope partner') && !" + find("[data-release-all]") + ".offsetParent")
	b.open(s.url + "/holds?pool=partner.root")
	b.click("tr[data-hold] .link")
	b.await(promised + ".includes('Its pool is a draft')")
	b.click("dialog.drawer a[href='/holds?holder=pull-42']")
	b.await("document.querySelectorAll('tr[data-hold]').length === 4 && " + find("[data-release-all]") + "?.innerText === 'Release all of pull-42…'")
	b.picture("holds-of-one-holder")
	if _, err := b.value(losesFirstDelete); err != nil {
		t.Fatal(err)
	}
	b.click("[data-release-all]")
	b.await(find("#confirm-title") + ".innerText === 'Release 4 holds and 1 draft pool?' && " + find("dialog.confirm[open]") + ".innerText.includes('plans of pull-42')")
	b.picture("release-all-confirm")
	b.click("[data-confirm]")
	b.await(find(".confirm .alert") + ".innerText.startsWith('No answer from the server')")
	b.click("[data-confirm]")
	b.await("document.querySelector('.toast.note')?.innerText.includes('Released 4 holds and 1 draft pool')")
	b.await("[...document.querySelectorAll('tr[data-hold] .hold-state')].every(state => state.innerText.startsWith('Gone')) && !" + find("tr[data-draft]") + " && !" + find("[data-release-all]") + ".offsetParent")
	_, left := s.request("GET", "/holds?holder=pull-42&kept=true", adminToken, nil)
	if items := left["items"].([]any); len(items) != 0 {
		t.Errorf("still held: %v", items)
	}
	if status, got := s.request("GET", "/holds/"+other["id"].(string), adminToken, nil); status != 200 || got["kept"] != true {
		t.Errorf("the hold of another is %v", got)
	}
	b.open(s.url + "/holds?holder=pull-42&kept=true")
	b.await(find(".empty") + ".offsetParent && " + find("select[x-model=kept]") + ".value === 'true'")
	onlyRefused(t, b)
}

// pagesHolds has more holds than one page of the list holds.
func pagesHolds(_ *testing.T, s *server, b *chromium) {
	for i := range 101 {
		s.promise("/holds", object{"pool": "use1", "name": fmt.Sprintf("job-%03d", i), "prefix_length": 26})
	}
	rows := "document.querySelectorAll('tr[data-hold]').length"
	b.open(s.url + "/holds?pool=use1")
	b.await(rows + " === 100")
	b.scrollTo(".more") // the rows follow before their end is in sight
	b.await(rows + " === 101 && !" + find(".more .btn") + ".offsetParent")
	b.press("g")
	b.press("h")
	b.await("location.pathname === '/holds' && location.search === ''")
}

// holdsFitPhone also looks at the dialogs, which are wider than a phone only by mistake.
func holdsFitPhone(t *testing.T, s *server, b *chromium, theme string) {
	b.open(s.url + "/holds?pool=gcp-prod")
	b.await(find("tr[data-hold]"))
	narrow(t, b, "holds-390-"+theme)
	b.click("tr[data-hold]:nth-of-type(2) .link")
	b.await(find("dialog.drawer[open]"))
	narrow(t, b, "hold-390-"+theme)
	b.click("[data-release]")
	b.await(find("dialog.confirm[open]"))
	narrow(t, b, "hold-confirm-390-"+theme)
}
