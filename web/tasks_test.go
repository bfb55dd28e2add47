package web_test

import (
	"strings"
	"testing"
)

// hand counts what a person does: a click, a key, or something typed with the Enter that ends it.
type hand struct {
	*chromium
	actions int
}

func (h *hand) tap(selector string) {
	h.t.Helper()
	h.actions++
	h.click(selector)
}

func (h *hand) key(key string) {
	h.t.Helper()
	h.actions++
	h.press(key)
}

// fill types into a field that is reached by Tab or the pointer, and Enter ends it where it is the last.
func (h *hand) fill(selector, text string, enter bool) {
	h.t.Helper()
	h.actions++
	h.await(find(selector) + "?.offsetParent && (" + find(selector) + ".focus(), " + find(selector) + ".select?.(), true)")
	h.write(text)
	if enter {
		h.press("Enter")
	}
}

const most = 4 // actions of one task

// doesEverydayTasks does what a network engineer does in a day. Each begins on the page of pools.
func doesEverydayTasks(t *testing.T, s *server, b *chromium) {
	s.post("/pools", object{"name": "eu-prod", "parent": "corp", "cidr": "10.200.0.0/16", "environment": "prod", "region": "eu-west-1", "quarantine_seconds": 3600})
	s.post("/accounts", object{"cloud": "aws", "external_id": "111122223333", "name": "orders-prod", "environment": "prod"})
	s.post("/allocations", object{"pool": "eu-prod", "name": "orders", "prefix_length": 24, "account": "aws:111122223333", "owner": "orders"})
	s.post("/reservations", object{"pool": "eu-prod", "cidr": "10.200.128.0/20", "reason": "the second ring"})
	s.promise("/holds", object{"pool": "eu-prod", "name": "planned", "cidr": "10.200.64.0/24", "holder": "ring-ci"})
	made := func(path, name string) object {
		_, page := s.request("GET", path, adminToken, nil)
		for _, item := range page["items"].([]any) {
			if item.(object)["name"] == name {
				return item.(object)
			}
		}
		t.Fatalf("%s has no %s: %v", path, name, page)
		return nil
	}
	finder, dialog, drawer := find("dialog.finder[open]"), find("dialog.ask[open]"), find("dialog.drawer[open]")

	for _, task := range []struct {
		rule string
		run  func(h *hand)
	}{
		{"1 who has an address", func(h *hand) {
			h.key("/")
			h.fill(".finder .in", "10.200.0.7", false)
			h.await(finder + "?.innerText.includes('orders') && " + finder + ".innerText.includes('eu-prod') && " + finder + ".innerText.includes('corp')")
			h.picture("task-search")
		}},
		{"1 nobody has it: it is free, and where", func(h *hand) {
			h.key("/")
			h.fill(".finder .in", "10.200.77.1", false)
			h.await(finder + "?.innerText.includes('Free in eu-prod') && /inside 10\\.200\\.[0-9.]+\\/[0-9]+/.test(" + finder + ".innerText)")
		}},
		{"1 it is reserved, and why", func(h *hand) {
			h.key("/")
			h.fill(".finder .in", "10.200.129.1", false)
			h.await(finder + "?.innerText.includes('the second ring') && !" + finder + ".innerText.includes('Free in')")
		}},
		{"2 a free /22 in the west of Europe, in production; 3 allocate it", func(h *hand) {
			h.tap(".links a[href='/find']")
			h.await(find("main select option[value=empty]")) // the page is alive: what is typed before is not kept
			h.fill("[data-find=size]", "/22", false)
			h.fill("[data-find=environment]", "prod", false)
			h.fill("[data-find=region]", "eu-west-1", true)
			h.await("[...document.querySelectorAll('[data-place]')].map(p => p.dataset.place).join() === 'eu-prod' && " + find("[data-place] .c-who") + ".innerText.includes('more, largest free /')")
			h.picture("task-find")
			shown := h.text(find("[data-place] .c-cidr") + ".innerText")
			if h.actions > most {
				t.Errorf("finding took %d actions", h.actions)
			}
			h.actions = 0
			h.tap("[data-place] .btn")
			h.await(dialog + " && document.activeElement.id === 'field-name' && " + find("#field-block") + ".value === " + quote(shown))
			h.fill("#field-name", "shop", true)
			h.await("!" + dialog + " && document.querySelector('.toast.note')?.innerText.includes('Allocated " + shown + " to shop')")
			if got := made("/allocations?pool=eu-prod", "shop"); got["cidr"] != shown {
				t.Errorf("allocated %v, shown was %s", got, shown)
			}
		}},
		{"4 why a CIDR is not available, who is in the way, what would fit", func(h *hand) {
			h.tap(".links a[href='/find']")
			h.await(find("main select option[value=empty]")) // the page is alive: what is typed before is not kept
			h.fill("[data-find=cidr]", "10.200.0.0/22", true)
			verdict := find("[data-verdict=default]")
			h.await(verdict + "?.innerText.includes('Not available in eu-prod') && " + verdict + ".innerText.includes('orders') && /instead: 10\\.200\\./.test(" + verdict + ".innerText)")
			h.picture("task-check")
		}},
		{"5 resize, with the server's preview", func(h *hand) {
			h.key("/")
			h.fill(".finder .in", "orders", false)
			h.await(find("#hits [aria-selected=true]") + "?.innerText.includes('10.200.0.0/24')")
			h.press("Enter")
			h.tap("[data-act=Resize]")
			h.fill("#field-block", "/23", false)
			h.press("Tab")
			h.await(find(".preview b") + ".innerText.startsWith('10.200.0.0/23')")
			h.picture("task-resize")
			h.await("(" + find("#field-block") + ".focus(), true)")
			h.press("Enter")
			h.await("!" + dialog + " && " + drawer + "?.innerText.includes('10.200.0.0/23')")
		}},
		{"6 release", func(h *hand) {
			h.open(s.url + "/allocations?pool=eu-prod&q=shop")
			h.tap("tr[data-allocation] .link")
			h.tap("[data-act='Release…']")
			h.await(dialog + " && document.activeElement.matches('[data-keep]')")
			h.tap("[data-send]")
			h.await("!" + drawer + " && " + find(".empty") + ".offsetParent")
		}},
		{"6 and have it back", func(h *hand) {
			h.tap(".links a[href='/quarantine']")
			h.tap("tr[data-quarantine] .link")
			h.tap("[data-act=Restore]")
			h.await("location.pathname === '/allocations' && " + drawer + "?.innerText.includes('shop')")
		}},
		{"7 what a plan holds, and release it", func(h *hand) {
			h.open(s.url + "/holds")
			h.await(find("tr[data-hold]") + "?.offsetParent")
			h.fill("[x-model=holder]", "ring-ci", false)
			h.tap("[data-release-all]")
			h.await(find("dialog.confirm[open]") + "?.innerText.includes('1 hold')")
			h.tap("[data-confirm]")
			h.await("!" + find("dialog.confirm[open]") + " && " + find("tr[data-hold]") + ".innerText.includes('Gone')")
		}},
		{"8 compare utilisation: the fullest pool first", func(h *hand) {
			h.tap("[data-sort=used]")
			h.await(find("tr[data-pool]") + ".dataset.pool === 'lab' && location.search.includes('sort=used') && " + find("[aria-sort]"))
			h.picture("task-sorted")
		}},
		{"9 export a list", func(h *hand) {
			h.open(s.url + "/allocations?pool=eu-prod")
			h.await(find("tr[data-allocation]") + " && (URL.createObjectURL = blob => { blob.text().then(text => { window.file = text; }); return 'data:,'; }, HTMLAnchorElement.prototype.click = function () { window.fileName = this.download; }, true)")
			h.tap("[data-csv]")
			h.await("window.fileName === 'cloudpam-allocations.csv' && window.file?.includes('10.200.0.0/23') && window.file.split('\\r\\n').length === 4")
		}},
		{"10 all subnets of an account", func(h *hand) {
			h.tap(".links a[href='/accounts']")
			h.tap("tr[data-account='aws:111122223333'] .link")
			h.tap("dialog.drawer a[href^='/allocations?account=']")
			h.await("document.querySelectorAll('tr[data-allocation]').length === 1 && " + find("[data-filter=account]") + ".value === 'aws:111122223333'")
		}},
		{"11 recent changes, by whom", func(h *hand) {
			h.tap(".links a[href='/audit']")
			h.await(find("tr[data-event]") + "?.innerText.includes('token:bootstrap')")
			h.fill("[data-filter=action]", "allocation.resized", false)
			h.await("location.search.includes('allocation.resized')")
			h.picture("task-audit")
		}},
		{"12 a pool under a pool", func(h *hand) {
			h.tap("tr[data-pool=eu-prod] .name")
			h.tap("[data-act='New child']")
			h.fill("#field-name", "ring", false)
			h.fill("#field-block", "/20", true)
			h.await("!" + dialog + " && " + find("tr[data-pool=ring][aria-selected=true]") + " && " + says("[aria-labelledby=tf-title]", "to = cloudpam_pool.ring"))
		}},
	} {
		t.Run(task.rule, func(t *testing.T) {
			b.t, s.t = t, t
			h := &hand{chromium: b}
			b.open(s.url + "/pools")
			b.await(find("tr[data-pool=eu-prod]") + "?.offsetParent && " + find(".panel .map rect"))
			task.run(h)
			if h.actions > most {
				t.Errorf("took %d actions, more than %d", h.actions, most)
			}
			if told := b.complaints(); len(told) > 0 {
				t.Errorf("the page complained:\n%s", strings.Join(told, "\n"))
			}
		})
		b.t, s.t = t, t
	}
}
