package web_test

import "testing"

// renamesPool gives a pool another name with the keyboard, after a refusal and a change by somebody else.
func renamesPool(t *testing.T, s *server, b *chromium) {
	form, name, fault, alert := find("dialog.ask[open]"), find("#rename-name"), find("#rename-name-fault"), find(".panel .ask .alert")
	b.open(s.url + "/pools?pool=lab")
	b.await(find("[data-rename]") + "?.offsetParent && (" + find("[data-rename]") + ".focus(), true)")
	b.press("Enter")
	b.await(form + " && document.activeElement.id === 'rename-name' && document.activeElement.value === 'lab'")
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []struct {
			pixels int
			name   string
		}{{390, "390"}, {1280, "1280"}} {
			b.resize(width.pixels, 844, theme)
			b.await(form)
			b.picture("rename-" + width.name + "-" + theme)
			b.await("document.documentElement.scrollWidth <= " + width.name)
		}
	}
	b.resize(1440, 900, "light")

	// What is wrong with a name is told at the field, by the server.
	for wrong, words := range map[string]string{"euw1": `there is already a pool "euw1"`, "No Name": "Lower-case letters"} {
		b.await("(" + name + ".select(), true)")
		b.write(wrong)
		b.press("Enter")
		b.await(fault + ".innerText.includes(" + quote(words) + ") && " + name + ".getAttribute('aria-invalid') === 'true'")
	}
	b.picture("rename-refused")

	// Somebody changes the pool meanwhile: nothing is overwritten unseen, and the same button goes on.
	const patch = `fetch('/api/v1/pools/lab', {method: 'PATCH', body: '{"owner":"somebody"}', headers: {'If-Match': '*', 'Content-Type': 'application/json'}}).then(answer => String(answer.status))`
	if status := b.text(patch); status != "200" {
		t.Fatalf("status %s", status)
	}
	b.await("(" + name + ".select(), true)")
	b.write("workshop")
	b.press("Enter")
	b.await(alert + ".innerText.includes('Somebody has changed this pool meanwhile')")
	b.press("Enter")
	b.await("!" + form + " && location.search === '?pool=workshop' && " + find("tr[data-pool=workshop][aria-selected=true]") + " && !" + find("tr[data-pool=lab]"))
	b.await(find("#panel-title") + ".innerText === 'workshop' && document.activeElement === " + find("[data-rename]"))
	if status, pool := s.request("GET", "/pools/workshop", adminToken, nil); status != 200 || pool["owner"] != "somebody" || pool["cidr"] == "" {
		t.Errorf("status %d: %v", status, pool)
	}

	// Escape changes nothing, and the same name is no change.
	b.press("Enter")
	b.await(form)
	b.press("Escape")
	b.await("!" + form)
	b.press("Enter")
	b.await(form + " && document.activeElement.value === 'workshop'")
	b.press("Enter")
	b.await("!" + form)

	b.press("Enter")
	b.await(form + " && document.activeElement.value === 'workshop'")
	b.write("lab")
	b.press("Enter")
	b.await("!" + form + " && " + find("tr[data-pool=lab][aria-selected=true]"))
	onlyRefused(t, b)
}
