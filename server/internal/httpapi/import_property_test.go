package httpapi_test

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

var estates = flag.Int("estates", 4, "how many random estates are exported and imported on each engine")

var importRows = flag.Int("import.rows", 1000, "how many rows a large file has; 10000 at most")

// importable are the lists that can be imported, those first that others name.
var importable = []string{"accounts", "pools", "reservations", "allocations"}

// wild are texts that files have trouble with.
var wild = []string{"", "net", "=1+1", "+49", "-", "@team", "'quoted'", "a;b=c%3B", "two\nlines", "two\r\nlines", "\r", " spaces ", `"quotes", commas`, "größe 🦊", "\ttab", "''", "a,b;c\td"}

// populate makes a random estate over the API.
func (s lab) populate(t testing.TB, r *rand.Rand) {
	t.Helper()
	text := func() string { return wild[r.IntN(len(wild))] }
	made := map[string][]string{}
	create := func(path string, body map[string]any) bool {
		for _, name := range []string{"owner", "description", "purpose", "account", "region", "environment"} {
			if r.IntN(3) == 0 && (name == "owner" || path != "/reservations") && (name != "purpose" || path == "/allocations") && (path != "/accounts" || name == "owner" || name == "description" || name == "environment") {
				body[name] = text()
			}
		}
		if r.IntN(2) == 0 {
			body["labels"] = map[string]string{"team": text(), "k" + wild[1+r.IntN(len(wild)-1)]: "v"}
		}
		if r.IntN(3) == 0 && (path == "/allocations" || path == "/reservations") {
			body["expires_at"] = time.Date(2031, 1, 1+r.IntN(300), 0, 0, 0, 1000*r.IntN(1000), time.UTC)
		}
		ask, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		a := s.send(t, "POST", "/api/v1"+path, string(ask))
		if a.status == 201 {
			made[path] = append(made[path], decode[struct{ ID string }](t, a).ID)
		}
		return a.status == 201
	}
	for _, scope := range []string{"default", "b"} {
		create("/pools", map[string]any{"scope": scope, "name": "top", "cidr": "10.0.0.0/12", "quarantine_seconds": 3600 * r.IntN(2)})
		create("/pools", map[string]any{"scope": scope, "name": "six", "cidr": "2001:db8::/40", "strategy": "sparse"})
	}
	for i := range 12 {
		parent := made["/pools"][r.IntN(len(made["/pools"]))]
		body := map[string]any{"name": fmt.Sprint("p", i), "parent": parent, "prefix_length": 16 + r.IntN(6)}
		if strings.Contains(parent, "six") {
			body["prefix_length"] = 44 + r.IntN(8)
		}
		if r.IntN(2) == 0 {
			body["default_prefix_length"] = body["prefix_length"].(int) + 6
		}
		create("/pools", body)
	}
	for i := range 6 {
		create("/accounts", map[string]any{"scope": []string{"default", "b"}[r.IntN(2)], "cloud": "custom", "external_id": fmt.Sprint("a", i), "name": fmt.Sprint("A", i), "regions": []string{"east", "west"}[:r.IntN(3)], "tier": []string{"dev", "prd"}[r.IntN(2)], "mode": "plan"})
	}
	for i := range 40 {
		pool := made["/pools"][r.IntN(len(made["/pools"]))]
		length := 24 + r.IntN(9)
		if get[api.Pool](t, s, "/pools/"+pool).Family == api.FamilyIpv6 {
			length = 56 + r.IntN(70)
		}
		if r.IntN(4) > 0 {
			create("/allocations", map[string]any{"pool": pool, "name": fmt.Sprintf("n.%d/x", i), "prefix_length": length})
			continue
		}
		body := map[string]any{"pool": pool, "reason": "r" + text(), "prefix_length": length}
		if r.IntN(2) == 0 {
			body["name"] = fmt.Sprint("r", i)
		}
		create("/reservations", body)
	}
	for _, path := range []string{"/pools", "/accounts", "/allocations", "/reservations"} {
		if len(made[path]) < 4 {
			t.Fatalf("the estate has %d of %s", len(made[path]), path)
		}
	}
}

// export is a list as CSV.
func (s lab) export(t testing.TB, list string) string {
	t.Helper()
	a := s.send(t, "GET", "/api/v1/"+list+"?format=csv", "")
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return a.body
}

// without is CSV without some columns.
func without(t testing.TB, text string, columns ...string) string {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(text, "\r\n", "\r\r\n"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	w := csv.NewWriter(&out)
	for _, row := range all {
		var kept []string
		for i, cell := range row {
			if !slices.Contains(columns, all[0][i]) {
				kept = append(kept, cell)
			}
		}
		if err := w.Write(kept); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	return out.String()
}

// What a server gives by itself.
var (
	given   = []string{"id", "uid", "version", "created_at", "updated_at"}
	renewed = []string{"version", "updated_at"}
)

func TestWhatWasExportedIsImportedToTheSameAndTakenBack(t *testing.T) {
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			for seed := range *estates {
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					r := rand.New(rand.NewPCG(uint64(seed), 7))
					from, to := serve(t, url(t)), serve(t, url(t))
					for _, s := range []lab{from, to} {
						post[api.Scope](t, s, "/scopes", `{"name":"b"}`)
					}
					from.populate(t, r)
					empty := to.dumpLists(t)
					var done []string
					for _, list := range importable {
						text := from.export(t, list)
						before := from.dumpAll(t)
						if again := from.tried(t, list, text); again.Unchanged != len(again.Rows) || from.dumpAll(t) != before {
							t.Fatalf("%s are imported where they were exported: %s", list, verdictsOf(again))
						}
						i := to.imports(t, list, text)
						if i.Created != len(i.Rows) {
							t.Fatalf("%s are imported into nothing: %s", list, verdictsOf(i))
						}
						done = append(done, i.ID)
						if got, want := without(t, to.export(t, list), given...), without(t, text, given...); got != want {
							t.Fatalf("%s were\n%s\nand are\n%s", list, want, got)
						}
					}
					to.edit(t, r)
					for _, id := range slices.Backward(done) {
						if a := to.send(t, "POST", "/api/v1/imports/"+id+"/undo", ""); a.status != 200 {
							t.Fatalf("undo: %d %s", a.status, a.body)
						}
					}
					if got := to.dumpLists(t); got != empty {
						t.Errorf("what was imported is not taken back:\n%s", got)
					}
					to.events(t)
				})
			}
		})
	}
}

// edit changes exports at random, imports them, and takes that back.
func (s lab) edit(t testing.TB, r *rand.Rand) {
	t.Helper()
	for _, list := range importable {
		before := s.export(t, list)
		rows, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(before, "\r\n", "\r\r\n"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			for i, column := range rows[0] {
				if slices.Contains([]string{"owner", "description", "purpose", "reason", "labels", "expires_at", "default_prefix_length", "tier", "regions"}, column) && r.IntN(3) == 0 {
					row[i] = map[string]string{"reason": "another", "labels": "x=y", "expires_at": "", "default_prefix_length": "", "tier": "stg", "regions": "north;south"}[column]
				}
			}
		}
		var text strings.Builder
		if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		i := s.imports(t, list, text.String())
		if i.Updated == 0 {
			t.Fatalf("no %s are changed: %s", list, verdictsOf(i))
		}
		if a := s.send(t, "POST", "/api/v1/imports/"+i.ID+"/undo", ""); a.status != 200 {
			t.Fatalf("undo of a change: %d %s", a.status, a.body)
		}
		if got, want := without(t, s.export(t, list), renewed...), without(t, before, renewed...); got != want {
			t.Fatalf("%s were\n%s\nand are\n%s", list, want, got)
		}
	}
}

func (s lab) dumpLists(t testing.TB) (all string) {
	t.Helper()
	for _, list := range append(slices.Clone(importable), "prefixes") {
		text := s.export(t, list)
		if list == "prefixes" { // what rests is a prefix
			text = without(t, s.send(t, "GET", "/api/v1/prefixes?format=csv&kind=allocation", "").body, given...)
		}
		all += text
	}
	return all
}

// A large file is tried and done in bounded time and memory; the figures are printed (-import.rows=10000).
func TestALargeFileIsImported(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"large","cidr":"10.0.0.0/8"}`)
		var text strings.Builder
		text.WriteString("pool,name,cidr,owner,labels\n")
		for i := range *importRows {
			fmt.Fprintf(&text, "large,n%d,10.%d.%d.%d/28,team-%d,team=t%d;env=prd\n", i, i/4096, i/16%256, i%16*16, i%50, i%50)
		}
		peak := watchHeap()
		start := time.Now()
		shown := s.tried(t, "allocations", text.String())
		tried := time.Since(start)
		start = time.Now()
		a := s.send(t, "POST", "/api/v1/imports", asFile(t, "allocations", text.String(), shown.Digest, nil))
		took, most := time.Since(start), peak()
		if shown.Created != *importRows || a.status != 201 {
			t.Fatalf("%d would be created; %d %.300s", shown.Created, a.status, a.body)
		}
		start = time.Now()
		id := decode[api.Import](t, a).ID
		if a := s.send(t, "POST", "/api/v1/imports/"+id+"/undo", ""); a.status != 200 {
			t.Fatalf("undo: %d %.300s", a.status, a.body)
		}
		t.Logf("%d rows: tried in %s, done in %s, undone in %s, %d MiB of memory at most", *importRows, tried.Round(time.Millisecond), took.Round(time.Millisecond), time.Since(start).Round(time.Millisecond), most>>20)
		if most > 512<<20 {
			t.Errorf("it takes %d MiB", most>>20)
		}
		s.events(t)
	})
}

// watchHeap measures how large the heap becomes beyond what it is.
func watchHeap() (peak func() int64) {
	var most atomic.Int64
	end, ended := make(chan struct{}), make(chan struct{})
	heap := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	runtime.GC()
	begun := heap()
	go func() {
		defer close(ended)
		for tick := time.NewTicker(50 * time.Millisecond); ; {
			most.Store(max(most.Load(), heap()))
			select {
			case <-end:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 {
		close(end)
		<-ended
		return most.Load() - begun
	}
}
