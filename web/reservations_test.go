package web_test

import (
	"testing"
)

// releasesDraft gives up a draft pool that a plan made; another stays for the tests that follow.
func releasesDraft(t *testing.T, s *server, b *chromium) {
	s.promise("/pool-drafts", object{"pool": object{"name": "preview", "parent": "use1", "prefix_length": 16}, "holder": "pipeline-9"})
	s.promise("/holds", object{"pool": "preview", "name": "inside", "prefix_length": 20})
	row := find("tr[data-draft=preview]")
	b.open(s.url + "/holds")
	b.await("document.querySelectorAll('tr[data-draft]').length === 2 && " + row + ".innerText.includes('Promised until')")
	for _, words := range []string{"use1", "token:bootstrap for pipeline-9"} {
		b.await(row + ".innerText.includes(" + quote(words) + ")")
	}
	b.picture("drafts-1440-light")
	b.open(s.url + "/holds?pool=use1")
	b.await("document.querySelectorAll('tr[data-draft]').length === 1 && " + row + " && !" + find(".empty") + ".offsetParent")
	b.open(s.url + "/holds?holder=nobody")
	b.await(find(".empty") + ".offsetParent && !" + find("tr[data-draft]"))
	b.open(s.url + "/holds")
	b.await(row)
	b.click("tr[data-draft=preview] .btn")
	b.await(find("dialog.confirm[open]") + "?.innerText.includes('every block and pool that plans hold in it become free at once')")
	b.picture("draft-confirm")
	b.press("Escape")
	b.await("!" + find("dialog.confirm[open]"))
	b.click("tr[data-draft=preview] .btn")
	b.click("[data-confirm]")
	b.await("document.querySelector('.toast.note')?.innerText.includes('Released preview') && !" + row + " && ![...document.querySelectorAll('tr[data-hold]')].some(r => r.innerText.includes('inside'))")
	if status, got := s.request("GET", "/pool-drafts", adminToken, nil); status != 200 || len(got["items"].([]any)) != 1 {
		t.Errorf("%d %v", status, got)
	}
}

func teachesReservations(_ *testing.T, s *server, b *chromium) {
	for page, words := range map[string]string{"reservations": "Nothing is reserved.", "accounts": "No account yet."} {
		b.open(s.url + "/" + page)
		b.await(find(".empty") + "?.offsetParent && " + find(".empty h2") + ".innerText === " + quote(words))
		b.await(find(".empty pre") + ".innerText.includes('resource \"cloudpam_" + page[:len(page)-1] + "\"')")
		b.picture(page + "-empty")
	}
}

func releasesReservation(t *testing.T, s *server, b *chromium) {
	s.post("/reservations", object{"pool": "gcp-prod", "cidr": "10.88.0.0/14", "reason": "kept for the merger", "owner": "network-team", "expires_at": "2099-06-30T00:00:00Z", "labels": object{"ticket": "NET-7"}})
	s.post("/reservations", object{"pool": "gcp-prod", "prefix_length": 16, "reason": "the old data centre routes it until it is shut down, and nobody knows when that will be " + hostile})
	legacy := s.post("/reservations", object{"pool": "gcp-prod", "prefix_length": 20, "reason": "printers"})
	id, cidr := legacy["id"].(string), legacy["cidr"].(string)

	// The map of the pool says what is kept, and leads there.
	b.open(s.url + "/pools?pool=gcp-prod")
	b.await("document.querySelectorAll('.map rect.k-reservation').length === 3 && [...document.querySelectorAll('.map text')].some(t => t.textContent.startsWith('kept for'))")
	b.await(find(".panel a[href='/reservations?pool=gcp-prod']") + "?.closest('p').innerText.startsWith('Kept out of use: 3 blocks.')")
	b.picture("reserved-1440-light")
	b.click(".seg button:last-child")
	b.await(find(".panel .plain a[href='/reservations?pool=gcp-prod&reservation="+id+"']") + "?.innerText === 'printers'")
	b.click(".panel .plain a[href='/reservations?pool=gcp-prod&reservation=" + id + "']")
	b.await(find("dialog.drawer[open]") + "?.innerText.includes('Until it is released') && location.search.includes('reservation=')")
	b.press("Escape")
	b.await("!" + find("dialog.drawer[open]") + " && document.activeElement.dataset.reservation === " + quote(id))
	b.picture("reservations-1440-light")

	b.open(s.url + "/reservations?q=merger")
	b.await("document.querySelectorAll('tr[data-reservation]').length === 1")
	b.click("tr[data-reservation] .link")
	for _, words := range []string{"10.88.0.0/14", "kept for the merger", "network-team", "ticket=NET-7", `id = "gcp-prod@10.88.0.0/14"`, "cloudpam_reservation.kept_for_the_merger"} {
		b.await(find("dialog.drawer[open]") + "?.innerText.includes(" + quote(words) + ")")
	}
	b.picture("reservation-1440-light")
	b.press("Escape")

	b.open(s.url + "/reservations?reservation=" + id)
	b.await(find("dialog.drawer[open]"))
	b.click("[data-release]")
	b.await(find("dialog.confirm[open]") + "?.innerText.includes('It is kept because: printers.')")
	b.picture("reservation-confirm")
	if status, _ := s.request("GET", "/reservations/"+id, adminToken, nil); status != 200 {
		t.Fatal("it is gone before anyone confirmed")
	}
	b.click("[data-confirm]")
	b.await("document.querySelector('.toast.note')?.innerText.includes(" + quote("Released "+cidr) + ") && document.querySelectorAll('tr[data-reservation]').length === 2 && !" + find("dialog[open]"))
	s.post("/allocations", object{"pool": "gcp-prod", "name": "printers", "cidr": cidr})
	b.await("document.title === 'Reservations · CloudPAM' && !document.querySelector('main img')")
}

// endsSoftly looks at a reservation with a clock that is past its end.
func endsSoftly(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/reservations?q=merger")
	b.await(find("tr[data-reservation]") + "?.innerText.includes('Until')")
	if _, err := b.value("Date.now = () => Date.parse('2100-01-01T00:00:00Z'); 0"); err != nil {
		t.Fatal(err)
	}
	b.click("tr[data-reservation] .link")
	b.await(find("dialog.drawer[open]") + "?.innerText.includes('It promises nothing any more') && " + find("dialog.drawer[open] .hold-state.ended"))
	b.press("Escape")
}

func listsAccounts(_ *testing.T, s *server, b *chromium) {
	s.post("/accounts", object{
		"cloud": "aws", "external_id": "012345678901", "name": "payments-prod", "tier": "prd", "owner": "payments", "environment": "prod", "regions": []string{"us-east-1", "eu-west-1"},
		"description": hostile, "labels": object{"team": "pay"}, "role_arn": "arn:aws:iam::012345678901:role/cloudpam",
	})
	s.post("/accounts", object{"cloud": "gcp", "external_id": "example.com:data-platform", "name": "data-platform", "owner": "data"})
	s.post("/accounts", object{"cloud": "custom", "external_id": "berlin-office", "name": "berlin-office", "scope": "empty"})
	rows := "document.querySelectorAll('tr[data-account]').length"
	b.open(s.url + "/accounts")
	b.await(rows + " === 3")
	b.picture("accounts-1440-light")
	b.open(s.url + "/accounts?cloud=gcp")
	b.await(rows + " === 1 && " + find("select[data-filter=cloud]") + ".value === 'gcp'")
	b.open(s.url + "/accounts?q=PAYMENTS")
	b.await(rows + " === 1 && " + find("tr[data-account]") + ".offsetParent")
	b.press("j")
	b.await("document.activeElement.dataset.account === 'aws:012345678901'")
	b.press("Enter")
	for _, words := range []string{"AWS account", "eu-west-1, us-east-1", "observe: CloudPAM only looks", `id = "aws:012345678901"`, hostile} {
		b.await(find("dialog.drawer[open]") + "?.innerText.includes(" + quote(words) + ")")
	}
	b.picture("account-1440-light")
	b.press("Escape")
	b.press("g")
	b.press("r")
	b.await("location.pathname === '/reservations' && " + find("tr[data-reservation]"))
	b.press("g")
	b.press("c")
	b.await("location.pathname === '/accounts'")
}

// reservationsFitPhone also looks at the dialogs, which are wider than a phone only by mistake.
func reservationsFitPhone(t *testing.T, s *server, b *chromium, theme string) {
	b.open(s.url + "/reservations")
	b.await(find("tr[data-reservation]"))
	narrow(t, b, "reservations-390-"+theme)
	b.click("tr[data-reservation]:nth-of-type(2) .link")
	b.await(find("dialog.drawer[open]"))
	narrow(t, b, "reservation-390-"+theme)
	b.click("[data-release]")
	b.await(find("dialog.confirm[open]"))
	narrow(t, b, "reservation-confirm-390-"+theme)
	b.open(s.url + "/reservations?new=&pool=euw1")
	b.await(find("dialog.ask[open]"))
	fill(b, "block", "10.0.0.0/16")
	fill(b, "reason", "the lab moves in")
	b.click("[data-reserve]")
	b.await("document.querySelectorAll('.ask .alert li').length === 5")
	narrow(t, b, "reserve-390-"+theme)
	onlyRefused(t, b)
	b.open(s.url + "/accounts")
	b.await(find("tr[data-account]"))
	narrow(t, b, "accounts-390-"+theme)
	b.click("tr[data-account] .link")
	b.await(find("dialog.drawer[open]"))
	narrow(t, b, "account-390-"+theme)
	b.open(s.url + "/holds")
	b.await(find("tr[data-draft]"))
	b.scrollTo("tr[data-draft]")
	narrow(t, b, "drafts-390-"+theme)
}

func reservationsInDark(s *server, b *chromium) {
	b.open(s.url + "/reservations")
	b.await(find("tr[data-reservation]"))
	b.picture("reservations-1440-dark")
	b.click("[data-new]")
	b.await(find("dialog.ask[open]"))
	b.picture("reserve-1440-dark")
	b.open(s.url + "/accounts")
	b.await(find("tr[data-account]"))
	b.picture("accounts-1440-dark")
}
