package httpapi_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// bad is a request that must be refused, with what the refusal must say.
type bad struct {
	name, method, path, body string
	headers                  []string
	status                   int
	code, pointer, says      string
}

func pool(body string, pointer, says string) bad {
	return bad{name: body, method: "POST", path: "/pools", body: body, status: 400, code: "invalid", pointer: pointer, says: says}
}

func allocation(name, body, pointer, says string) bad {
	return bad{name: name, method: "POST", path: "/allocations", body: body, status: 400, code: "invalid", pointer: pointer, says: says}
}

func query(path, pointer, says string) bad {
	return bad{name: path, method: "GET", path: path, status: 400, code: "invalid", pointer: pointer, says: says}
}

func badCIDRs() (all []bad) {
	for cidr, says := range map[string]string{
		"10.1.2.3/20":              `did you mean \"10.1.0.0/20\"`,
		"2001:db8::1/64":           `did you mean \"2001:db8::/64\"`,
		"10.0.0.0/33":              "IPv4 takes /0 to /32",
		"2001:db8::/129":           "IPv6 takes /0 to /128",
		"10.0.0.0/-1":              "IPv4 takes /0 to /32",
		"::ffff:10.0.0.0/104":      `did you mean \"10.0.0.0/8\"`,
		"::ffff:0.0.0.0/80":        "write IPv4 as a.b.c.d/n",
		"010.0.0.0/8":              `did you mean \"10.0.0.0/8\"`,
		"10.0.0.0/08":              `did you mean \"10.0.0.0/8\"`,
		"fe80::%eth0/64":           `without: \"fe80::/64\"`,
		"10.0.0.0":                 `a single address is \"10.0.0.0/32\"`,
		"10.0.0/8":                 "not an IP address",
		"10.0.0.0/8; DROP TABLE x": "not a prefix length",
		"10.0.0.0/255.0.0.0":       "not a prefix length",
		" 10.0.0.0/8":              "not an IP address",
		"10.0.0.0/8/8":             "not a prefix length",
		"ten":                      "is not a CIDR",
	} {
		all = append(all, pool(`{"name":"x","cidr":"`+cidr+`"}`, "/cidr", says))
		all = append(all, allocation("allocate "+cidr, `{"pool":"small","name":"x","cidr":"`+cidr+`"}`, "/cidr", says))
		all = append(all, bad{name: "preview " + cidr, method: "POST", path: "/pools/small/preview", body: `{"cidr":"` + cidr + `"}`, status: 400, code: "invalid", pointer: "/cidr", says: says})
		all = append(all, bad{name: "resize to " + cidr, method: "PATCH", path: "/pools/small", body: `{"cidr":"` + cidr + `"}`, headers: []string{`If-Match: "v1"`}, status: 400, code: "invalid", pointer: "/cidr", says: says})
	}
	return all
}

func badBodies() []bad {
	long := strings.Repeat("k", 10_000)
	return []bad{
		pool(`{"name":"x","cidr":""}`, "/cidr", "minimum string length is 1"),
		pool(`{"name":"x"}`, "/cidr", "a root pool names its cidr"),
		pool(`{"cidr":"10.9.0.0/16"}`, "/name", "missing"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","colour":"red"}`, "/colour", "not a field"),
		pool(`{"name":"x","NAME":"y","cidr":"10.9.0.0/16"}`, "/NAME", "not a field"),
		pool(`{"name":7,"cidr":"10.9.0.0/16"}`, "/name", "must be a string"),
		pool(`{"name":"x","cidr":["10.9.0.0/16"]}`, "/cidr", "must be a string"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","prefix_length":"16"}`, "/prefix_length", "must be an integer"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","prefix_length":16.5}`, "/prefix_length", "must be an integer"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","prefix_length":1e99}`, "/prefix_length", ""),
		pool(`{"name":"x","cidr":"10.9.0.0/16","prefix_length":-1}`, "/prefix_length", "at least 0"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","prefix_length":129}`, "/prefix_length", "at most 128"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","prefix_length":17}`, "/prefix_length", "disagree"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","strategy":"worst_fit"}`, "/strategy", "best_fit, first_fit, largest_fit, sparse"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","deletion_protection":"yes"}`, "/deletion_protection", "must be a boolean"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","labels":{"a":1}}`, "/labels/a", "must be a string"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","labels":[]}`, "/labels", "must be an object"),
		pool(`{"name":"x","name":"y","cidr":"10.9.0.0/16"}`, "/name", "given twice"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","labels":{"a":"1","a":"2"}}`, "/labels/a", "given twice"),
		pool(`{"name":"x'; DROP TABLE pools; --","cidr":"10.9.0.0/16"}`, "/name", "Lower-case letters, digits"),
		pool(`{"name":"X","cidr":"10.9.0.0/16"}`, "/name", "Lower-case letters, digits"),
		pool(`{"name":"a.b","cidr":"10.9.0.0/16"}`, "/name", "Lower-case letters, digits"),
		pool(`{"name":"","cidr":"10.9.0.0/16"}`, "/name", "minimum string length"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","description":"a\u0000b"}`, "/description", "U+0000"),
		pool(`{"name":"x","cidr":"10.9.0.0/16","labels":{"a\u0000":"b"}}`, "/labels", "U+0000"),
		pool("{\"name\":\"x\",\"cidr\":\"10.9.0.0/16\",\"description\":\"\xff\"}", "", "UTF-8"),
		pool(`{"name":"x","cidr":"10.9.0.0/16"} {}`, "", "more than one"),
		pool(`{"name":"x","cidr":"10.9.0.0/16"}garbage`, "", "more than one"),
		pool(`{"name":"x","cidr":"10.9.0.0/16"`, "", "not JSON"),
		pool(`[]`, "", "must be an object"),
		pool(`null`, "", ""),
		pool(`"x"`, "", "must be an object"),
		allocation("a 10 kB label key", `{"pool":"small","name":"x","prefix_length":28,"labels":{"`+long+`":"v"}}`, "/labels", "1 to 128 bytes"),
		allocation("an empty label key", `{"pool":"small","name":"x","prefix_length":28,"labels":{"":"v"}}`, "/labels", "1 to 128 bytes"),
		allocation("a 10 kB label value", `{"pool":"small","name":"x","prefix_length":28,"labels":{"k":"`+long+`"}}`, "/labels/k", "maximum string length is 256"),
		allocation("a 10 kB name", `{"pool":"small","name":"`+long+`","prefix_length":28}`, "/name", "maximum string length is 127"),
		allocation("SQL in a name", `{"pool":"small","name":"x'; DROP TABLE allocations; --","prefix_length":28}`, "/name", "Letters, digits"),
		allocation("deep nesting", `{"pool":"small","name":"x","labels":`+strings.Repeat(`{"a":`, 5000)+`1`+strings.Repeat(`}`, 5000)+`}`, "", "levels deep"),
		allocation("deep arrays", strings.Repeat("[", 100_000), "", "levels deep"),
		allocation("no size", `{"pool":"small","name":"x"}`, "/prefix_length", "no default_prefix_length"),
		allocation("a /8 from a /24", `{"pool":"small","name":"x","prefix_length":8}`, "/prefix_length", "larger than pool small"),
		allocation("an IPv6 length from an IPv4 pool", `{"pool":"small","name":"x","prefix_length":64}`, "/prefix_length", "longer than an IPv4 address"),
		{name: "a CIDR outside its pool", method: "POST", path: "/allocations", body: `{"pool":"small","name":"x","cidr":"10.9.0.0/24"}`, status: 400, code: "outside_pool", pointer: "/cidr", says: "which is 10.0.0.0/24"},
		{name: "a pool that is not there", method: "POST", path: "/allocations", body: `{"pool":"nowhere","name":"x","prefix_length":28}`, status: 404, code: "not_found", pointer: "/pool"},
		{name: "a 5 MB body", method: "POST", path: "/pools", body: `{"description":"` + strings.Repeat("x", 5<<20) + `"}`, status: 413, code: "body_too_large"},
		{name: "no body", method: "POST", path: "/pools", headers: []string{"Content-Type: application/json"}, status: 400, code: "invalid"},
		{name: "a form", method: "POST", path: "/pools", body: "name=x", headers: []string{"Content-Type: application/x-www-form-urlencoded"}, status: 400, code: "invalid", says: "not JSON"},
		{name: "JSON as text", method: "POST", path: "/pools", body: `{"name":"x","cidr":"10.9.0.0/16"}`, headers: []string{"Content-Type: text/plain"}, status: 415, code: "unsupported_media_type", says: "application/json"},
		{name: "no content type", method: "POST", path: "/pools", body: `{"name":"x","cidr":"10.9.0.0/16"}`, headers: []string{"Content-Type:"}, status: 415, code: "unsupported_media_type", says: "application/json"},
	}
}

func badTexts() (all []bad) {
	for _, text := range []string{`\ud800`, `\udc00`, `a\uD800b`, `\ud800\ud800`, `\udc00\ud800`, `\\\ud800`, `\ud83d\ude00\ud83d`, `\ud800\u0041`, `\ud800\n\udc00`} {
		all = append(all,
			pool(`{"name":"x","cidr":"10.9.0.0/16","description":"`+text+`"}`, "/description", "half of a character"),
			pool(`{"name":"x","cidr":"10.9.0.0/16","labels":{"a/b":"`+text+`"}}`, "/labels/a~1b", "half of a character"),
			pool(`{"name":"x","cidr":"10.9.0.0/16","labels":{"`+text+`":"v"}}`, "/labels", "half of a character"))
	}
	return all
}

func badTimes() (all []bad) {
	for at, says := range map[string]string{
		`"tomorrow"`: "not a time", `""`: "not a time", `"2031-13-01T00:00:00Z"`: "not a time", `"2031-02-30T00:00:00Z"`: "not a time",
		`"2031-01-01T25:00:00Z"`: "not a time", `"2031-01-01 00:00:00Z"`: "not a time", `"2031-01-01T00:00:00"`: "not a time",
		`"9999-12-31T23:59:60Z"`: "not a time", `"2031-01-01T00:00:00+99:00"`: "not a time", `"9999-12-31T23:59:59-23:00"`: "not a time",
		`"0000-01-01T00:00:00+01:00"`: "not a time", `"2020-01-01T00:00:00Z"`: "has passed", `7`: "string", `{}`: "string",
	} {
		body := `"pool":"small","prefix_length":32,"reason":"x","expires_at":` + at
		all = append(all,
			bad{name: "reserve until " + at, method: "POST", path: "/reservations", body: "{" + body + "}", status: 400, code: "invalid", pointer: "/expires_at", says: says},
			bad{name: "keep until " + at, method: "PATCH", path: "/reservations/ID", headers: []string{"If-Match: *"}, body: `{"expires_at":` + at + `}`, status: 400, code: "invalid", pointer: "/expires_at", says: says})
	}
	return all
}

func badRequests() []bad {
	return []bad{
		{name: "a wrong method", method: "PUT", path: "/pools", body: `{}`, status: 405, code: "method_not_allowed"},
		{name: "an invented method", method: "BREW", path: "/pools", status: 405, code: "method_not_allowed"},
		{name: "an unknown path", method: "GET", path: "/pooools", status: 404, code: "not_found"},
		{name: "a path that goes on", method: "GET", path: "/pools/small/nothing", status: 404, code: "not_found"},
		{name: "a path with U+0000", method: "GET", path: "/pools/a%00b", status: 400, code: "invalid", pointer: "path:"},
		{name: "a path that is not UTF-8", method: "GET", path: "/pools/a%ffb", status: 400, code: "invalid", pointer: "path:"},
		{name: "SQL in a path", method: "GET", path: "/pools/x'%20OR%20'1'='1", status: 404, code: "not_found"},
		{name: "no If-Match", method: "PATCH", path: "/pools/small", body: `{}`, status: 428, code: "precondition_required", says: "If-Match"},
		{name: "a stale If-Match", method: "PATCH", path: "/pools/small", body: `{}`, headers: []string{`If-Match: "v9"`}, status: 412, code: "precondition_failed"},
		{name: "a broken If-Match", method: "PATCH", path: "/pools/small", body: `{}`, headers: []string{"If-Match: banana"}, status: 400, code: "invalid", pointer: "header:If-Match", says: "in its quotes"},
		{name: "an empty If-Match", method: "DELETE", path: "/pools/small", headers: []string{`If-Match: ""`}, status: 400, code: "invalid", pointer: "header:If-Match"},
		{name: "a short Idempotency-Key", method: "POST", path: "/pools", body: `{"name":"x","cidr":"10.9.0.0/16"}`, headers: []string{"Idempotency-Key: short"}, status: 400, code: "invalid", pointer: "header:Idempotency-Key"},
		{name: "a binary Idempotency-Key", method: "POST", path: "/pools", body: `{"name":"x","cidr":"10.9.0.0/16"}`, headers: []string{"Idempotency-Key: \xff\xfe\xfd\xfc\xff\xfe\xfd\xfc"}, status: 400, code: "invalid", pointer: "header:Idempotency-Key"},
		query("/pools?limit=0", "query:limit", "at least 1"),
		query("/pools?limit=1001", "query:limit", "at most 1000"),
		query("/pools?limit=ten", "query:limit", ""),
		query("/pools?limit=1&limit=2", "query:limit", "give it once"),
		query("/pools?page_token=banana", "query:page_token", "not a page token"),
		query("/pools?page_token="+base64.RawURLEncoding.EncodeToString([]byte(`{"p":"banana"}`)), "query:page_token", "not a page token"),
		query("/pools?page_token="+base64.RawURLEncoding.EncodeToString([]byte(`{"i":"a\u0000"}`)), "query:page_token", "not a page token"),
		query("/pools?colour=red", "query:colour", "it takes account, cloud, contains"),
		query("/scopes/default?colour=red", "query:colour", "no query parameters"),
		query("/pools?family=ipv5", "query:family", "ipv4, ipv6"),
		query("/pools?within=10.0.0.0/99", "query:within", "IPv4 takes /0 to /32"),
		query("/pools?within=10.0.0.1/8", "query:within", "did you mean"),
		query("/pools?contains=10.0.0.300", "query:contains", "is not a CIDR"),
		query("/pools?contains=::ffff:10.0.0.1", "query:contains", ""),
		query("/pools?label=k", "query:label", "write key=value"),
		query("/events?since=2031-02-30T00:00:00Z", "query:since", "not a time"),
		query("/pools?q=%00", "query:q", "UTF-8"),
		query("/pools?q=%ff", "query:q", "UTF-8"),
		query("/pools?q=%zz", "query:", "malformed"),
		query("/prefixes?status=free", "query:status", "reserved, allocated"),
		query("/prefixes?kind=subnet", "query:kind", "pool, allocation"),
		query("/pools?q="+strings.Repeat("x", 300), "query:q", "maximum string length is 256"),
	}
}

func TestBadInputIsRefusedAndNothingIsStored(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[any](t, s, "/pools", `{"name":"small","cidr":"10.0.0.0/24"}`)
		kept := post[api.Reservation](t, s, "/reservations", `{"pool":"small","prefix_length":32,"reason":"x"}`)
		before := s.events(t)
		for _, requests := range [][]bad{badCIDRs(), badBodies(), badTexts(), badTimes(), badRequests()} {
			for _, b := range requests {
				t.Run(b.name[:min(len(b.name), 80)], func(t *testing.T) {
					p := wantProblemCode(t, s.send(t, b.method, "/api/v1"+strings.Replace(b.path, "/ID", "/"+kept.ID, 1), b.body, b.headers...), b.status, b.code)
					said := p.Detail
					if b.pointer != "" {
						if len(p.Errors) == 0 || p.Errors[0].Pointer != b.pointer {
							t.Errorf("errors = %+v, want one at %s", p.Errors, b.pointer)
							return
						}
						said += " " + p.Errors[0].Detail
					}
					if says := strings.ReplaceAll(b.says, `\"`, `"`); !strings.Contains(said, says) {
						t.Errorf("it says %q, want %q", said, says)
					}
				})
			}
		}
		if after := s.events(t); after != before {
			t.Errorf("%d events of refused requests", after-before)
		}
	})
}

// Every parameter of every operation, as the contract has them: none is taken for one that was not given.
func TestAnEmptyQueryParameterIsRefused(t *testing.T) {
	s := serve(t, storetest.SQLite(t))
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for path, item := range spec.Paths.Map() {
		for method, op := range item.Operations() {
			for _, p := range append(item.Parameters, op.Parameters...) {
				if p.Value.In != openapi3.ParameterInQuery {
					continue
				}
				tried++
				for _, query := range []string{p.Value.Name + "=", p.Value.Name} {
					a := s.send(t, method, "/api/v1"+strings.NewReplacer("{", "", "}", "").Replace(path)+"?"+query, "")
					problem := wantProblemCode(t, a, http.StatusBadRequest, "invalid")
					if len(problem.Errors) != 1 || problem.Errors[0].Pointer != "query:"+p.Value.Name || !strings.Contains(problem.Detail, "without a value") {
						t.Errorf("%s %s?%s: %+v", method, path, query, problem)
					}
				}
			}
		}
	}
	if tried < 50 {
		t.Errorf("the contract has %d query parameters", tried)
	}
}

func TestTextThatIsWholeIsStoredAsItIs(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		for text, want := range map[string]string{`\ud83d\ude00`: "😀", `\uD83D\uDE00\ufffd`: "😀\ufffd", `\\ud800\ufffd`: `\ud800` + "\ufffd", "\ufffd": "\ufffd", `\u00e9`: "é"} {
			p := post[api.Pool](t, s, "/pools", `{"name":"p","cidr":"10.0.0.0/24","description":"`+text+`"}`)
			if p.Description != want {
				t.Errorf("%s is stored as %q", text, p.Description)
			}
			s.send(t, "DELETE", "/api/v1/pools/p", "", "If-Match: *")
		}
		kept := post[api.Pool](t, s, "/pools", `{"name":"small","cidr":"10.0.0.0/24"}`)
		for _, at := range []string{"2031-01-31T12:00:00Z", "2031-01-31T12:00:00.123456+02:00", "9999-12-31T23:59:59Z"} {
			post[api.Reservation](t, s, "/reservations", `{"pool":"`+kept.ID+`","prefix_length":32,"reason":"x","expires_at":"`+at+`"}`)
		}
	})
}
