package web_test

import (
	"fmt"
	"testing"
)

// TestViews looks at pools, holds, reservations and quarantine as at allocations: by address or age, with the columns that one wants, in a view
// that is saved, and as a file.
func TestViews(t *testing.T) {
	s := startServer(t)
	s.post("/pools", object{"name": "corp", "cidr": "10.0.0.0/8", "quarantine_seconds": 3600})
	for i, third := range []int{7, 3, 5} { // neither by age nor by address the same
		name := fmt.Sprintf("n%d", i)
		s.post("/pools", object{"parent": "corp", "name": name, "cidr": fmt.Sprintf("10.4.%d.0/24", third), "owner": "ann", "region": "eu-west-1"})
		s.promise("/holds", object{"pool": "corp", "name": name, "cidr": fmt.Sprintf("10.1.%d.0/24", third), "holder": "ci"})
		s.post("/reservations", object{"pool": "corp", "name": name, "cidr": fmt.Sprintf("10.2.%d.0/24", third), "reason": "for " + name, "owner": "ann"})
		a := s.post("/allocations", object{"pool": "corp", "name": "a" + name, "cidr": fmt.Sprintf("10.3.%d.0/24", third), "owner": "ann"})
		s.gone("/allocations/" + a["id"].(string))
	}
	b := startChromium(t)
	b.resize(1440, 900, "light")
	s.signIn(b)
	for _, list := range []struct{ page, one, hidden, first, heads string }{
		{"pool-list", "pool", "Owner", "10.4", "CIDR,Name,Parent,Scope,Account,Region,Environment,Age"},
		{"holds", "hold", "Who", "10.1", "CIDR,Name,Pool,State,Age"},
		{"reservations", "reservation", "Owner", "10.2", "CIDR,Reason,Name,Pool,Kept,Age"},
		{"quarantine", "quarantine", "Owner", "10.3", "CIDR,Name,Pool,Kept,Age"},
	} {
		t.Run(list.page, func(t *testing.T) {
			b.t, s.t = t, t
			cells := "[...document.querySelectorAll('tr[data-" + list.one + "] .c-cidr')].map(c => c.innerText.split('.')[2]).filter(third => third > 0).join()" // the pool around them aside
			b.open(s.url + "/" + list.page)
			b.await(cells + " === '7,3,5'")
			b.click("[data-sort=CIDR]")
			b.await(cells + " === '3,5,7' && location.search === '?sort=cidr' && " + find("[aria-sort=ascending]") + ".innerText.trim() === 'CIDR'")
			b.click("[data-sort=Age]")
			b.await(cells + " === '5,3,7'")
			b.click(".menu summary")
			b.click("[data-column=" + list.hidden + "]")
			b.await("[...document.querySelectorAll('.list:first-of-type th')].map(h => h.innerText.trim()).join().startsWith('" + list.heads + "') && location.search === '?sort=-created&hide=" + list.hidden + "'")
			b.click("[data-view-name]")
			b.write("Mine")
			b.press("Enter")
			b.await(says(".saved", "Mine"))
			b.press("Escape")
			looksGood(t, b, "views-"+list.page)
			b.open(s.url + "/" + list.page)
			b.await(cells + " === '7,3,5'")
			b.click(".menu summary")
			b.click(".saved .link")
			b.await(cells + " === '5,3,7' && !" + find("th.c-who"))
			b.await("(URL.createObjectURL = blob => { blob.text().then(text => { window.file = text; }); return 'data:,'; }, HTMLAnchorElement.prototype.click = function () { window.fileName = this.download; }, true)")
			b.click("[data-csv]")
			b.await("window.file?.split('\\r\\n').length > 4 && window.file.split('\\r\\n')[1].includes('" + list.first + ".5.0/24')")
			if told := b.complaints(); len(told) > 0 {
				t.Error(told)
			}
		})
	}
}
