package httpapi_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// table reads CSV as rows by column, and the columns in their order.
func table(t testing.TB, text string) (columns []string, rows []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("%v: %q", err, text)
	}
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, column := range all[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return all[0], rows
}

// Every list of the contract that has pages is CSV where it is asked for, with the rows of all its pages.
func TestEveryListIsCSVWithAllItsPages(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.browser(t).signIn(secret)
		s.aws(t, 3)
		post[api.SyncOutcome](t, s, "/accounts/aws:111111111111/sync", `{}`)
		post[api.Pool](t, s, "/pools", `{"name":"p","cidr":"10.8.0.0/16","quarantine_seconds":3600}`)
		for i := range 5 {
			post[api.Allocation](t, s, "/allocations", fmt.Sprintf(`{"pool":"p","name":"n%d","prefix_length":28}`, i))
		}
		gone := post[api.Allocation](t, s, "/allocations", `{"pool":"p","name":"gone","prefix_length":28}`)
		s.send(t, "DELETE", "/api/v1/allocations/"+gone.ID, "")
		post[api.AllocationSet](t, s, "/allocation-sets", `{"pool":"p","name":"s","members":{"a":{"prefix_length":28},"b":{"prefix_length":28}}}`)
		post[api.Reservation](t, s, "/reservations", `{"pool":"p","reason":"r","prefix_length":28}`)
		post[api.Hold](t, s, "/holds", `{"pool":"p","name":"h","prefix_length":28}`)
		post[map[string]any](t, s, "/pool-drafts", `{"pool":{"name":"d","parent":"p","prefix_length":24}}`)
		hook := post[map[string]any](t, s, "/webhooks", `{"name":"w","url":"http://127.0.0.1:9/","enabled":false}`)["webhook"].(map[string]any)["id"].(string)
		s.imports(t, "allocations", "pool,name,prefix_length\np,imported,28\n")
		post[api.Pool](t, s, "/pools", `{"name":"asks","parent":"p","prefix_length":24}`)
		s.send(t, "PUT", "/api/v1/pools/asks/policy", `{"rules":{"approval_above":30}}`, "If-Match: *")
		s.send(t, "POST", "/api/v1/allocations", `{"pool":"asks","name":"large","prefix_length":28}`)
		post[api.DriftVerdicts](t, s, "/drift-answers", fmt.Sprintf(`{"scope":"default","answer":"ignore","reason":"known","ids":[%q]}`, get[api.DriftPage](t, s, "/drifts?limit=1").Items[0].ID))
		lists := 0
		for path, item := range contract(t).Paths.Map() {
			if item.Get == nil {
				continue
			}
			paged := false
			for _, p := range item.Get.Parameters {
				paged = paged || p.Value.Name == "page_token"
			}
			if !paged {
				continue
			}
			lists++
			path = strings.NewReplacer("{pool}", "p", "{webhook}", hook).Replace(path)
			if path == "/history" {
				path += "?within=10.0.0.0/8"
			}
			sep := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
			items := walk[map[string]any](t, s, path+sep+"limit=2", bearer(secret))
			a := s.send(t, "GET", "/api/v1"+path+sep+"format=csv", "")
			if a.status != 200 || a.header.Get("Content-Type") != "text/csv; charset=utf-8" {
				t.Errorf("%s as CSV: %d %s", path, a.status, a.body)
				continue
			}
			columns, rows := table(t, a.body)
			if len(rows) != len(items) || len(items) == 0 && !strings.Contains(path, "deliveries") && path != "/seals" && path != "/drift-history" && !strings.Contains(path, "violations") {
				t.Errorf("%s has %d rows and %d items", path, len(rows), len(items))
			}
			for i := range min(len(rows), len(items)) {
				for name, v := range items[i] {
					if !slices.Contains(columns, name) {
						t.Errorf("%s has no column %s", path, name)
					}
					if text, is := v.(string); is && rows[i][name] != text && !strings.HasSuffix(name, "_at") {
						t.Errorf("%s, row %d, %s: %q, want %q", path, i, name, rows[i][name], text)
					}
				}
			}
			if again := s.send(t, "GET", "/api/v1"+path, "", "Accept: text/csv"); again.body != a.body {
				t.Errorf("%s: Accept: text/csv differs:\n%s\n%s", path, again.body, a.body)
			}
		}
		if lists < 18 {
			t.Errorf("%d lists", lists)
		}
	})
}

func TestCSVIsFilteredVisibleAndSafeAsTheListIs(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"p","cidr":"10.8.0.0/16"}`)
		post[api.Pool](t, s, "/pools", `{"name":"q","cidr":"10.9.0.0/16"}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"p","name":"a","prefix_length":28,"owner":"=HYPERLINK(\"http://x\")","purpose":"a,b \"c\"\nd","description":"'quoted","labels":{"k;1":"a=b%","team":"@x"}}`)
		for i, bad := range []string{"+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1"} {
			post[api.Allocation](t, s, "/allocations", fmt.Sprintf(`{"pool":"q","name":"b%d","prefix_length":28,"owner":%q}`, i, bad))
		}
		columns, rows := table(t, s.send(t, "GET", "/api/v1/allocations?pool=p&format=csv", "").body)
		if got := strings.Join(columns[:6], " "); got != "id scope pool name set set_key" {
			t.Errorf("%s", got)
		}
		if len(rows) != 1 || rows[0]["owner"] != `'=HYPERLINK("http://x")` || rows[0]["purpose"] != "a,b \"c\"\nd" || rows[0]["description"] != "''quoted" || rows[0]["labels"] != "k%3B1=a%3Db%25;team=@x" {
			t.Errorf("%q", rows)
		}
		_, rows = table(t, s.send(t, "GET", "/api/v1/allocations?format=csv", "", s.as(t, ipam.NewBinding{Role: ipam.Viewer, Pool: "q"})).body)
		if len(rows) != 7 {
			t.Errorf("%d rows of the pool that is visible", len(rows))
		}
		for _, r := range rows {
			if !strings.HasPrefix(r["owner"], "'") {
				t.Errorf("%q may be a formula", r["owner"])
			}
		}
		if p := wantProblemCode(t, s.send(t, "GET", "/api/v1/allocations?format=csv&page_token=x", ""), 400, "invalid"); !strings.Contains(p.Detail, "leave this out") {
			t.Errorf("%+v", p)
		}
		if _, rows := table(t, s.send(t, "GET", "/api/v1/allocations?format=csv&limit=1", "").body); len(rows) != 8 {
			t.Errorf("%d rows", len(rows))
		}
		if a := s.send(t, "GET", "/api/v1/allocations?format=csv&within=10.0.0.1/8", ""); a.status != 400 {
			t.Errorf("%d %s", a.status, a.body)
		}
		if a := s.send(t, "GET", "/api/v1/allocations?format=json", "", "Accept: text/csv"); !strings.HasPrefix(a.body, "{") {
			t.Errorf("%s", a.body)
		}
	})
}

// pageReader reads a body and says when each page or so has come.
type pageReader struct {
	io.Reader
	every, read int64
	do          func()
}

func (r *pageReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.read += int64(n); r.read >= r.every {
		r.read = 0
		r.do()
	}
	return n, err
}
