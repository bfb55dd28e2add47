package web_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// furnish gives the server an estate that looks like a real one: two clouds and a data centre, some pools nearly full, IPv6 too.
func furnish(s *server) {
	s.post("/scopes", object{"name": "partner"})
	for i, name := range []string{"payments-prod", "search-prod", "data-platform", "sandbox"} {
		s.post("/accounts", object{"cloud": "aws", "external_id": fmt.Sprintf("11112222333%d", i), "name": name, "platform": []string{"eks", "eks", "emr", "ec2"}[i], "tier": []string{"prd", "prd", "prd", "sbx"}[i], "environment": []string{"prod", "prod", "prod", "dev"}[i], "regions": []string{"eu-west-1", "us-east-1"}})
	}
	s.post("/accounts", object{"cloud": "gcp", "external_id": "warehouse-prod", "name": "warehouse", "platform": "gke", "tier": "prd"})
	s.post("/accounts", object{"cloud": "custom", "external_id": "berlin", "name": "berlin", "environment": "prod"})
	s.post("/pools", object{"name": "corp", "cidr": "10.0.0.0/11", "owner": "netops", "quarantine_seconds": 172800, "description": "Everything private that we route."})
	s.post("/pools", object{"name": "aws-prod", "parent": "corp", "cidr": "10.0.0.0/14", "owner": "platform", "environment": "prod"})
	s.post("/pools", object{"name": "aws-dev", "parent": "corp", "cidr": "10.8.0.0/15", "owner": "platform", "environment": "dev"})
	s.post("/pools", object{"name": "gcp-prod", "parent": "corp", "cidr": "10.12.0.0/15", "owner": "data", "environment": "prod"})
	s.post("/pools", object{"name": "prod-euw1", "parent": "aws-prod", "cidr": "10.0.0.0/16", "region": "eu-west-1", "environment": "prod"})
	s.post("/pools", object{"name": "prod-use1", "parent": "aws-prod", "cidr": "10.1.0.0/16", "region": "us-east-1", "environment": "prod"})
	s.post("/pools", object{"name": "prod-apse2", "parent": "aws-prod", "cidr": "10.2.0.0/16", "region": "ap-southeast-2", "environment": "prod"})
	s.post("/pools", object{"name": "dev-euw1", "parent": "aws-dev", "cidr": "10.8.0.0/17", "region": "eu-west-1", "environment": "dev"})
	s.post("/pools", object{"name": "gke", "parent": "gcp-prod", "cidr": "10.12.0.0/17", "region": "europe-west1", "environment": "prod"})
	s.post("/pools", object{"name": "edge", "parent": "corp", "cidr": "10.31.255.0/24", "owner": "netops"})
	s.post("/pools", object{"name": "corp-v6", "cidr": "2001:db8:40::/44", "owner": "netops"})
	s.post("/pools", object{"name": "prod-v6", "parent": "corp-v6", "cidr": "2001:db8:40::/48"})
	s.post("/pools", object{"scope": "partner", "name": "lan", "cidr": "192.168.0.0/16"})
	owners, accounts := []string{"payments", "checkout", "search", "data", "platform"}, []string{"aws:111122223330", "aws:111122223331", "aws:111122223332", "aws:111122223333", "gcp:warehouse-prod", ""}
	for _, p := range []struct {
		pool    string
		lengths []int
		n       int
	}{{"prod-euw1", []int{20, 21, 22, 23}, 26}, {"prod-use1", []int{21, 22, 23}, 30}, {"prod-apse2", []int{22, 23}, 18}, {"dev-euw1", []int{21, 22}, 12}, {"gke", []int{20, 21, 22}, 12}, {"edge", []int{28}, 14}, {"prod-v6", []int{56, 60}, 24}, {"partner.lan", []int{22}, 10}} {
		for i := range p.n {
			s.post("/allocations", object{"pool": p.pool, "name": fmt.Sprintf("%s-%02d", []string{"eks", "db", "cache", "lb"}[i%4], i), "prefix_length": p.lengths[i%len(p.lengths)], "owner": owners[(i*7)%5], "account": accounts[(i*5)%6], "environment": []string{"prod", "stage"}[i%2], "region": "eu-west-1", "labels": object{"team": owners[(i*7)%5]}})
		}
	}
	for i, reason := range []string{"kept for the merger with Globex", "the second ring of the mesh", "vpn of the offices"} {
		s.post("/reservations", object{"pool": "prod-use1", "prefix_length": 23, "reason": reason, "owner": "netops", "expires_at": fmt.Sprintf("2098-0%d-01T00:00:00Z", i+1)})
	}
	for i := range 4 {
		s.promise("/holds", object{"pool": []string{"prod-euw1", "gke"}[i%2], "name": fmt.Sprintf("ring-%d", i), "prefix_length": 23, "holder": "shop-prod"})
	}
	_, page := s.request("GET", "/allocations?pool=prod-apse2&limit=4", adminToken, nil)
	for _, a := range page["items"].([]any) {
		s.gone("/allocations/" + a.(object)["id"].(string))
	}
	s.post("/allocation-sets", object{"pool": "prod-v6", "name": "shop", "owner": "checkout", "members": object{"app-a": object{"prefix_length": 60}, "app-b": object{"prefix_length": 60}, "db": object{"prefix_length": 64}}})
	s.put("/pools/aws-prod/policy", object{"description": "Blocks of production are small, owned, and say whose they are.", "rules": object{"min_prefix_length": 21, "max_prefix_length": 28, "owner_required": true, "required_labels": object{"team": []string{}}, "exclude_sets": []string{"docker", "eks_services"}}})
	s.send("/accounts/custom:berlin/sync", object{}, 200)
}

// everyPage is each page with what shows that it is there.
var everyPage = []struct{ name, address, shown string }{
	{"dashboard", "/dashboard", find("[data-full]") + " && " + find("[data-lasting]") + " && " + settledParts},
	{"pools", "/pools?pool=prod-euw1", find(".panel .map rect") + " && " + find(".instrument rect") + " && " + find(".panel .chips button")},
	{"pool-list", "/pool-list", find("tr[data-pool]")},
	{"listed-pool", "/pool-list?pool=prod-euw1", find("dialog.drawer[open]")},
	{"find", "/find?size=%2F22&environment=prod", find("[data-place]")},
	{"check", "/find?cidr=10.0.0.0%2F22", find("[data-verdict]")},
	{"allocations", "/allocations", find("tr[data-allocation]")},
	{"sets", "/sets", find("tr[data-set]")},
	{"reservations", "/reservations", find("tr[data-reservation]")},
	{"holds", "/holds", find("tr[data-hold]")},
	{"quarantine", "/quarantine", find("tr[data-quarantine]")},
	{"analytics", "/analytics", find("[data-bar]") + " && " + find("[data-chart=made] canvas") + " && " + find("[data-chart=runway] canvas") + " && " + settledParts},
	{"accounts", "/accounts", find("tr[data-account]")},
	{"networks", "/networks", find("tr[data-observation]")},
	{"drift", "/drift", find("tr[data-drift]")},
	{"policies", "/policies?pool=prod-euw1", find("[data-policy]") + " && " + settledParts},
	{"audit", "/audit", find("tr[data-event]")},
	{"tokens", "/tokens", find("tr[data-token]")},
	{"bindings", "/bindings", find("tr[data-binding]")},
	{"webhooks", "/webhooks", find(".empty") + "?.offsetParent"},
}

// TestPictures opens every page at four widths, light and dark, with an estate, with long names, with nothing and where nothing can
// be read. No page is wider than its window, and none complains. Where CLOUDPAM_SCREENSHOTS says so, pictures of all are kept.
func TestPictures(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "berlin.json"), []byte(`{"networks":[{"id":"dc-1","name":"berlin-dc","region":"berlin","cidrs":["10.24.0.0/16"]}],"subnets":[`+
		`{"id":"vlan-10","name":"servers","network":"dc-1","region":"berlin","cidr":"10.24.0.0/22"},{"id":"vlan-11","name":"storage","network":"dc-1","region":"berlin","cidr":"10.24.8.0/22"},{"id":"vlan-12","name":"backup","network":"dc-1","region":"berlin","cidr":"10.24.16.0/23"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "CLOUDPAM_CLOUDS=custom", "CLOUDPAM_CUSTOM_DIR="+dir)
	b := startChromium(t)
	b.resize(1440, 900, "light")
	s.signIn(b)
	// Every page with nothing but what is always there.
	for _, page := range everyPage {
		b.open(s.url + page.address)
		b.await(find("h1") + " && ![...document.querySelectorAll('.skeleton')].some(e => e.offsetParent) && [...document.querySelectorAll('.empty, .board, tr[data-row], .result')].some(e => e.checkVisibility())")
		b.picture("empty-" + page.name + "-1440-light")
		if said := b.text("[...document.querySelectorAll('.empty p')].filter(p => p.checkVisibility() && p.innerText.endsWith('provider:') && !p.parentElement.querySelector('.snippet').checkVisibility()).map(p => p.innerText).join()"); said != "" {
			t.Errorf("%s promises an example, and has none: %s", page.name, said)
		}
	}
	forget(b) // what the address names is not there: the browser itself tells of each 404
	furnish(s)
	for _, theme := range []string{"light", "dark"} {
		for _, page := range everyPage {
			b.resize(1440, 900, theme)
			b.open(s.url + page.address)
			b.await(page.shown)
			for _, width := range []int{1920, 1440, 1280, 390} {
				b.resize(width, 900, theme)
				b.await("document.fonts.status === 'loaded'")
				b.picture(fmt.Sprintf("%s-%d-%s", page.name, width, theme))
				if v, _ := b.value("document.documentElement.scrollWidth"); v.(float64) > float64(width) {
					t.Errorf("%s is %v pixels wide at %d", page.name, v, width)
				}
			}
			if told := b.complaints(); len(told) > 0 {
				t.Errorf("%s complained: %q", page.name, told)
			}
		}
	}
	// Where the server cannot be reached, each page says so.
	heal := infect(b)
	for _, page := range everyPage {
		b.resize(1440, 900, "light")
		ill(b, "/api/", "lost")
		b.open(s.url + page.address)
		b.await("[...document.querySelectorAll('[role=alert]')].some(e => e.offsetParent && e.innerText.includes('No answer from the server'))")
		b.picture("failed-" + page.name + "-1440-light")
		well(b)
	}
	heal()
	scope, pool := seedLong(s)
	for _, page := range []struct{ name, address, shown string }{
		{"dashboard", "/dashboard", find("[data-full]") + " && " + settledParts}, {"pools", "/pools?pool=" + pool, find(".panel .map rect")}, {"allocations", "/allocations?pool=" + pool, find("tr[data-allocation]")}, {"pool-list", "/pool-list?pool=" + pool, find("dialog.drawer[open]")}, {"pool-list-rows", "/pool-list?scope=" + scope, find("tr[data-pool]")}, {"analytics", "/analytics?pool=" + pool, find("[data-bar]") + " && " + settledParts},
	} {
		b.open(s.url + page.address)
		b.await(page.shown)
		for _, width := range []int{390, 1280, 1440} {
			b.resize(width, 900, "light")
			b.picture(fmt.Sprintf("long-%s-%d-light", page.name, width))
		}
	}
}

// forget takes what the page complained about so far, which is looked at elsewhere.
func forget(b *chromium) { b.complaints() }
