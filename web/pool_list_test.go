package web_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestPoolList goes through ten thousand pools as a flat list, and acts on one of them.
func TestPoolList(t *testing.T) {
	s := startServer(t)
	b := startChromium(t)
	b.resize(1440, 900, "light")
	s.signIn(b)
	follow(t, s, b, step{"without pools the list teaches how to make one", teachesPoolList})
	rows := []string{"name,parent,cidr,owner,region", "corp,,10.0.0.0/8,netops,"}
	for i := range 9998 {
		rows = append(rows, fmt.Sprintf("p%04d,corp,10.%d.%d.0/24,%s,eu-west-1", i, i/256, i%256, []string{"ann", "ben"}[i%2]))
	}
	s.imports("pools", strings.Join(rows, "\n"))
	follow(t, s, b, []step{
		{"ten thousand pools are scrolled through, and some hundreds are in the document", scrollsPools},
		{"where more rows are loaded than are read anew, changes are counted and shown when asked for", countsChanges},
		{"filters, total and order are in the address, and an unknown one is named", narrowsPools},
		{"a pool is changed where it is listed, and leads to its place in the tree", actsOnListed},
	}...)
}

func teachesPoolList(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/pool-list")
	b.await(says(".empty", "No pool yet.") + " && " + says(".empty pre", `resource "cloudpam_pool"`) + " && " + find(".empty .snippet") + ".checkVisibility() && " + find("[data-act='New pool']"))
}

const listedPools = "document.querySelectorAll('tr[data-pool]').length"

func scrollsPools(t *testing.T, s *server, b *chromium) {
	asked := "performance.getEntriesByType('resource').filter(e => e.name.includes('/api/v1/pools?') && !e.name.endsWith('limit=1000')).length"
	b.open(s.url + "/pools")
	b.click("[aria-label='Ways to look at pools'] a:last-child")
	b.await("location.pathname === '/pool-list' && " + find("tr[data-pool]") + " && " + says(".head", "9,999 pools") + " && " + find(".links a[href='/pools'][aria-current]"))
	b.await("(performance.setResourceTimingBufferSize(5000), window.firstRow = " + find("tr[data-pool]") + ".dataset.pool, true)")
	b.await("(scrollTo(0, document.body.scrollHeight), !" + find(".more") + ".checkVisibility() && " + says("tr[data-pool]:last-of-type .c-name", "p9997") + ")")
	if n, _ := b.value(listedPools); n.(float64) > 600 {
		t.Errorf("%v rows are in the document", n)
	}
	if n, _ := b.value(asked); n.(float64) > 21 {
		t.Errorf("%v requests for 9,999 rows", n)
	}
}

func countsChanges(t *testing.T, s *server, b *chromium) {
	b.await("(window.row = [...document.querySelectorAll('tr[data-pool]')].at(-20), row.scrollIntoView({block: 'center'}), row.focus(), document.activeElement === row && (window.at = row.getBoundingClientRect().top, true))")
	s.post("/pools", object{"name": "fresh", "cidr": "172.16.0.0/24"})
	b.await(find("[data-behind]") + ".checkVisibility() && " + says("[data-behind]", "1 change: show"))
	s.post("/pools", object{"name": "fresher", "cidr": "172.16.1.0/24"})
	b.await(says("[data-behind]", "2 changes: show"))
	if n, _ := b.value("[...document.querySelectorAll('tr[data-pool]')].filter(r => r.dataset.pool.startsWith('fresh')).length"); n.(float64) != 0 {
		t.Error("rows came without having been asked for")
	}
	b.picture("behind-1440-light")
	b.await("(" + find("[data-behind]") + ".click(), true)")
	b.await(says(".head", "10,001 pools") + " && !" + find("[data-behind]") + ".checkVisibility() && " + says("[data-news]", "2 new"))
	b.await("Math.abs(row.getBoundingClientRect().top - at) <= 2")
	b.await("(scrollTo(0, document.body.scrollHeight), " + says("tr[data-pool]:last-of-type .c-name", "fresher") + ")")
}

func narrowsPools(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/pool-list?owner=ann&parent=corp&within=10.1.0.0/16&sort=cidr&colour=red")
	b.await(says(".head", "128 pools") + " && " + listedPools + " === 100 && " + says("tr[data-pool] .c-name", "p0256") + " && " + says(".note[role=status]", "no filter called colour"))
	b.open(s.url + "/pool-list?contains=10.2.3.4&sort=cidr")
	b.await(says(".head", "2 pools") + " && [...document.querySelectorAll('tr[data-pool]')].map(r => r.dataset.pool).join() === 'corp,p0515'")
	b.open(s.url + "/pool-list?owner=nobody")
	b.await(says(".empty", "Nothing matches these filters."))
	b.open(s.url + "/pool-list?within=nonsense")
	b.await(find("[data-filter=within][aria-invalid=true]"))
	onlyRefused(b.t, b)
}

func actsOnListed(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/pool-list?contains=10.2.3.4")
	b.click("tr[data-pool=p0515] .link")
	b.await(says("dialog.drawer[open]", "10.2.3.0/24") + " && location.search.includes('pool=p0515')")
	b.click("[data-act=Edit]")
	b.await(form + " && " + find("#field-owner"))
	typeInto(b, "owner", "cal")
	b.press("Enter")
	b.await("!" + form + " && " + says("tr[data-pool=p0515]", "cal") + " && " + says("dialog.drawer[open]", "cal"))
	b.click("dialog.drawer a[href='/pools?scope=default&pool=p0515']")
	b.await("location.pathname === '/pools' && " + says("#panel-title", "p0515"))
}
