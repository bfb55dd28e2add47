package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/oauth2-proxy/mockoidc"
)

// TestApprovals goes through the queue as a person who decides, and as the first token, which does not yet.
func TestApprovals(t *testing.T) {
	s, by := startWithIssuer(t, "admin")
	s.post("/pools", object{"name": "corp", "cidr": "10.0.0.0/8"})
	s.post("/pools", object{"name": "team", "parent": "corp", "cidr": "10.0.0.0/16"})
	if status, got := s.request(http.MethodPut, "/pools/corp/policy", adminToken, strings.NewReader(`{"rules":{"approval_above":24}}`)); status != http.StatusOK {
		t.Fatal(got)
	}
	for i := range 9 {
		s.post("/allocations", object{"pool": "team", "name": fmt.Sprint("small-", i), "prefix_length": 24})
	}
	asked := func(name string) object {
		return s.send("/allocations", object{"pool": "team", "name": name, "prefix_length": 20, "owner": "payments", "labels": object{"team": "payments", "note": hostile}}, http.StatusConflict)["approval"].(object)
	}
	one, _, _ := asked("vpc-a"), asked("vpc-b"), asked("vpc-c")
	b := startChromium(t)
	b.resize(1440, 900, "light")

	by.QueueUser(&mockoidc.MockUser{Subject: "7", Email: "eve@example.com", Groups: []string{"network"}})
	b.open(s.url + "/approvals?status=pending")
	b.await("location.pathname === '/login' && " + find(".door"))
	b.click(".door")
	b.await("document.querySelectorAll('tr[data-approval]').length === 3 && document.querySelectorAll('[data-choose]').length === 3")

	// One request with what is around its block.
	const drawer = `document.querySelector('dialog.drawer[open]')`
	b.open(s.url + "/approvals?approval=" + one["id"].(string))
	b.await(drawer + "?.innerText.includes('a /20 is larger than a /24: the policy of pool corp has approval_above 24 here') && " + drawer + ".innerText.includes('token:bootstrap') && " +
		drawer + ".querySelector('.map rect.chosen') && " + find("[data-act='Approve…']") + "?.offsetParent && !" + find("[data-why]") + ".offsetParent && document.title !== 'owned'")
	looksGood(t, b, "approval")
	b.press("Escape")

	// Several at once.
	b.open(s.url + "/approvals")
	b.await("document.querySelectorAll('[data-choose]').length === 3")
	b.await("!" + find("[data-act^=Approve]") + "?.offsetParent")
	b.click("tr[data-approval]:nth-of-type(1) [data-choose]")
	b.click("tr[data-approval]:nth-of-type(2) [data-choose]")
	b.await(find("[data-act='Approve 2…']") + "?.offsetParent && " + says(".head", "2 chosen"))
	looksGood(t, b, "approvals")
	b.click("[data-act='Approve 2…']")
	b.await(form + "?.innerText.includes('Approve 2 requests?')")
	b.click("[data-send]")
	b.await("!" + form + " && document.querySelector('.toast.note')?.innerText.includes('Approved 2 requests') && [...document.querySelectorAll('tr[data-approval] .c-state')].filter(e => e.innerText.trim() === 'approved').length === 2")

	// A refusal needs its reason.
	b.open(s.url + "/approvals?approval=" + one["id"].(string))
	b.click("[data-act='Refuse…']")
	b.await(form + " && " + form + ".innerText.includes('the requester is told why')")
	typeInto(b, "comment", "a /22 will do")
	b.press("Enter")
	b.await("!" + form + " && " + drawer + "?.innerText.includes('a /22 will do') && !" + find("[data-act='Refuse…']") + "?.offsetParent && " + find("[data-why]") + ".innerText === 'Refused: there is nothing to decide.'")
	if status, got := s.request(http.MethodPost, "/allocations", adminToken, strings.NewReader(`{"pool":"team","name":"vpc-b","prefix_length":20,"owner":"payments","labels":{"team":"payments","note":`+quote(hostile)+`}}`)); status != http.StatusCreated {
		t.Errorf("what was approved: %d %v", status, got)
	}

	// What is given up says so, and stays where that is refused.
	if status, got := s.request(http.MethodPut, "/pools/team/policy", adminToken, strings.NewReader(`{"rules":{"release_approval_above":26}}`)); status != http.StatusOK {
		t.Fatal(got)
	}
	_, small := s.request(http.MethodGet, "/allocations?name=small-1", adminToken, nil)
	status, got := s.request(http.MethodDelete, "/allocations/"+small["items"].([]any)[0].(object)["id"].(string), adminToken, nil)
	if status != http.StatusConflict {
		t.Fatal(status, got)
	}
	b.open(s.url + "/approvals?approval=" + got["approval"].(object)["id"].(string))
	b.await(drawer + "?.innerText.includes('giving up a /24, which is larger than a /26') && " + drawer + ".innerText.includes('release of allocation small-1')")
	b.click("[data-act='Refuse…']")
	b.await(form + " && " + form + ".innerText.includes('The block stays where it is')")
	b.press("Escape")

	// What one may not do is absent, and said.
	two := asked("vpc-d")
	b.press("Escape")
	b.click(".foot [aria-label='Sign out']")
	b.await("location.pathname === '/login' && " + canSignIn)
	signInBy(b, s, adminToken)
	b.open(s.url + "/approvals?approval=" + two["id"].(string))
	b.await(drawer + " && " + find("[data-why]") + "?.innerText.startsWith('The first token stands in for a second person from') && !" + find("[data-act]") + "?.offsetParent && !" + find("[data-choose]") + "?.offsetParent")
	if told := b.complaints(); len(told) > 0 {
		t.Errorf("the page complained:\n%s", strings.Join(told, "\n"))
	}
}

// looksGood takes pictures of what is shown, at three widths, and asks axe about it.
func looksGood(t *testing.T, b *chromium, name string) {
	t.Helper()
	axe := read(t, "testdata/axe-core-4.14.1.min.js")
	const check = `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(r =>
		r.violations.map(v => v.id + ' (' + v.help + '): ' + v.nodes.map(n => n.html.slice(0, 200)).join(' ')).join('\n'))`
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int{390, 1280, 1440} {
			b.resize(width, 900, theme)
			b.picture(fmt.Sprintf("%s-%d-%s", name, width, theme))
			if v, _ := b.value("document.documentElement.scrollWidth"); v.(float64) > float64(width) {
				t.Errorf("%s is %v pixels wide at %d", name, v, width)
			}
		}
		if _, err := b.value(axe + "; 0"); err != nil {
			t.Fatal(err)
		}
		if found := b.text(check); found != "" {
			t.Errorf("%s, %s:\n%s", name, theme, found)
		}
	}
	b.resize(1440, 900, "light")
}
