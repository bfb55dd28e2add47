package web_test

import (
	"fmt"
	"testing"
)

// crowd makes sets of 256 members each, in one pool.
func crowd(s *server, sets int) {
	s.post("/accounts", object{"cloud": "aws", "external_id": "111122223333", "name": "shop", "platform": "eks"})
	s.post("/pools", object{"name": "crowd", "cidr": "10.0.0.0/8"})
	for i := range sets {
		members := object{}
		for m := range 256 {
			members[fmt.Sprintf("m%03d", m)] = object{"prefix_length": 28}
		}
		s.post("/allocation-sets", object{"pool": "crowd", "name": fmt.Sprintf("set-%03d", i), "members": members, "owner": "platform", "account": "aws:111122223333"})
	}
}

// TestLists goes through lists that are longer than anybody would click, and looks at them in ways that somebody wants back.
func TestLists(t *testing.T) {
	const sets = 12
	s := startServer(t)
	crowd(s, sets)
	b := startChromium(t)
	b.resize(1440, 900, "light")
	s.signIn(b)
	follow(t, s, b, []step{
		{"three thousand rows are scrolled through, and some hundreds are in the document", scrollsThrough},
		{"columns are chosen and the order is, in the address", choosesColumns},
		{"a view is saved, found again and forgotten", savesViews},
		{"the bar of a pool says what is under the keys, the pointer and the finger", tellsTheBar},
		{"the map hides what is used or unavailable, and is coloured by platform", hidesOnTheMap},
	}...)
}

func scrollsThrough(t *testing.T, s *server, b *chromium) {
	first, last := find("tr[data-allocation]"), "[...document.querySelectorAll('tr[data-allocation]')].at(-1)"
	b.open(s.url + "/allocations")
	b.await(first + " && " + says(".head", "3,072 allocations"))
	b.await("(window.firstRow = " + first + ".dataset.allocation, true)")
	// One scrolls on until nothing comes any more.
	b.await("(scrollTo(0, document.body.scrollHeight), !" + find(".more") + ".checkVisibility() && " + says("tr[data-allocation]:last-of-type", "set-011") + ")")
	if got := b.text(last + ".querySelector('.c-name').innerText"); got != "set-011/m255" {
		t.Errorf("the last row is %s", got)
	}
	if n, _ := b.value("document.querySelectorAll('tr[data-allocation]').length"); n.(float64) > 600 {
		t.Errorf("%v rows are in the document", n)
	}
	if n, _ := b.value("performance.getEntriesByType('resource').filter(e => e.name.includes('/api/v1/allocations')).length"); n.(float64) > 8 {
		t.Errorf("%v requests for 3,072 rows", n)
	}
	// Going back up, what had left is there again, and nothing is asked for anew.
	b.await("(scrollTo(0, 0), " + first + ".dataset.allocation === window.firstRow && " + first + ".getBoundingClientRect().top > 0)")
	b.await("!" + find(".above") + ".checkVisibility()")
	if n, _ := b.value("performance.getEntriesByType('resource').filter(e => e.name.includes('/api/v1/allocations')).length"); n.(float64) > 8 {
		t.Errorf("%v requests after going back", n)
	}
}

func choosesColumns(_ *testing.T, s *server, b *chromium) {
	heads := "[...document.querySelectorAll('.list th')].map(h => h.innerText.trim()).join()"
	b.open(s.url + "/allocations")
	b.await(find("tr[data-allocation]") + " && " + heads + ".includes('Account,Region')")
	b.click(".menu summary")
	b.click("[data-column=Region]")
	b.click("[data-column=Environment]")
	b.await("location.search === '?hide=Region%2CEnvironment' && " + heads + " === 'CIDR,Name,Pool,Owner,Account,Age' && " + find("tr[data-allocation]") + ".cells.length === 6")
	b.picture("columns-1440-light")
	b.press("Escape")
	b.await("!" + find(".menu") + ".open")
	b.click("[data-sort=Age]")
	b.await("location.search.includes('sort=-created') && " + find("[aria-sort=ascending]") + ".innerText.startsWith('Age') && " + says("tr[data-allocation] .c-name", "set-011/m255"))
	b.click("[data-sort=Age]")
	b.await(find("[aria-sort=descending]") + " && " + says("tr[data-allocation] .c-name", "set-000/m000"))
	b.open(s.url + "/allocations?sort=-created&hide=Region%2CEnvironment")
	b.await(find("tr[data-allocation]") + "?.cells.length === 6 && " + says("tr[data-allocation] .c-name", "set-011/m255") + " && !" + find(".note[role=status]"))
	b.open(s.url + "/allocations?platform=eks&cloud=aws")
	b.await(says(".head", "3,072 allocations"))
	b.open(s.url + "/allocations?platform=emr")
	b.await(says(".empty", "Nothing matches these filters."))
}

func savesViews(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/allocations?owner=platform&hide=Region&sort=cidr")
	b.await(find("tr[data-allocation]"))
	b.click(".menu summary")
	b.click("[data-view-name]")
	b.write("Of the platform")
	b.press("Enter")
	b.await(says(".saved", "Of the platform"))
	b.open(s.url + "/allocations")
	b.await(find("tr[data-allocation]"))
	b.click(".menu summary")
	b.click(".saved .link")
	b.await("location.search === '?owner=platform&hide=Region&sort=cidr' && " + find("[data-filter=owner]") + "?.value === 'platform'")
	// What this browser keeps leads to this page only, whoever wrote it.
	b.await("(localStorage.setItem('cloudpam.views', JSON.stringify({allocations: [{name: 'evil', href: 'https://example.org/'}, {name: 'script', href: 'javascript:alert(1)'}, {name: 'mine', href: '/allocations?q=m'}]})), true)")
	b.open(s.url + "/allocations")
	b.await(find("tr[data-allocation]"))
	b.click(".menu summary")
	if got := b.text("[...document.querySelectorAll('.saved .link')].map(a => a.innerText).join()"); got != "mine" {
		t.Errorf("the saved views are %q", got)
	}
	b.click(".saved .close")
	b.await("!" + find(".saved li") + " && localStorage.getItem('cloudpam.views') === '{\"allocations\":[]}'")
}

func tellsTheBar(_ *testing.T, s *server, b *chromium) {
	s.post("/pools", object{"name": "bar", "cidr": "172.20.0.0/24"})
	s.post("/allocations", object{"pool": "bar", "name": "low", "cidr": "172.20.0.0/26", "account": "aws:111122223333", "owner": "ana"})
	s.post("/reservations", object{"pool": "bar", "cidr": "172.20.0.128/26", "reason": "kept"})
	b.open(s.url + "/pools?pool=bar")
	b.await(find(".instrument rect") + " && " + find(".panel .map rect[data-block]") + " && (" + find(".instrument") + ".focus(), document.activeElement === " + find(".instrument") + ")") // what is not shown yet takes no focus
	b.press("ArrowRight")
	b.await(says("#bar-tip", "Allocated, about 25 % of the pool: 172.20.0.0/26 low"))
	b.press("ArrowRight")
	b.await(says("#bar-tip", "Free, about 25 % of the pool: 172.20.0.64/26"))
	b.press("ArrowRight")
	b.await(says("#bar-tip", "Reserved, about 25 % of the pool: 172.20.0.128/26 kept"))
	b.press("Enter")
	b.await(says("#chosen", "172.20.0.128/26"))
	b.click(".instrument rect.k-allocation") // which a finger does, too
	b.await(says("#bar-tip", "172.20.0.0/26 low"))
	b.picture("bar-1440-light")
}

func hidesOnTheMap(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/pools?pool=bar")
	b.await(find(".map rect.k-allocation") + " && " + find(".map rect.k-reservation"))
	b.click("[data-hide=used]")
	b.await("!" + find(".map rect.k-allocation") + " && " + find(".map rect.k-reservation") + " && " + find(".map rect.faded"))
	b.click("[data-hide=unavailable]")
	b.await("!" + find(".map rect.k-reservation") + " && document.querySelectorAll('.map rect.faded').length === 2")
	b.picture("map-hidden")
	b.click(".seg button:last-child")
	b.await("[...document.querySelectorAll('.panel .state')].map(e => e.innerText.trim()).every(word => word === 'free')")
	b.click(".seg button:first-child")
	b.click("[data-hide=used]")
	b.click("[data-hide=unavailable]")
	b.await("(" + find(".by select") + ".value = 'platform', " + find(".by select") + ".dispatchEvent(new Event('change')), true)")
	b.await(find(".map rect.v-0") + " && " + says(".by-value", "eks"))
}
