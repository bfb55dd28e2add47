package web_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLive has two browsers open: what one does is seen in the other, which keeps its place.
func TestLive(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "berlin.json"), []byte(berlin()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "CLOUDPAM_CLOUDS=custom", "CLOUDPAM_CUSTOM_DIR="+dir)
	s.post("/pools", object{"name": "corp", "cidr": "10.0.0.0/8"})
	s.post("/accounts", object{"cloud": "custom", "external_id": "berlin", "name": "berlin"})
	s.send("/accounts/custom:berlin/sync", object{}, http.StatusOK)
	for i := range 90 {
		s.post("/allocations", object{"pool": "corp", "name": fmt.Sprintf("app-%02d", i), "cidr": fmt.Sprintf("10.1.%d.0/24", i), "owner": "ann"})
	}
	mine, theirs := startChromium(t), startChromium(t)
	for _, b := range []*chromium{mine, theirs} {
		b.resize(1440, 900, "light")
		s.signIn(b)
	}
	watch := func(t *testing.T) {
		t.Helper()
		mine.t, theirs.t, s.t = t, t, t
	}
	t.Run("a row that comes leaves the focus and the place where they are", func(t *testing.T) {
		watch(t)
		mine.open(s.url + "/allocations?sort=-created")
		mine.await("document.querySelectorAll('tr[data-allocation]').length === 90")
		mine.await("(window.row = document.querySelectorAll('tr[data-allocation]')[40], row.focus(), row.scrollIntoView({block: 'center'}), document.activeElement === row)")
		mine.await("(window.at = row.getBoundingClientRect().top, scrollY > 0)")
		theirs.open(s.url + "/allocations")
		theirs.click("[data-act=Allocate]")
		theirs.await(form + " && (" + find("#field-name") + ".focus(), true)")
		typeInto(theirs, "name", "fresh")
		typeInto(theirs, "block", "/24")
		typeInto(theirs, "pool", "corp")
		theirs.press("Enter")
		theirs.await("!" + form)
		mine.await(says(".head", "91 allocations") + " && " + says("tr[data-allocation] .c-name", "fresh") + " && " + says("[data-news]", "1 new"))
		mine.await("document.activeElement === row && Math.abs(row.getBoundingClientRect().top - at) <= 2")
	})
	t.Run("a form that is half filled stays, and what is behind it is as it is by now", func(t *testing.T) {
		watch(t)
		_, page := s.request("GET", "/allocations?name=app-10", adminToken, nil)
		a := page["items"].([]any)[0].(object)
		mine.open(s.url + "/allocations?allocation=" + a["id"].(string))
		mine.click("[data-act=Edit]")
		mine.await(form + " && " + find("#field-purpose"))
		typeInto(mine, "purpose", "half a sen")
		s.gone("/allocations/" + idOf(t, s, "app-11"))
		theirs.await("await (async path => (await fetch(path, {method: 'PATCH', headers: {'Content-Type': 'application/json', 'If-Match': (await fetch(path)).headers.get('ETag')}, body: JSON.stringify({owner: 'ben'})})).ok)(" + quote("/api/v1/allocations/"+a["id"].(string)) + ")")
		mine.await(says("dialog.drawer .facts", "ben") + " && " + says("[data-news]", "gone"))
		mine.await(form + " && " + find("#field-purpose") + ".value === 'half a sen' && document.activeElement.id === 'field-purpose'")
		mine.picture("live-form")
		mine.press("Escape")
		mine.press("Escape")
	})
	t.Run("what is chosen stays so while others leave the list", func(t *testing.T) {
		watch(t)
		mine.open(s.url + "/drift")
		mine.await(drifts + " === 51")
		mine.click("tr[data-drift]:nth-of-type(3) [data-choose]")
		mine.click("tr[data-drift]:nth-of-type(5) [data-choose]")
		mine.await(says(".head", "2 chosen") + " && (window.chosen = [3, 5].map(n => document.querySelector('tr[data-drift]:nth-of-type(' + n + ')').dataset.drift).join(), true)")
		ids := mine.text("[1, 2, 7].map(n => document.querySelector('tr[data-drift]:nth-of-type(' + n + ')').dataset.drift).join()")
		s.send("/drift-answers", object{"answer": "ignore", "reason": "theirs", "ids": strings.Split(ids, ",")}, http.StatusOK)
		mine.await(drifts + " === 48 && " + says(".head", "2 chosen") + " && [...document.querySelectorAll('[data-choose]:checked')].map(c => c.dataset.choose).join() === chosen")
	})
	t.Run("the dashboard says what has just happened", func(t *testing.T) {
		watch(t)
		mine.open(s.url + "/dashboard")
		mine.await(find("[data-full=corp]") + " && " + settledParts + " && (" + find("[data-full=corp] .link") + ".focus(), true)")
		s.post("/allocations", object{"pool": "corp", "name": "on-the-board", "prefix_length": 10})
		mine.await(says("[aria-labelledby=recent-title]", "on-the-board") + " && document.activeElement.closest('[data-full=corp]') && " + settledParts)
	})
	for _, b := range []*chromium{mine, theirs} {
		if told := b.complaints(); len(told) > 0 {
			t.Errorf("a page complained:\n%s", strings.Join(told, "\n"))
		}
	}
	t.Run("where the stream is refused, the page is as it was read and says nothing of it", func(t *testing.T) {
		watch(t)
		mine.call("Network.enable", nil, nil)
		mine.call("Network.setBlockedURLs", map[string]any{"urls": []string{"*/events/stream*"}}, nil)
		mine.open(s.url + "/allocations")
		mine.await(find("tr[data-allocation]") + " && performance.getEntriesByType('resource').some(e => e.name.includes('/api/v1/allocations'))")
		s.post("/allocations", object{"pool": "corp", "name": "unheard", "prefix_length": 24})
		mine.click("tr[data-allocation] .link")
		mine.await(find("dialog.drawer[open]") + " && !" + find(".toast"))
	})
}

func idOf(t *testing.T, s *server, name string) string {
	t.Helper()
	_, page := s.request("GET", "/allocations?name="+name, adminToken, nil)
	return page["items"].([]any)[0].(object)["id"].(string)
}
