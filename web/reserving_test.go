package web_test

import (
	"strings"
	"testing"
)

// losesFirstPost lets the answer to the first POST never arrive, though it is carried out, and remembers the keys.
const losesFirstPost = `window.posted = [];
	window.fetch = (ask => (url, how) => {
		if (how.method !== 'POST') return ask(url, how);
		window.posted.push(how.headers['Idempotency-Key']);
		return ask(url, how).then(answer => window.posted.length === 1 ? Promise.reject(new TypeError('lost')) : answer);
	})(window.fetch);
	0`

// fill replaces what stands in a field of the form that reserves.
func fill(b *chromium, field, text string) {
	b.t.Helper()
	b.await(find("#reserve-"+field) + "?.offsetParent && (" + find("#reserve-"+field) + ".select(), true)")
	b.write(text)
}

// reservesBlock reserves with the keyboard alone, after a refusal and a lost answer.
func reservesBlock(t *testing.T, s *server, b *chromium) {
	form, fault := find("dialog.ask[open]"), func(field string) string { return find("#reserve-"+field+"-fault") + ".innerText" }

	// A pool leads to the form, and the key n opens it.
	b.open(s.url + "/pools?pool=lab")
	b.click(".panel a[href='/reservations?new=&pool=lab']")
	b.await(form + " && " + find("#reserve-pool") + ".value === 'lab' && document.activeElement.id === 'reserve-block'")
	b.press("Escape")
	b.await("!" + form)
	b.open(s.url + "/reservations")
	b.await(find("tr[data-reservation]") + "?.offsetParent")
	b.press("n")
	b.await(form + " && document.activeElement.id === 'reserve-block' && document.activeElement.value === ''")
	b.picture("reserve-1440-light")

	// A CIDR finds its pool, and a refusal says who is in the way, beside the field.
	b.write("10.0.0.0/16")
	b.press("Tab")
	b.await(find("#reserve-pool") + ".value === 'euw1' && document.activeElement.id === 'reserve-pool'")
	b.press("Tab")
	b.write("the lab moves in")
	b.press("Enter")
	b.await(fault("block") + ".includes('10.0.0.0/16 is taken') && " + find("#reserve-block") + ".getAttribute('aria-invalid') === 'true'")
	b.await("document.querySelectorAll('.ask .alert li').length === 5 && " + find(".ask .alert") + ".innerText.includes('allocation hostile 10.0.0.0/24')")
	b.picture("reserve-refused")
	for _, wrong := range []struct{ block, words string }{
		{"10.0.77.1/16", `did you mean "10.0.0.0/16"?`}, {"10.0.77.1", `a single address is "10.0.77.1/32"`}, {"10.128.0.0/26", "lies outside pool euw1"},
	} {
		fill(b, "block", wrong.block)
		b.press("Enter")
		b.await(fault("block") + ".includes(" + quote(wrong.words) + ") && !document.querySelector('.ask .alert li')?.offsetParent")
	}
	fill(b, "block", "/9")
	b.press("Enter")
	b.await(find(".ask .alert") + ".innerText.startsWith('Pool exhausted: ') || " + fault("block") + " !== ''")
	onlyRefused(t, b)

	// The answer is lost, and the same wish again is the same request.
	if _, err := b.value(losesFirstPost); err != nil {
		t.Fatal(err)
	}
	fill(b, "block", "/20")
	b.press("Enter")
	b.await(find(".ask .alert") + ".innerText.startsWith('No answer from the server')")
	b.press("Enter")
	b.await("!" + form + " && " + find("dialog.drawer[open]") + "?.innerText.includes('the lab moves in')")
	if first, second, _ := strings.Cut(b.text("window.posted.join()"), ","); len(first) != 32 || first != second {
		t.Errorf("asked with the keys %q and %q, want one key twice", first, second)
	}
	status, got := s.request("GET", "/reservations?pool=euw1", adminToken, nil)
	if items, _ := got["items"].([]any); status != 200 || len(items) != 1 {
		t.Fatalf("reserved %v, want one block", got)
	}
	b.press("Escape")

	// An end is in the future, and told in the time of the person.
	b.click("[data-new]")
	until := func(when string) {
		b.await("(at => { at.value = " + quote(when) + "; at.dispatchEvent(new Event('input')); return true; })(" + find("#reserve-until") + ")")
	}
	fill(b, "block", "10.128.0.240/28")
	b.press("Tab")
	b.await(find("#reserve-pool") + ".value === 'lab'") // which is proposed, and would come among what is typed there
	fill(b, "reason", "a fair in spring")
	fill(b, "owner", "events")
	until("2001-01-01T12:00")
	b.click("[data-reserve]")
	b.await(fault("until") + ".includes('has passed')")
	until("2098-03-01T12:00")
	b.click("[data-reserve]")
	b.await(find("dialog.drawer[open]") + "?.innerText.includes('a fair in spring') && " + find("dialog.drawer[open] .hold-state") + ".innerText.includes('2098')")
	want := b.text("new Date('2098-03-01T12:00').toISOString().slice(0, 19)")
	_, got = s.request("GET", "/reservations?pool=lab", adminToken, nil)
	made := got["items"].([]any)[0].(object)
	if at := made["expires_at"].(string); !strings.HasPrefix(at, want) || made["cidr"] != "10.128.0.240/28" || made["owner"] != "events" {
		t.Errorf("reserved %v, want until %s", made, want)
	}
	b.press("Escape")
	b.await("!" + find("dialog[open]"))
	onlyRefused(t, b)
}

// onlyRefused takes the complaints that the browser itself makes about refusals.
func onlyRefused(t *testing.T, b *chromium) {
	t.Helper()
	for _, told := range b.complaints() {
		if !strings.Contains(told, "status of 4") {
			t.Errorf("the page complained: %s", told)
		}
	}
}
