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
		b.await(opened + " && " + says(section, part.words+" Not now: The database rests.") + " && document.querySelectorAll('.panel .failed').length === 3")
		b.await("[...document.querySelectorAll('.panel .failed')].filter(f => f.offsetParent).length === 1 && " + hides(".panel", "Loading…"))
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
