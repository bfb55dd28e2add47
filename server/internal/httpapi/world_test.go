package httpapi_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

var worlds = flag.Int("worlds", 4, "how many pairs of servers are compared on SQLite, and a third of that on PostgreSQL")

// said is a request of a principal of the scope a, and what it was answered.
type said struct{ who, method, path, body, answer string }

// world is a server on which principals of the scope a do what they do, and, in between, others do what they do in the scope b.
type world struct {
	lab
	t      *testing.T
	now    time.Time
	others *rand.Rand // draws what the others do: each world has its own
	who    map[string]string
}

const (
	ofA = int64(1) << 50 // where the keys begin of what is done in a: the same in each world
	ofB = int64(1) << 51
)

// keys makes keys that say in which step and by whom a thing was made, and the time of that step.
func (w *world) keys(from int64, step int) {
	w.now = time.Date(2030, 1, 2, 3, 4, step, 0, time.UTC)
	next := from + int64(step)<<20
	ipam.KeysFrom(func() int64 { next++; return next })
}

func newWorld(t *testing.T, url string, seed uint64) *world {
	t.Helper()
	w := &world{t: t, others: rand.New(rand.NewPCG(seed, 2)), who: map[string]string{}}
	w.keys(ofA, 0)
	w.lab = serveAt(t, url, func() time.Time { return w.now })
	for _, made := range []string{
		`/scopes {"name":"a"}`, `/pools {"scope":"a","name":"top","cidr":"10.0.0.0/16","labels":{"k":"v"}}`, `/pools {"scope":"a","name":"p0","parent":"a.top","prefix_length":20}`,
	} {
		path, body, _ := strings.Cut(made, " ")
		if a := w.send(t, "POST", "/api/v1"+path, body, "X-Request-Id: in-the-beginning"); a.status != 201 {
			t.Fatalf("%s: %s", made, a.body)
		}
	}
	for name, b := range map[string]ipam.NewBinding{
		"admin": {Role: ipam.Admin, Scope: "a"}, "operator": {Role: ipam.Operator, Scope: "a"}, "planner": {Role: ipam.Planner, Pool: "a.top"}, "team": {Role: ipam.Admin, Pool: "a.p0"},
	} {
		w.keys(ofA, map[string]int{"admin": 1, "operator": 2, "planner": 3, "team": 4}[name]) // in whatever order a map is walked
		_, secret, err := w.Access.CreateToken(t.Context(), actor, ipam.NewToken{Name: name, Bindings: []ipam.NewBinding{b}})
		if err != nil {
			t.Fatal(err)
		}
		w.who[name] = bearer(secret)
	}
	return w
}

// otherwise lets others do a few things in scopes whose names begin with b. Whether they succeed does not matter.
func (w *world) otherwise(step int) {
	w.keys(ofB, step)
	for range w.others.IntN(4) {
		scope := []string{"b", "b", "b2"}[w.others.IntN(3)]
		k, n, length := w.others.IntN(4), w.others.IntN(6), 20+w.others.IntN(10)
		request := []string{
			`/scopes {"name":"` + scope + `"}`,
			fmt.Sprintf(`/pools {"scope":%q,"name":"top","cidr":"10.0.0.0/%d","labels":{"k":"v"}}`, scope, 8+w.others.IntN(10)),
			fmt.Sprintf(`/pools {"scope":%q,"name":"p%d","parent":"%s.top","prefix_length":%d,"labels":{"k":"v"}}`, scope, k, scope, length),
			fmt.Sprintf(`/allocations {"pool":"%s.%s","name":"n%d","prefix_length":%d,"owner":"o","labels":{"k":"v"}}`, scope, []string{"top", "p0", "p1"}[w.others.IntN(3)], n, length),
			fmt.Sprintf(`/holds {"pool":"%s.top","name":"n%d","prefix_length":%d,"holder":"ws"}`, scope, n, length),
			fmt.Sprintf(`/reservations {"pool":"%s.top","reason":"n%d","prefix_length":%d}`, scope, n, length),
			fmt.Sprintf(`/allocation-sets {"pool":"%s.top","name":"s%d","members":{"x":{"prefix_length":%d}}}`, scope, n, length),
			fmt.Sprintf(`/pool-drafts {"pool":{"scope":%q,"name":"d%d","parent":"%s.top","prefix_length":%d},"holder":"ws"}`, scope, n, scope, length),
			fmt.Sprintf(`/accounts {"scope":%q,"cloud":"custom","external_id":"x%d","name":"x"}`, scope, n),
			fmt.Sprintf(`/tokens {"name":"t%d","bindings":[{"role":"admin","scope":%q}]}`, n, scope),
		}[w.others.IntN(10)]
		path, body, _ := strings.Cut(request, " ")
		w.send(w.t, "POST", "/api/v1"+path, body)
		if w.others.IntN(6) == 0 {
			w.send(w.t, "PATCH", "/api/v1/pools/b.p1", fmt.Sprintf(`{"name":"p%d"}`, k), "If-Match: *")
			w.send(w.t, "DELETE", "/api/v1/pools/b.p2", "", "If-Match: *")
		}
	}
}

var (
	secretText = regexp.MustCompile(`"secret":"[^"]*"`)
	idText     = regexp.MustCompile(`"(?:id|principal|uid|chain)":"((alloc|set|rsv|hold|token|binding|principal|pool|scope|chain|custom)_?[^"]*)"`)
	pageText   = regexp.MustCompile(`"next_page_token":"([^"]+)"`)
)

// ask sends a request as a principal of a. What is compared is all of the answer but the date and a secret.
func (w *world) ask(step int, who, method, path, body string) string {
	w.keys(ofA, step)
	headers := []string{w.who[who], fmt.Sprintf("X-Request-Id: request-%d", step), "If-Match: *"}
	if method == "POST" && step%5 == 0 && !strings.HasSuffix(path, "/preview") {
		headers = append(headers, fmt.Sprintf("Idempotency-Key: key-of-step-%d", step/10))
	}
	a := w.send(w.t, method, "/api/v1"+path, body, headers...)
	var text strings.Builder
	fmt.Fprintln(&text, a.status)
	a.header.Del("Date")
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		if name != "Content-Length" || !strings.Contains(a.body, `"secret"`) {
			fmt.Fprintln(&text, name, a.header[name])
		}
	}
	text.WriteString(secretText.ReplaceAllString(a.body, `"secret":"…"`))
	return text.String()
}

// draw makes up a request of a principal of a, often about what is not its own.
func draw(r *rand.Rand, ids, pages map[string][]string) (who, method, path, body string) {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	who = one("admin", "admin", "operator", "planner", "team")
	scope := one("a", "a", "a", "b", "b2", "c")
	pool := scope + "." + one("top", "top", "p0", "p1", "p2")
	name, length := fmt.Sprint("n", r.IntN(6)), 20+r.IntN(10)
	id := func(what string) string {
		if mine := ids[what]; len(mine) > 0 && r.IntN(3) > 0 {
			return mine[r.IntN(len(mine))]
		}
		return string(ipam.KeyUID(what, ofB+int64(r.IntN(40))<<20+int64(1+r.IntN(6)))) // it may be somebody's, in one of the worlds
	}
	if r.IntN(2) == 0 {
		list := one("/scopes?", "/pools?scope="+scope, "/pools?label=k%3Dv", "/pools?parent="+pool, "/pools?within=10.0.0.0/12", "/pools?q=p", "/pool-tree?scope="+scope,
			"/pools/"+pool+"?", "/pools/"+pool+"/space?", "/pools/"+pool+"/utilization?", "/pools/"+pool+"/free-blocks?", "/allocations?", "/allocations?pool="+pool, "/allocations?owner=o",
			"/allocations?contains=10.0.0.1", "/allocations?q=n1", "/allocations/"+id("alloc")+"?", "/allocation-sets?name=s1", "/allocation-sets/"+id("set")+"?", "/reservations?scope="+scope,
			"/reservations/"+id("rsv")+"?", "/holds?holder=ws", "/holds/"+id("hold")+"?", "/pool-drafts?", "/prefixes?within=10.0.0.0/8", "/prefixes?pool="+pool, "/events?", "/events?scope="+scope,
			"/events?object="+pool, "/events?object="+id("alloc"), "/events?actor=token:t1", "/events?chain="+id("chain"), "/accounts?", "/accounts/custom:x1?", "/tokens?", "/bindings?scope="+scope,
			"/bindings/"+id("binding")+"?", "/principals/me?", "/scopes/"+scope+"?",
			"/search?q=10.0.0.1", "/prefix-set?owner=o&scope="+scope, "/search?q=n1", "/search?q="+pool, "/search?q=10.0.0.0/8", "/analytics/utilization?", "/analytics/utilization?pool="+pool, "/analytics/space?by=pool",
			"/analytics/space?by=owner", "/analytics/creations?scope="+scope, "/analytics/free-blocks?", "/allocations?count=true", "/allocations?sort=cidr", "/allocations?sort=-created", "/imports?")
		if strings.HasSuffix(list, "?") || r.IntN(2) == 0 {
			return who, "GET", strings.TrimSuffix(list, "?"), ""
		}
		if strings.HasPrefix(list, "/analytics") || strings.HasPrefix(list, "/prefix-set") {
			return who, "GET", list, ""
		}
		list += "&limit=" + one("1", "2", "100")
		if tokens := pages[list[:4]]; len(tokens) > 0 && !strings.HasPrefix(list, "/search") && r.IntN(2) == 0 {
			list += "&page_token=" + tokens[r.IntN(len(tokens))]
		}
		return who, "GET", list, ""
	}
	request := one(
		fmt.Sprintf(`POST /pools {"scope":%q,"name":"p%d","parent":%q,"prefix_length":%d,"labels":{"k":"v"}}`, scope, r.IntN(4), pool, length),
		fmt.Sprintf(`POST /pools {"scope":%q,"name":"p%d","cidr":"10.%d.0.0/16"}`, scope, r.IntN(4), r.IntN(3)),
		fmt.Sprintf(`POST /pools {"scope":"a","name":"p%d","pool_selector":{"scope":%q,"family":"ipv4","labels":{"k":"v"}},"prefix_length":%d}`, r.IntN(4), scope, length),
		fmt.Sprintf(`POST /allocations {"pool":%q,"name":%q,"prefix_length":%d,"owner":"o"}`, pool, name, length-4),
		fmt.Sprintf(`POST /allocations {"pool":%q,"name":%q,"prefix_length":%d,"owner":"o"}`, pool, name, length),
		fmt.Sprintf(`POST /allocations {"pool_selector":{"scope":%q,"family":"ipv4","labels":{"k":"v"}},"name":%q,"prefix_length":%d}`, scope, name, length-4),
		fmt.Sprintf(`POST /holds {"pool":%q,"name":%q,"prefix_length":%d,"holder":"ws"}`, pool, name, length),
		fmt.Sprintf(`POST /hold-batches {"items":[{"hold":{"pool":%q,"name":%q,"prefix_length":%d}},{"hold":{"pool":"a.top","name":"m","prefix_length":28}}]}`, pool, name, length),
		fmt.Sprintf(`POST /pool-drafts {"pool":{"scope":%q,"name":"d1","cidr":"10.9.0.0/16"},"new_scope":true,"holder":"ws"}`, scope),
		fmt.Sprintf(`POST /reservations {"pool":%q,"reason":"r","prefix_length":%d}`, pool, length),
		fmt.Sprintf(`POST /allocation-sets {"pool":%q,"name":"s%d","members":{"x":{"prefix_length":%d}}}`, pool, r.IntN(3), length),
		fmt.Sprintf(`POST /allocation-set-holds {"pool":%q,"name":"s1","updates":%q,"members":{"x":{"prefix_length":28}}}`, pool, id("set")),
		fmt.Sprintf(`POST /accounts {"scope":%q,"cloud":"custom","external_id":"x%d","name":"x"}`, scope, r.IntN(6)),
		fmt.Sprintf(`POST /scopes {"name":%q}`, scope),
		fmt.Sprintf(`POST /imports {"kind":"allocations","csv":"pool,name,prefix_length\n%s,%s,%d\na.top,m,28\n","digest":"x"}`, pool, name, length),
		fmt.Sprintf(`POST /tokens {"name":"t%d","bindings":[{"role":"operator","scope":%q}]}`, r.IntN(6), scope),
		fmt.Sprintf(`POST /bindings {"principal":%q,"role":"viewer","pool":%q}`, id("principal"), pool),
		fmt.Sprintf(`PATCH /pools/%s {"name":"p%d"}`, pool, r.IntN(4)), fmt.Sprintf(`PATCH /pools/%s {"parent":%q}`, pool, scope+".top"), fmt.Sprintf(`PATCH /pools/%s {"prefix_length":%d}`, pool, length),
		fmt.Sprintf(`POST /pools/%s/preview {"prefix_length":%d}`, pool, length), fmt.Sprintf(`PATCH /scopes/%s {"description":"x"}`, scope), fmt.Sprintf(`PATCH /scopes/%s {"name":"b"}`, scope),
		`PATCH /allocations/`+id("alloc")+` {"owner":"o"}`, `DELETE /allocations/`+id("alloc"), `DELETE /reservations/`+id("rsv"), `DELETE /holds/`+id("hold"), `DELETE /tokens/`+id("token"),
		`DELETE /bindings/`+id("binding"), `DELETE /allocation-sets/`+id("set"), `DELETE /pools/`+pool, `DELETE /scopes/`+scope, `DELETE /pool-drafts/`+scope+`.d1`, `DELETE /accounts/custom:x1`,
	)
	method, rest, _ := strings.Cut(request, " ")
	path, body, _ = strings.Cut(rest, " ")
	return who, method, path, body
}

// What principals of one scope are answered says nothing of what is in another: two servers that differ in that alone answer them
// byte for byte alike, errors, headers and cursors too.
func TestWorldsThatDifferElsewhereAnswerAlike(t *testing.T) {
	defer ipam.KeysFrom(nil)
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			runs := *worlds
			if engine == "postgres" {
				runs = (runs + 2) / 3
			}
			statuses := map[string]int{}
			for seed := range runs {
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					const steps = 60
					first, r := newWorld(t, url(t), uint64(2*seed)), rand.New(rand.NewPCG(uint64(seed), 1))
					ids, pages := map[string][]string{}, map[string][]string{}
					var all []said
					for step := 10; step < 10+steps; step++ {
						first.otherwise(step)
						who, method, path, body := draw(r, ids, pages)
						got := first.ask(step, who, method, path, body)
						all = append(all, said{who, method, path, body, got})
						statuses[got[:1]+"xx"]++
						for _, m := range idText.FindAllStringSubmatch(got, -1) {
							ids[m[2]] = append(ids[m[2]], m[1])
						}
						for _, m := range pageText.FindAllStringSubmatch(got, -1) {
							pages[path[:4]] = append(pages[path[:4]], m[1])
						}
					}
					second := newWorld(t, url(t), uint64(2*seed+1))
					for i, s := range all {
						second.otherwise(10 + i)
						if got := second.ask(10+i, s.who, s.method, s.path, s.body); got != s.answer {
							t.Fatalf("step %d: %s %s %s by the %s of a is answered\n%s\nand where others did something else\n%s", i, s.method, s.path, s.body, s.who, s.answer, got)
						}
					}
				})
			}
			if statuses["2xx"] == 0 || statuses["4xx"] == 0 {
				t.Errorf("it compares nothing: %v", statuses)
			}
			t.Logf("%d pairs: %v", runs, statuses)
		})
	}
}
