package web_test

import (
	"strings"
	"testing"
)

func listsAllocations(t *testing.T, s *server, b *chromium) {
	rows := "document.querySelectorAll('tr[data-allocation]').length"
	b.open(s.url + "/allocations")
	b.await(rows + " === 100")
	b.picture("allocations-1440-light")
	b.scrollTo(".more") // the rows follow before their end is in sight
	b.await(rows + " > 100 && !" + find(".more .btn") + ".offsetParent")

	// The headings stay in sight, and no row that gets the focus is below them.
	if _, err := b.value("(row => { row.focus(); row.scrollIntoView({block: 'start'}); })(document.querySelectorAll('tr[data-allocation]')[60]); 0"); err != nil {
		t.Fatal(err)
	}
	b.press("k")
	b.await("document.activeElement === document.querySelectorAll('tr[data-allocation]')[59]")
	b.await(find(".list th") + ".getBoundingClientRect().top === 0 && document.activeElement.getBoundingClientRect().top >= " + find(".list th") + ".getBoundingClientRect().bottom - 1")
	b.click(".filters input")
	b.write("10.128.0.0/24")
	b.await(rows + " === 13 && location.search === '?within=10.128.0.0%2F24'")
	b.open(s.url + "/allocations?contains=10.0.0.77")
	b.await(rows + " === 1 && " + find("tr[data-allocation] .c-name") + ".innerText === 'hostile'")
	b.open(s.url + "/allocations?pool=gcp-prod")
	b.await(rows + " === 1")
	b.open(s.url + "/allocations?q=no-such-thing")
	b.await(find(".empty") + ".offsetParent && " + find(".empty h2") + ".innerText === 'Nothing matches these filters.'")
	if v, _ := b.value(rows); v != float64(0) {
		t.Errorf("%v rows beside the empty state", v)
	}
}

func explainsWrongFilter(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/allocations?within=10.0.0.1%2F8")
	b.await(find(".filters .wrong") + ".innerText !== '' && " + find(".filters input") + ".getAttribute('aria-invalid') === 'true'")
	for _, told := range b.complaints() {
		if !strings.Contains(told, "status of 4") {
			t.Errorf("the page complained: %s", told)
		}
	}
}

func opensAllocation(_ *testing.T, s *server, b *chromium) {
	row := "document.activeElement.closest('tr[data-allocation]')"
	b.open(s.url + "/allocations?pool=aws-prod")
	b.await(find("tr[data-allocation]") + "?.offsetParent")
	b.press("j")
	b.await(row + "?.innerText.includes('core-services')")
	b.press("j")
	b.await(row + ".innerText.includes('payments')")
	b.press("Enter")
	b.await(find("dialog.drawer[open]") + "?.innerText.includes('cloudpam_allocation.payments')")
	b.await("location.search.includes('allocation=')")
	b.picture("allocation-1440-light")
	b.press("Escape")
	b.await("!" + find("dialog.drawer[open]") + " && !location.search.includes('allocation=') && document.activeElement.matches('tr[data-allocation]')")

	// A member of a set is imported with its set.
	b.open(s.url + "/allocations?q=shop")
	b.click("tr[data-allocation]:nth-of-type(2) .link")
	for _, words := range []string{"shop, key db", "to = cloudpam_allocation_set.shop", `id = "v6/shop"`} {
		b.await(find("dialog.drawer[open]") + "?.innerText.includes(" + quote(words) + ")")
	}
	b.press("Escape")
}
