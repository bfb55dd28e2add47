package web_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnswering ignores drift and undoes imports, by the pointer and by the keyboard alone.
func TestAnswering(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "berlin.json"), []byte(berlin()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "CLOUDPAM_CLOUDS=custom", "CLOUDPAM_CUSTOM_DIR="+dir)
	s.post("/pools", object{"name": "corp", "cidr": "10.0.0.0/8"})
	s.post("/accounts", object{"cloud": "custom", "external_id": "berlin", "name": "berlin"})
	s.send("/accounts/custom:berlin/sync", object{}, http.StatusOK)
	b := startChromium(t)
	b.resize(1440, 900, "light")
	s.signIn(b)
	follow(t, s, b, []step{
		{"one difference is ignored with its reason, and seen again", ignoresOne},
		{"what is chosen is ignored together, by the keyboard alone, and fifty at once", ignoresMany},
		{"what is ignored is back once its facts change", func(t *testing.T, s *server, b *chromium) { comesBack(t, s, b, dir) }},
		{"without imports the page teaches what they are", teachesImports},
		{"an import is undone in four actions, with what would become of it", undoesImport},
		{"an import that something has changed since says which rows, and nothing is undone", refusesUndoing},
	}...)
}

const drifts = "document.querySelectorAll('tr[data-drift]').length"

func ignoresOne(t *testing.T, s *server, b *chromium) {
	h := &hand{chromium: b}
	b.open(s.url + "/drift")
	b.await(drifts + " === 51")
	h.tap("tr[data-drift]:last-of-type .link")
	h.tap("[data-act='Ignore…']")
	b.await(form + "?.innerText.includes('until its facts change') && document.activeElement.id === 'field-reason'")
	b.picture("ignore-1440-light")
	h.fill("#field-reason", hostile, true)
	b.await("!" + form + " && !" + find("dialog.drawer[open]") + " && " + drifts + " === 50")
	if h.actions > most {
		t.Errorf("ignoring took %d actions", h.actions)
	}
	b.open(s.url + "/drift?ignored=true")
	b.await(drifts + " === 1 && " + says("tr[data-drift] .c-who", "Ignored by token:bootstrap until its facts change: "+hostile))
	b.click("tr[data-drift] .link")
	b.await(says("dialog.drawer[open] [data-why]", hostile) + " && document.title !== 'owned'")
	looksGood(t, b, "ignored")
	b.click("[data-act='See again']")
	b.await("!" + find("dialog.drawer[open]") + " && " + drifts + " === 0 && " + says(".empty", "Nothing matches these filters."))
	b.open(s.url + "/drift")
	b.await(drifts + " === 51")
}

func ignoresMany(t *testing.T, s *server, b *chromium) {
	h := &hand{chromium: b, keys: true}
	b.open(s.url + "/drift")
	b.await(drifts + " === 51")
	// Two are chosen by a key each.
	h.reach("tr[data-drift]:nth-of-type(1) .link")
	h.key("x")
	h.reach("tr[data-drift]:nth-of-type(2) .link")
	h.key("x")
	b.await(says(".head", "2 chosen") + " && document.querySelectorAll('[data-choose]:checked').length === 2 && document.activeElement.matches('tr[data-drift]')")
	looksGood(t, b, "chosen")
	h.tap("[data-act='Ignore 2…']")
	h.fill("#field-reason", "the vendor's", true)
	b.await("!" + form + " && " + drifts + " === 49 && " + hides(".head", "chosen"))
	if h.actions > most {
		t.Errorf("two took %d actions by the keyboard", h.actions)
	}
	h.actions = 0
	h.reach("[data-choose-all]")
	h.key(" ")
	b.await(says(".head", "49 chosen"))
	h.tap("[data-act='Ignore 49…']")
	h.fill("#field-reason", "until the move", true)
	b.await("!" + form + " && " + drifts + " === 0")
	if h.actions > most {
		t.Errorf("49 took %d actions", h.actions)
	}
	h.actions = 0
	h.keys = false
	b.open(s.url + "/drift?ignored=true")
	b.await(drifts + " === 51")
	h.tap("[data-act='See all again']")
	b.await(drifts + " === 0 && " + says(".toasts", "51 differences to be seen again"))
	b.open(s.url + "/drift")
	b.await(drifts + " === 51")
	h.tap("[data-act='Ignore all…']")
	h.fill("#field-reason", "all of Berlin", true)
	b.await("!" + form + " && " + drifts + " === 0")
}

func comesBack(t *testing.T, s *server, b *chromium, dir string) {
	moved := strings.Replace(berlin(), `"region":"berlin","cidr":"172.16.9.0/24"`, `"region":"bonn","cidr":"172.16.9.0/24"`, 1)
	if err := os.WriteFile(filepath.Join(dir, "berlin.json"), []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	s.send("/accounts/custom:berlin/sync", object{}, http.StatusOK)
	b.open(s.url + "/drift")
	b.await(drifts + " === 1 && " + says("tr[data-drift]", "172.16.9.0/24"))
}

func teachesImports(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/imports")
	b.await(says(".empty", "Nothing was imported yet.") + " && " + says(".empty pre", "cloudpam import csv allocations"))
	b.picture("imports-empty")
}

// imports a file as the command does: tried first, and then as it was shown.
func (s *server) imports(kind, csv string) string {
	s.t.Helper()
	tried := s.tried("/imports", object{"kind": kind, "csv": csv})
	if tried["refused"].(float64) != 0 {
		s.t.Fatalf("refused: %v", tried["rows"])
	}
	return s.post("/imports", object{"kind": kind, "csv": csv, "digest": tried["digest"]})["id"].(string)
}

func team(n int) string {
	lines := []string{"pool,name,cidr,owner"}
	for i := range n {
		lines = append(lines, fmt.Sprintf("corp,app-%02d,10.1.%d.0/24,ann", i, i))
	}
	return strings.Join(lines, "\n") + "\n"
}

func undoesImport(t *testing.T, s *server, b *chromium) {
	s.imports("allocations", team(12))
	s.imports("allocations", "pool,name,cidr,owner\ncorp,app-00,10.1.0.0/24,ben\n")
	for _, keys := range []bool{false, true} {
		h := &hand{chromium: b, keys: keys}
		b.open(s.url + "/imports?sort=-created")
		b.await("document.querySelectorAll('tr[data-import]').length === 2 && " + find("[aria-sort=ascending]"))
		row := "tr[data-import]:nth-of-type(1)" // the later one first, which changed an owner
		words := "1 allocation would be as before."
		if keys {
			row, words = "tr[data-import]:nth-of-type(2)", "12 allocations would be released."
		}
		h.tap(row + " .link")
		b.await(says("dialog.drawer[open]", "app-00") + " && " + says("dialog.drawer[open]", "10.1.0.0/24"))
		if !keys {
			looksGood(t, b, "import")
		}
		h.tap("[data-act='Undo…']")
		b.await(form + " && " + says("dialog.ask[open]", words) + " && document.activeElement.matches('[data-keep]')")
		b.picture("undo-1440-light")
		h.tap("[data-send]")
		b.await("!" + form + " && " + says("dialog.drawer[open]", "Undone by token:bootstrap") + " && !" + find("[data-act='Undo…']"))
		if h.actions > most {
			t.Errorf("undoing took %d actions (keyboard %v)", h.actions, keys)
		}
		b.press("Escape")
		b.await(says(row+" .c-state", "Undone"))
	}
	if _, page := s.request("GET", "/allocations", adminToken, nil); len(page["items"].([]any)) != 0 {
		t.Errorf("left: %v", page)
	}
	looksGood(t, b, "imports")
}

func refusesUndoing(t *testing.T, s *server, b *chromium) {
	id := s.imports("allocations", team(3))
	_, page := s.request("GET", "/allocations?name=app-01", adminToken, nil)
	s.gone("/allocations/" + page["items"].([]any)[0].(object)["id"].(string))
	b.open(s.url + "/imports?import=" + id)
	b.click("[data-act='Undo…']")
	b.await(says("dialog.drawer[open]", "It cannot be undone: nothing has been changed") + " && " + says("dialog.drawer[open] tbody tr", "3\tallocation app-01") + " && !" + form)
	looksGood(t, b, "undo-refused")
	if _, page := s.request("GET", "/allocations", adminToken, nil); len(page["items"].([]any)) != 2 {
		t.Error("something was undone")
	}
	for _, told := range b.complaints() { // the browser itself logs every refusal
		if !strings.Contains(told, "status of 412") {
			t.Errorf("the page complained: %s", told)
		}
	}
}
