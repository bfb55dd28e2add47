package web_test

import (
	"slices"
	"strings"
	"testing"
)

// hand counts what a person does: a click, a key, or something typed with the Enter that ends it. One with keys has no pointer: it goes
// to where something is by Tab, and along rows by j and k, which are no actions.
type hand struct {
	*chromium
	keys    bool
	actions int
}

func (h *hand) tap(selector string) {
	h.t.Helper()
	h.actions++
	if !h.keys {
		h.click(selector)
		return
	}
	h.reach(selector)
	h.press("Enter")
}

// reach goes to an element by the keyboard, or to the row that it is in, which Enter opens.
func (h *hand) reach(selector string) {
	h.t.Helper()
	h.await(find(selector) + "?.checkVisibility()")
	next := `(() => {
		const e = ` + find(selector) + `, row = e && e.closest('[data-row]'), a = document.activeElement, on = a.closest('[data-row]');
		if (!e || a === e || a === row && e.tabIndex < 0) return 'there';
		return row && on && row !== on ? (row.compareDocumentPosition(on) & Node.DOCUMENT_POSITION_PRECEDING ? 'j' : 'k') : 'Tab';
	})()`
	for range 500 {
		key := h.text(next)
		if key == "there" {
			return
		}
		h.press(key)
	}
	h.t.Fatalf("the keyboard does not reach %s", selector)
}

// choose goes so many options down in a select.
func (h *hand) choose(selector string, down int) {
	h.t.Helper()
	h.actions++
	if h.keys {
		h.reach(selector)
	} else {
		h.await(find(selector) + "?.offsetParent && (" + find(selector) + ".focus(), true)")
	}
	for range down {
		h.press("ArrowDown")
	}
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
	if h.keys {
		h.reach(selector)
	}
	h.await(find(selector) + "?.offsetParent && (" + find(selector) + ".focus(), " + find(selector) + ".select?.(), true)")
	h.write(text)
	if enter {
		h.press("Enter")
	}
}

const most = 4 // actions of one task

// doesEverydayTasks does what a network engineer does in a day. Each begins on the page of pools.
func doesEverydayTasks(t *testing.T, s *server, b *chromium) {
	doesTasks(t, s, b, false, func(string) bool { return true })
}

// TestTasksByKeyboard does all of them without a pointer.
func TestTasksByKeyboard(t *testing.T) {
	s := startServer(t)
	seed(s)
	b := startChromium(t)
	b.resize(1440, 900, "light")
	s.signIn(b)
	doesTasks(t, s, b, true, func(string) bool { return true })
}

// TestTasksOnAPhone does those that one does on the way: who has an address, find and take space, why not, resize, give it up, all of an account.
func TestTasksOnAPhone(t *testing.T) {
	s := startServer(t)
	seed(s)
	b := startChromium(t)
	b.resize(390, 844, "light")
	s.signIn(b)
	doesTasks(t, s, b, false, func(rule string) bool {
		return slices.ContainsFunc([]string{"1 ", "2 ", "4 ", "5 ", "6 release", "10 "}, func(begin string) bool { return strings.HasPrefix(rule, begin) })
	})
}

func doesTasks(t *testing.T, s *server, b *chromium, keys bool, wanted func(rule string) bool) {
	t.Helper()
	width, err := b.value("innerWidth")
	if err != nil {
		t.Fatal(err)
	}
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
		{"13 a token that may only plan", func(h *hand) {
			h.tap(".links a[href='/tokens']")
			h.await(find("tr[data-token]") + "?.offsetParent && " + find("[data-new]") + "?.offsetParent")
			h.key("n")
			h.choose("#field-role", 1)
			h.fill("#field-name", "ci-plan", true)
			h.await(find("dialog.ask[open] .secret") + "?.innerText.includes('cpam_')")
			if got := made("/tokens", "ci-plan")["bindings"].([]any)[0].(object)["role"]; got != "planner" {
				t.Errorf("the token is a %v", got)
			}
		}},
		{"14 what changed yesterday in a pool", func(h *hand) {
			h.tap("tr[data-pool=eu-prod] .name")
			h.await(find("#panel-title") + ".innerText === 'eu-prod'")
			h.tap("[data-changes]")
			h.await(find("tr[data-event]") + "?.offsetParent")
			h.tap("[data-act=Yesterday]")
			// A day is not always 24 hours long. What is listed is what the API answers for that day and that block.
			h.await("Math.abs(new Date(" + find("[data-filter=until]") + ".value) - new Date(" + find("[data-filter=since]") + ".value) - 86400000) <= 3600000 && " + find("[data-filter=within]") + ".value === '10.200.0.0/16'")
			h.await("(await fetch('/api/v1/events' + location.search).then(r => r.json())).items.length === document.querySelectorAll('tr[data-event]').length && !" + find(".skeleton") + ".offsetParent")
		}},
		{"15 compare two dates", func(h *hand) {
			h.tap("tr[data-pool=eu-prod] .name")
			h.await(find("#panel-title") + ".innerText === 'eu-prod'")
			h.tap("[data-compare-link]")
			h.await("[...document.querySelectorAll('[data-difference=came]')].some(r => r.innerText.includes('eu-prod')) && /[0-9]+ came, 0 left, 0 changed, 0 stayed/.test(" + find(".head") + ".innerText)")
			h.picture("task-compare")
		}},
		{"16 room to grow", func(h *hand) {
			h.key("/")
			h.fill(".finder .in", "orders", false)
			h.await(find("#hits [aria-selected=true]") + "?.innerText.includes('10.200.0.0/23')")
			h.press("Enter")
			h.tap("[data-act='Room to grow']")
			h.await(dialog + "?.innerText.includes('/22, with 10.200.2.0/23')")
			h.tap("[data-send]")
			h.await("location.pathname === '/reservations' && " + says("tr[data-reservation]", "room for orders to grow"))
		}},
		{"17 export an account's space", func(h *hand) {
			h.tap(".links a[href='/accounts']")
			h.tap("tr[data-account='aws:111122223333'] .link")
			h.tap("dialog.drawer a[href^='/allocations?account=']")
			h.await(find("tr[data-allocation]") + " && (URL.createObjectURL = blob => { blob.text().then(text => { window.file = text; }); return 'data:,'; }, HTMLAnchorElement.prototype.click = function () { window.fileName = this.download; }, true)")
			h.tap("[data-csv]")
			h.await("window.file?.includes('10.200.0.0/23') && window.file.split('\\r\\n').length === 3")
		}},
	} {
		if !wanted(task.rule) {
			continue
		}
		t.Run(task.rule, func(t *testing.T) {
			b.t, s.t = t, t
			h := &hand{chromium: b, keys: keys}
			b.open(s.url + "/pools")
			b.await(find("tr[data-pool=eu-prod]") + "?.offsetParent")
			if width.(float64) > 1240 {
				b.await(find(".panel .map rect"))
			}
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
