package web_test

import (
	"strings"
	"testing"
)

// illness stands between the page and the server: what matches is lost, refused or never answered, as the session storage says.
const illness = `window.fetch = (ask => (url, how) => {
	const ill = JSON.parse(sessionStorage.getItem('ill'));
	if (!ill || !new RegExp(ill.of).test(url)) return ask(url, how);
	if (ill.how === 'lost') return Promise.reject(new TypeError('lost'));
	if (ill.how === 'refused') return Promise.resolve(new Response(JSON.stringify({title: 'Not now', detail: 'The database rests.'}), {status: 503, headers: {'Content-Type': 'application/problem+json'}}));
	return new Promise((_, no) => how.signal && how.signal.addEventListener('abort', () => no(new DOMException('', 'AbortError'))));
})(window.fetch)`

// infect makes every page that is opened from now on able to fall ill. The function that it returns ends that.
func infect(b *chromium) (heal func()) {
	b.t.Helper()
	var script struct{ Identifier string }
	b.call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": illness}, &script)
	return func() {
		well(b)
		b.call("Page.removeScriptToEvaluateOnNewDocument", map[string]any{"identifier": script.Identifier}, nil)
	}
}

func ill(b *chromium, of, how string) {
	b.t.Helper()
	b.await("(sessionStorage.setItem('ill', JSON.stringify({of: " + quote(of) + ", how: " + quote(how) + "})), true)")
}

func well(b *chromium) {
	b.t.Helper()
	b.await("(sessionStorage.removeItem('ill'), true)")
}

// says and hides are about what a person sees of an element.
func says(selector, words string) string {
	return find(selector) + "?.innerText.includes(" + quote(words) + ")"
}

func hides(selector string, words ...string) string {
	all := make([]string, 0, len(words))
	for _, word := range words {
		all = append(all, "!"+says(selector, word))
	}
	return strings.Join(all, " && ")
}

// admitsPanel looks at a pool whose space, free blocks and allocations are still asked for, or cannot be had.
func admitsPanel(_ *testing.T, s *server, b *chromium) {
	defer infect(b)()
	denials := []string{"Nothing is free", "0 blocks", "None directly", "A free chip"}
	opened := find("#panel-title") + "?.innerText === 'aws-prod' && " + says(".use", "addresses free")
	b.open(s.url + "/pools")
	b.await(find("tr[data-pool=v6]"))

	ill(b, "/(space|free-blocks|allocations)(\\?|$)", "silent")
	b.open(s.url + "/pools?pool=aws-prod")
	b.await(opened + " && " + find(".panel") + ".innerText.split('Loading…').length === 4 && " + hides(".panel", denials...))
	b.picture("panel-loading")
	b.click(".seg button:last-child")
	b.await(hides(".panel", "STATE", "State") + " && " + says(".panel", "Loading…"))

	ill(b, "/(space|free-blocks|allocations)(\\?|$)", "lost")
	b.open(s.url + "/pools?pool=aws-prod")
	for _, part := range []string{"The map could not be loaded.", "The free blocks could not be loaded.", "The allocations could not be loaded."} {
		b.await(opened + " && " + says(".panel", part+" No answer from the server: It may be restarting"))
	}
	b.await(hides(".panel", append(denials, "Loading…", "Point at")...) + " && !" + find(".panel .map") + ".checkVisibility() && !" + find(".toast"))
	b.picture("panel-failed-light")
	b.resize(1440, 900, "dark")
	b.picture("panel-failed-dark")
	b.resize(390, 844, "light")
	narrow(b.t, b, "panel-failed-390")
	b.resize(1440, 900, "light")

	// Each part fails alone, and is asked for again alone.
	for _, part := range []struct{ of, title, words, ready string }{
		{"/space", "map-title", "The map could not be loaded.", find(".panel .map rect[data-block]") + " && " + says(".panel", "blocks")},
		{"/free-blocks", "ladder-title", "The free blocks could not be loaded.", find(".panel .chips button.free")},
		{"/allocations", "allocs-title", "The allocations could not be loaded.", says("[aria-labelledby=allocs-title]", "payments")},
	} {
		section := "[aria-labelledby=" + part.title + "]"
		ill(b, part.of+"(\\?|$)", "refused")
		b.open(s.url + "/pools?pool=aws-prod")
		b.await(opened + " && " + says(section, part.words+" Not now: The database rests.") + " && document.querySelectorAll('.panel section > .failed').length === 3")
		b.await("[...document.querySelectorAll('.panel section > .failed')].filter(f => f.offsetParent).length === 1 && " + hides(".panel", "Loading…"))
		b.click(section + " .failed .btn")
		b.await(says(section, part.words))
		well(b)
		b.click(section + " .failed .btn")
		b.await(part.ready + " && " + hides(".panel", "could not be loaded", "Loading…"))
	}

	// What was read may be nothing.
	s.post("/scopes", object{"name": "packed"})
	s.post("/pools", object{"scope": "packed", "name": "outer", "cidr": "10.9.0.0/28"})
	s.post("/pools", object{"parent": "packed.outer", "name": "inner", "cidr": "10.9.0.0/28"})
	b.open(s.url + "/pools?pool=packed.outer")
	b.await(says(".panel", "Nothing is free in this pool.") + " && " + says(".panel", "None directly in this pool.") + " && " + says(".panel", "1 block"))
	b.picture("panel-nothing")
}

// admitsLists looks at every page of a list while it is asked for, after that failed, and after a filter was refused.
func admitsLists(t *testing.T, s *server, b *chromium) {
	defer infect(b)()
	b.open(s.url + "/pools")
	b.await(find("tr[data-pool=v6]"))
	waits := find(".skeleton") + "?.offsetParent && !" + find(".empty") + ".offsetParent"
	failed := "![...document.querySelectorAll('.skeleton, .empty')].some(e => e.offsetParent) && !" + find("tbody tr[data-row]") + "?.offsetParent"
	for _, page := range []struct{ name, filter, row string }{
		{"allocations", "q", "allocation"}, {"reservations", "q", "reservation"}, {"holds", "holder", "hold"}, {"accounts", "q", "account"},
	} {
		row, list := find("tr[data-"+page.row+"]"), "/api/v1/"+page.name+"(\\?|$)"
		ill(b, list, "silent")
		b.open(s.url + "/" + page.name + "?" + page.filter + "=no-such-thing")
		if page.name != "holds" {
			b.await(waits)
		}
		b.await("!" + find(".empty") + "?.offsetParent && " + find(".head .muted") + ".innerText === ''")
		ill(b, list, "lost")
		b.open(s.url + "/" + page.name)
		b.await(says(".note[role=alert]", "The "+page.name+" could not be loaded. No answer from the server: It may be") + " && " + strings.ReplaceAll(failed, "tbody tr[data-row]", "tr[data-"+page.row+"]") + " && !" + find(".toast"))
		b.picture("failed-" + page.name)
		well(b)
		b.click(".note .btn")
		b.await(row + "?.offsetParent && !" + find(".note[role=alert]") + ".offsetParent && /^(the first )?[0-9]+/.test(" + find(".head .muted") + ".innerText)")

		// Rows of an earlier answer do not stand for one that failed.
		ill(b, list, "refused")
		filter := "[x-model=" + page.filter + "]"
		b.click(filter)
		b.write("m")
		b.await(says(".note[role=alert]", "could not be loaded. Not now: The database rests.") + " && !" + row + " && " + find(".head .muted") + ".innerText === ''")
		well(b)

		// One outage is told once, whatever it kept from being read.
		ill(b, "/api/", "lost")
		b.open(s.url + "/" + page.name)
		b.await(says(".note[role=alert]", "could not be loaded") + " && " + find(".toast"))
		if page.name == "holds" {
			b.await("[...document.querySelectorAll('.note[role=alert]')].filter(n => n.offsetParent).length === 2")
			b.picture("failed-everything")
		}
		if got := b.text("[...document.querySelectorAll('.toast strong')].map(t => t.innerText).join()"); got != "The choices of the filters could not be loaded" {
			t.Errorf("the toasts are %q", got)
		}
		well(b)
	}
	ill(b, "/api/", "lost")
	b.open(s.url + "/pools")
	b.await(says(".note[role=alert]", "The pools could not be loaded. No answer from the server") + " && !" + find(".skeleton") + ".offsetParent")
	b.await("document.querySelectorAll('.toast').length === 1 && " + says(".toast", "The scopes could not be loaded"))
	b.picture("failed-pools")
	well(b)
	b.click(".note .btn")
	b.await(find("tr[data-pool=v6]") + "?.offsetParent")
}

// admitsMore looks at the next page of a list, at draft pools beside a list without holds, and at a refused filter of a link.
func admitsMore(_ *testing.T, s *server, b *chromium) {
	defer infect(b)()
	rows := "document.querySelectorAll('tr[data-allocation]').length"
	b.open(s.url + "/allocations")
	b.await(rows + " === 100")
	ill(b, "page_token", "lost")
	b.scrollTo(".more") // in sight, it asks by itself, once
	b.await(find(".more .btn") + ".disabled === false && " + says(".toast", "The next rows could not be loaded"))
	b.click(".more .btn")
	b.await(find(".more .btn") + ".disabled === false && " + says(".toast", "The next rows could not be loaded"))
	b.await("document.querySelectorAll('.toast').length === 1 && " + rows + " === 100")
	well(b)
	b.click(".more .btn")
	b.await(rows + " > 100")

	nothing := "[...document.querySelectorAll('.empty')].some(e => e.offsetParent)"
	ill(b, "/pool-drafts", "silent")
	b.open(s.url + "/holds?pool=v6")
	b.await(find(".skeleton") + "?.offsetParent && " + find(".filters .btn") + ".offsetParent && !" + nothing)
	ill(b, "/pool-drafts", "lost")
	b.open(s.url + "/holds?pool=v6")
	b.await(says(".note[role=alert]:not([style*=none])", "The draft pools could not be loaded.") + " && !" + nothing + " && !" + find(".skeleton") + ".offsetParent")
	well(b)
	b.click(".note[role=alert]:not([style*=none]) .btn")
	b.await(says(".empty h2", "No hold matches these filters."))

	b.open(s.url + "/allocations?within=10.0.0.1%2F8")
	b.await(says(".filters", "did you mean") + " && " + says(".note:not([role])", "A filter was refused, so nothing was looked up.") + " && !" + find(".skeleton") + ".offsetParent && !" + nothing)
	b.await("new Set([...document.querySelectorAll('.filters .in, .filters .btn')].map(e => Math.round(e.getBoundingClientRect().top))).size === 3")
	b.picture("wrong-filter")
	b.await("(" + find("[data-filter=within]") + ".select(), true)")
	b.write("10.128.0.0/24")
	b.await(rows + " === 13 && !" + find(".note:not([role])") + ".offsetParent")
	onlyRefused(b.t, b)
}
