package web_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// hostile is what an attacker would write into a field that an administrator will read.
const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>{{ 1 + 1 }}`

// seed gives the server three levels of pools, an IPv6 pool, and more allocations than one page of a list holds.
func seed(s *server) {
	s.post("/scopes", object{"name": "empty", "description": "Has no pool."})
	s.post("/pools", object{"name": "corp", "cidr": "10.0.0.0/8", "owner": "netops", "description": "Everything private that we route."})
	s.post("/pools", object{
		"name": "aws-prod", "parent": "corp", "cidr": "10.0.0.0/10", "owner": "platform", "account": "123456789012", "region": "eu-west-1",
		"labels": object{"team": "platform"}, "min_prefix_length": 12, "max_prefix_length": 26, "default_prefix_length": 22,
	})
	s.post("/pools", object{"name": "euw1", "parent": "aws-prod", "cidr": "10.0.0.0/12", "description": hostile})
	s.post("/pools", object{"name": "use1", "parent": "aws-prod", "cidr": "10.16.0.0/12"})
	s.post("/pools", object{"name": "gcp-prod", "parent": "corp", "cidr": "10.64.0.0/11", "owner": "data"})
	s.post("/pools", object{"name": "lab", "parent": "corp", "cidr": "10.128.0.0/24", "owner": "netops"})
	s.post("/pools", object{"name": "v6", "cidr": "2001:db8:40::/44", "owner": "netops"})
	s.post("/allocations", object{"pool": "aws-prod", "name": "core-services", "prefix_length": 14, "owner": "platform"})
	s.post("/allocations", object{"pool": "aws-prod", "name": "payments", "prefix_length": 16, "owner": "payments", "purpose": "vpc", "environment": "prd"})
	s.post("/allocations", object{"pool": "euw1", "name": "hostile", "cidr": "10.0.0.0/24", "description": hostile, "labels": object{"note": hostile}})
	owners := []string{"payments", "checkout", "search"}
	for i := range 120 {
		s.post("/allocations", object{"pool": "euw1", "name": fmt.Sprintf("eks-%03d", i), "prefix_length": 20 + i%5, "owner": owners[i%3], "region": "eu-west-1", "environment": "prd"})
	}
	for i := range 13 {
		s.post("/allocations", object{"pool": "lab", "name": fmt.Sprintf("bench-%d", i), "prefix_length": 28})
	}
	s.post("/allocations", object{"pool": "gcp-prod", "name": "gke", "prefix_length": 14, "owner": "data"})
	s.post("/allocations", object{"pool": "v6", "name": "first", "prefix_length": 48})
	s.post("/allocation-sets", object{"pool": "v6", "name": "shop", "members": object{"app-a": object{"prefix_length": 56}, "db": object{"prefix_length": 56}}})
}

// TestBrowser walks through the interface as a person does, in a real browser against the real server.
func TestBrowser(t *testing.T) {
	s := startServer(t)
	seed(s)
	b := startChromium(t)
	b.resize(1440, 900, "light")

	follow(t, s, b, []step{
		{"a page asks for a token first", asksForToken},
		{"a wrong token is answered with the server's words", refusesWrongToken},
		{"the token opens the page that was asked for", signsIn},
		{"signing in never leads to another server, whatever the link says", staysHere},
		{"the tree shows every pool with its CIDR and its space", showsTree},
		{"a pool opens with its space, free blocks and allocations", opensPool},
		{"text of others stays text", keepsText},
		{"the keyboard reaches everything", obeysKeyboard},
		{"a search by address keeps the pools that hold it and their parents", searchesByAddress},
		{"an empty scope teaches the first three commands", teachesFirstCommands},
		{"allocations are filtered by the address and paged", listsAllocations},
		{"a wrong filter is answered beside the filter", explainsWrongFilter},
		{"an allocation opens with its details", opensAllocation},
		{"without holds the page teaches what they are", teachesHolds},
		{"a hold is seen, attributed and released, and its block is free", releasesHold},
		{"a hold past its time says that its space is still kept", expiresSoftly},
		{"a draft pool is seen beside the holds, and released with what is held in it", releasesDraft},
		{"a hold says what it is for", saysWhatHoldsAreFor},
		{"all that a holder holds is released at once, and nothing else", releasesAll},
		{"without reservations and accounts the pages teach what they are", teachesReservations},
		{"a reservation is seen with its reason, on the map too, and released", releasesReservation},
		{"a reservation past its end says so", endsSoftly},
		{"a block is reserved with the keyboard, and a refusal says why", reservesBlock},
		{"a pool is renamed with the keyboard, and a refusal says why at the field", renamesPool},
		{"accounts are listed, filtered and opened", listsAccounts},
		{"the pages of lists open, empty or not, at every width", showsPages},
		{"one acts where one looks, with the server's preview", actsWhereOneLooks},
		{"a set gets and gives up keys, and the others keep their blocks", keepsSets},
		{"what a role may not do is absent", offersNoMoreThanTheRole},
		{"the back button, links and unknown filters are understood", goesBackAndForth},
		{"no page is wider than a phone", fitsPhone},
		{"every page passes axe for WCAG 2.2 AA, wide and narrow, light and dark", passesAxe},
		{"holds are paged, and a shortcut leads to them", pagesHolds},
		{"a pool does not deny what it could not read, and asks again", admitsPanel},
		{"a list does not deny what it could not read, and tells an outage once", admitsLists},
		{"neither does the next page, nor the drafts beside it, and a refused filter ends the waiting", admitsMore},
		{"names of sixty letters keep to one line at every width", keepsNamesShort},
		{"tokens and webhooks are made, and their secrets shown once", keepsAccess},
		{"the twelve tasks of a day take four actions each", doesEverydayTasks},
		{"both themes have their own colours", hasThemes},
		{"a session that was ended leads to the login with the server's words", losesSession},
		{"signing out ends the session", signsOut},
		{"the watch for complaints is awake", isWatched},
	}...)
}

// canSignIn is true once the script of the login page runs.
const canSignIn = "document.querySelector('.login .btn:enabled')"

func asksForToken(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/pools?pool=euw1")
	b.await("location.pathname === '/login' && " + find("#token") + " && document.fonts.check('13px Inter')")
	b.await(find(".login .version") + ".innerText.includes('CloudPAM') && " + canSignIn)
	b.picture("login-light")
}

func refusesWrongToken(t *testing.T, s *server, b *chromium) {
	status, problem := s.request("GET", "/scopes", "cpam_wrong_token", nil)
	if status != 401 {
		t.Fatalf("status %d", status)
	}
	b.click("#token")
	b.write("cpam_wrong_token")
	b.press("Enter")
	b.await(find(".alert") + ".innerText === " + quote(problem["detail"].(string)))
	if !strings.Contains(b.text("location.search"), "next=") {
		t.Error("the way back is lost")
	}
	b.picture("login-refused")
	onlyRefusals(t, b)
}

// onlyRefusals takes the one complaint a refused token makes: the browser itself logs every 401.
func onlyRefusals(t *testing.T, b *chromium) {
	t.Helper()
	for _, told := range b.complaints() {
		if !strings.Contains(told, "status of 401") {
			t.Errorf("the page complained: %s", told)
		}
	}
}

func signsIn(t *testing.T, _ *server, b *chromium) {
	if _, err := b.value("document.querySelector('#token').select()"); err != nil {
		t.Fatal(err)
	}
	b.write(adminToken)
	b.press("Enter")
	b.await("location.pathname === '/pools' && location.search.includes('pool=euw1')")
	b.await(find(".tree tbody tr[data-pool]"))
	if b.text("localStorage.length + sessionStorage.length + document.cookie") != "0" {
		t.Error("neither the token nor the session may be where scripts read")
	}
}

func showsTree(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/pools")
	b.await("document.querySelectorAll('tr[data-pool]').length === 7")
	got := b.text("[...document.querySelectorAll('tr[data-pool]')].map(r => [r.getAttribute('aria-level'), r.querySelector('.name').innerText, r.querySelector('.c-cidr').innerText].join(' ')).join('\\n')")
	want := strings.Join([]string{"1 corp 10.0.0.0/8", "2 aws-prod 10.0.0.0/10", "3 euw1 10.0.0.0/12", "3 use1 10.16.0.0/12", "2 gcp-prod 10.64.0.0/11", "2 lab 10.128.0.0/24", "1 v6 2001:db8:40::/44"}, "\n")
	if got != want {
		t.Errorf("the tree is\n%s\nwant\n%s", got, want)
	}
	b.await("[...document.querySelectorAll('tr[data-pool=corp] .bar rect')].filter(r => r.getBoundingClientRect().width > 0).length > 0")
	b.await(find("tr[data-pool=corp] .c-used") + ".innerText.includes('%')")
	b.await(find("tr[data-pool=corp] .bar") + ".getAttribute('aria-label').includes('3 child pools')")
	b.await(find("tr[data-pool=lab] .c-used.crowded") + "?.innerText.endsWith('%') && !" + find("tr[data-pool=corp] .c-used.crowded"))
}

func opensPool(t *testing.T, _ *server, b *chromium) {
	b.click("tr[data-pool=aws-prod] .name")
	b.await("location.search === '?pool=aws-prod'")
	b.await(find("#panel-title") + ".innerText === 'aws-prod'")
	b.await("document.querySelectorAll('.panel .map rect[data-block]').length > 4")
	b.await("[...document.querySelectorAll('.panel .plain a')].map(a => a.innerText).join() === 'core-services,payments'")
	b.await("document.querySelectorAll('.ladder .chips button.free').length > 0 && document.querySelectorAll('.ladder .chips button.taken').length > 0")
	b.await("[...document.querySelectorAll('.chips button.taken')].some(chip => chip.title.includes('euw1 (child pool, 10.0.0.0/12)'))")
	snippet := b.text("[...document.querySelectorAll('.panel .snippet code')].map(c => c.innerText).join()")
	for _, line := range []string{`pool          = "aws-prod"`, "prefix_length = 22"} {
		if !strings.Contains(snippet, line) {
			t.Errorf("the Terraform snippet lacks %s:\n%s", line, snippet)
		}
	}
	b.picture("pools-1440-light")
	b.click(".seg button:last-child")
	b.await("[...document.querySelectorAll('.panel .state')].some(s => s.innerText.trim() === 'free')")
	b.click(".seg button:first-child")
}

func keepsText(_ *testing.T, s *server, b *chromium) {
	b.click("tr[data-pool=euw1] .name")
	b.await(find(".panel .lead") + ".textContent === " + quote(hostile))
	b.await("[...document.querySelectorAll('.panel .plain td')].some(td => td.textContent.includes(" + quote(hostile) + "))")
	b.await("document.title === 'euw1 · Pools · CloudPAM' && !document.querySelector('main img')")
	b.open(s.url + "/allocations?q=hostile")
	b.click("tr[data-allocation] .link")
	b.await(find("dialog.drawer[open]") + "?.innerText.includes(" + quote("note="+hostile) + ")")
	b.await("document.title === 'Allocations · CloudPAM' && !document.querySelector('main img')")
}

func obeysKeyboard(_ *testing.T, s *server, b *chromium) {
	focused := func(pool string) { b.await("document.activeElement.dataset.pool === " + quote(pool)) }
	b.open(s.url + "/pools")
	b.await(find("tr[data-pool=v6]") + "?.offsetParent && " + find(".panel .map rect"))
	b.press("j")
	focused("corp")
	b.press("j")
	focused("aws-prod")
	b.press("ArrowDown")
	focused("euw1")
	b.press("ArrowLeft")
	focused("aws-prod")
	b.press("ArrowLeft")
	b.await(find("tr[data-pool=aws-prod]") + ".getAttribute('aria-expanded') === 'false' && !" + find("tr[data-pool=euw1]"))
	b.press("ArrowRight")
	b.await(find("tr[data-pool=euw1]"))
	b.press("k")
	focused("corp")
	b.press("j")
	b.press("Enter")
	b.await(find("#panel-title") + ".innerText === 'aws-prod'")
	b.press("?")
	b.await(find("dialog.help") + ".open")
	b.picture("help")
	b.press("Escape")
	b.await("!" + find("dialog.help") + ".open")
	b.press("f")
	b.await("document.activeElement.matches('[data-search]')")
	b.press("Escape")
	b.press("/")
	b.await(find("dialog.finder[open]") + " && document.activeElement.matches('.finder .in')")
	b.press("Escape")
	b.await("!" + find("dialog[open]"))
	b.press("g")
	b.press("a")
	b.await("location.pathname === '/allocations'")
}

func searchesByAddress(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/pools")
	b.await(find("tr[data-pool=v6]"))
	b.press("f")
	b.write("10.16.4.0/24")
	b.await("[...document.querySelectorAll('tr[data-pool]')].map(r => r.dataset.pool).join() === 'corp,aws-prod,use1'")
	b.await("location.search.includes('q=10.16.4.0')")
}

func teachesFirstCommands(_ *testing.T, s *server, b *chromium) {
	b.open(s.url + "/pools?scope=empty")
	b.await("document.querySelectorAll('.steps pre').length === 3 && " + find(".steps pre") + ".innerText.includes(location.origin + '/api/v1/pools')")
	b.picture("empty")
}

func fitsPhone(t *testing.T, s *server, b *chromium) {
	for _, theme := range []string{"light", "dark"} {
		b.resize(390, 844, theme)
		b.open(s.url + "/pools")
		b.await(find("tr[data-pool=v6] .bar"))
		narrow(t, b, "pools-390-"+theme)
		b.click("tr[data-pool=aws-prod] .name")
		b.await(find(".panel .plain a") + "?.offsetParent && " + find(".panel .map rect"))
		narrow(t, b, "pool-390-"+theme)
		b.click(".panel .back")
		b.await(find("tr[data-pool=aws-prod]") + ".offsetParent")
		b.open(s.url + "/pools?scope=empty")
		b.await(find(".steps pre") + "?.offsetParent")
		narrow(t, b, "empty-390-"+theme)
		b.open(s.url + "/allocations")
		b.await(find("tr[data-allocation]"))
		narrow(t, b, "allocations-390-"+theme)
		b.click("tr[data-allocation] .link")
		b.await(find("dialog.drawer[open]"))
		narrow(t, b, "allocation-390-"+theme)
		holdsFitPhone(t, s, b, theme)
		reservationsFitPhone(t, s, b, theme)
	}
	b.resize(1440, 900, "light")
}

func narrow(t *testing.T, b *chromium, name string) {
	t.Helper()
	b.picture(name)
	if v, err := b.value("document.documentElement.scrollWidth"); err != nil || v.(float64) > 390 {
		t.Errorf("%s is %v pixels wide (%v)", name, v, err)
	}
}

func hasThemes(t *testing.T, s *server, b *chromium) {
	b.resize(1440, 900, "dark")
	b.open(s.url + "/pools?pool=aws-prod")
	b.await(find(".panel .plain a") + " && " + find(".panel .map rect"))
	b.picture("pools-1440-dark")
	b.open(s.url + "/pools?pool=gcp-prod")
	b.await(find(".map rect.k-draft"))
	b.picture("promises-1440-dark")
	b.open(s.url + "/holds?pool=gcp-prod")
	b.await(find("tr[data-hold]"))
	b.picture("holds-1440-dark")
	reservationsInDark(s, b)
	colour := "getComputedStyle(document.body).backgroundColor"
	if got := b.text(colour); got != "rgb(13, 16, 21)" {
		t.Errorf("dark page is %s", got)
	}
	b.click(".foot .quiet")
	b.await(colour + " === 'rgb(247, 248, 250)' && localStorage.getItem('cloudpam.theme') === 'light'")
	b.open(s.url + "/allocations")
	b.await(find("tr[data-allocation]"))
	b.await(colour + " === 'rgb(247, 248, 250)'")
	b.click(".foot .quiet")
	b.await(colour + " === 'rgb(13, 16, 21)'")
	b.picture("allocations-1440-dark")
	b.click(".foot .quiet")
	b.await("localStorage.getItem('cloudpam.theme') === null")
}

func losesSession(t *testing.T, s *server, b *chromium) {
	b.open(s.url + "/allocations?pool=lab")
	b.await("document.querySelectorAll('tr[data-allocation]').length === 13")
	s.endSessions()
	b.press("/")
	b.write("bench-1") // which asks the server
	b.await("location.pathname === '/login' && " + find(".alert") + ".innerText === 'you are not signed in any more; sign in again'")
	onlyRefusals(t, b)
	b.await(canSignIn)
	b.click("#token")
	b.write(adminToken)
	b.press("Enter")
	b.await("location.pathname === '/allocations' && location.search.includes('pool=lab')")
	b.await(find("tr[data-allocation]"))
}

func signsOut(_ *testing.T, s *server, b *chromium) {
	b.click(".foot [aria-label='Sign out']")
	b.await("location.pathname === '/login' && " + find("#token") + " ")
	b.open(s.url + "/pools") // what the browser sent before lets nobody in
	b.await("location.pathname === '/login' && " + canSignIn)
	b.open(s.url + "/login?next=https://example.org/")
	b.await(canSignIn)
	b.click("#token")
	b.write(adminToken)
	b.press("Enter")
	b.await("location.href === " + quote(s.url+"/dashboard"))
	b.await(find("tr[data-full=lab]"))
}

// isWatched breaks the rules on purpose: without this, a deaf watch would look like a clean page.
func isWatched(t *testing.T, _ *server, b *chromium) {
	for _, offence := range []string{
		"document.body.append(Object.assign(document.createElement('style'), {textContent: 'b{}'}))",
		"document.body.insertAdjacentHTML('beforeend', '<i onclick=alert(1)>')",
		"console.error('on purpose')",
	} {
		b.value(offence) //nolint:errcheck // Being refused is the point.
	}
	b.await("true")
	told := b.complaints()
	for _, want := range []string{"style-src", "require-trusted-types-for", "on purpose"} {
		if !slices.ContainsFunc(told, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("nothing was told about %s: %q", want, told)
		}
	}
}

func quote(text string) string {
	return fmt.Sprintf("%q", text)
}
