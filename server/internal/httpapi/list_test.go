package httpapi_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

// names are those of all pages of a list, in its order.
func names(t testing.TB, s lab, path string, betweenPages ...func()) (all []string) {
	t.Helper()
	for token := ""; ; {
		p := get[struct {
			Items []struct{ ID, Name, CIDR string }
			Next  string `json:"next_page_token"`
		}](t, s, path+token)
		for _, item := range p.Items {
			if item.Name == "" {
				item.Name = item.ID + item.CIDR
			}
			all = append(all, item.Name)
		}
		if p.Next == "" {
			return all
		}
		token = map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "page_token=" + url.QueryEscape(p.Next)
		for _, between := range betweenPages {
			between()
		}
	}
}

func TestPagesAreCompleteWhileOthersInsert(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"p","cidr":"10.0.0.0/16"}`)
		var want []string
		for i := range 250 {
			want = append(want, post[api.Allocation](t, s, "/allocations", fmt.Sprintf(`{"pool":"p","name":"n%03d","prefix_length":28}`, i)).Name)
		}
		if got := names(t, s, "/allocations"); !slices.Equal(got, want) { // the oldest first
			t.Errorf("%d names: %v", len(got), got)
		}
		t.Run("by age", func(t *testing.T) {
			late := 0
			got := names(t, s, "/allocations?limit=37", func() {
				late++
				post[api.Allocation](t, s, "/allocations", fmt.Sprintf(`{"pool":"p","name":"late%d","prefix_length":28}`, late))
			})
			if !slices.Equal(got[:250], want) || len(got) < 250+late-1 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != len(got) {
				t.Errorf("%d names, %d late: %v", len(got), late, got)
			}
		})
		t.Run("by address", func(t *testing.T) {
			got := names(t, s, "/allocations?within=10.0.0.0/16&limit=37", func() {
				a := post[api.Allocation](t, s, "/allocations", `{"pool":"p","name":"passing","prefix_length":29}`)
				s.send(t, "DELETE", "/api/v1/allocations/"+a.ID, "")
			})
			if !slices.Equal(got[:250], want) {
				t.Errorf("%d names: %v", len(got), got)
			}
		})
		t.Run("a page that is just full is the last or says so", func(t *testing.T) {
			if got := names(t, s, "/allocations?q=n0&limit=50"); len(got) != 100 {
				t.Errorf("%d names", len(got))
			}
		})
		t.Run("the space map", func(t *testing.T) {
			all := get[api.SpacePage](t, s, "/pools/p/space?limit=1000").Items
			got := names(t, s, "/pools/p/space?limit=13")
			if len(got) != len(all) || len(slices.Compact(slices.Sorted(slices.Values(got)))) != len(got) {
				t.Errorf("%d blocks, want %d", len(got), len(all))
			}
			if all[0].CIDR != "10.0.0.0/28" || *all[0].Name != "n000" || all[len(all)-1].Status != "free" || all[len(all)-1].CIDR != "10.0.128.0/17" {
				t.Errorf("first = %+v, last = %+v", all[0], all[len(all)-1])
			}
		})
		t.Run("events, the newest first", func(t *testing.T) {
			ids := names(t, s, "/events?action=allocation.created&limit=100")
			if len(ids) < 250 || !slices.IsSortedFunc(ids, func(a, b string) int { return strings.Compare(b, a) }) {
				t.Errorf("%d events", len(ids))
			}
		})
	})
}

func TestFilters(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		for _, body := range []string{`{"name":"other"}`} {
			post[api.Scope](t, s, "/scopes", body)
		}
		for _, body := range []string{
			`{"name":"four","cidr":"10.0.0.0/8","owner":"Net Team","labels":{"env":"prd","tier":"1"}}`,
			`{"name":"six","cidr":"2001:db8::/32","description":"100% six_teen"}`,
			`{"scope":"other","name":"four","cidr":"10.0.0.0/8"}`,
			`{"name":"kid","parent":"four","cidr":"10.1.0.0/16","labels":{"env":"dev"}}`,
		} {
			post[api.Pool](t, s, "/pools", body)
		}
		for _, body := range []string{
			`{"pool":"four","name":"a","cidr":"10.0.0.0/24","account":"111","owner":"ann","labels":{"env":"prd","x\"env":"dev"}}`,
			`{"pool":"four","name":"b","cidr":"10.0.1.0/25","account":"222","owner":"ann","labels":{"env":"dev","team":"pay,ments"}}`,
			`{"pool":"kid","name":"c","cidr":"10.1.2.3/32","labels":{"env":"PRD"}}`,
			`{"pool":"six","name":"d","cidr":"2001:db8::/64","description":"Front End"}`,
			`{"pool":"other.four","name":"e","cidr":"10.0.0.0/24"}`,
		} {
			post[api.Allocation](t, s, "/allocations", body)
		}
		for _, c := range []struct{ path, want string }{
			{"/allocations", "a b c d e"},
			{"/allocations?scope=default", "a b c d"},
			{"/allocations?scope=other", "e"},
			{"/allocations?scope=nowhere", ""},
			{"/allocations?pool=four", "a b"},
			{"/allocations?name=b", "b"},
			{"/allocations?account=222", "b"},
			{"/allocations?owner=ann", "a b"},
			{"/allocations?owner=ANN", ""},
			{"/allocations?family=ipv4", "a b c e"},
			{"/allocations?family=ipv6", "d"},
			{"/allocations?label=env=prd", "a"},
			{"/allocations?label=env=PRD", "c"},
			{"/allocations?label=env=dev", "b"}, // not a, whose key x"env only ends the same
			{"/allocations?label=env=dev&label=team=pay,ments", "b"},
			{"/allocations?label=env=prd&label=team=pay,ments", ""},
			{"/allocations?label=env=", ""},
			{"/allocations?q=front", "d"},
			{"/allocations?q=ANN", "a b"},
			{"/allocations?q=%25", ""},
			{"/allocations?q=_", ""},
			{"/allocations?within=10.0.0.0/16", "a e b"},
			{"/allocations?within=10.0.0.0/24&scope=default", "a"},
			{"/allocations?within=10.0.0.0/25", ""},
			{"/allocations?within=0.0.0.0/0&scope=default", "a b c"},
			{"/allocations?within=::/0", "d"},
			{"/allocations?contains=10.0.0.77", "a e"},
			{"/allocations?contains=10.0.1.200", ""},
			{"/allocations?contains=10.1.2.3", "c"},
			{"/allocations?contains=10.0.1.0/26", "b"},
			{"/allocations?contains=10.0.1.0/24", ""},
			{"/allocations?contains=2001:db8::1", "d"},
			{"/allocations?contains=2001:db8:0:1::1", ""},
			{"/allocations?contains=::", ""},
			{"/pools?scope=default", "four six kid"},
			{"/pools?parent=four", "kid"},
			{"/pools?label=env=prd", "four"},
			{"/pools?q=net", "four"},
			{"/pools?q=100%25", "six"},
			{"/pools?q=six_teen", "six"},
			{"/pools?q=six-teen", ""},
			{"/pools?contains=10.1.2.3&scope=default", "four kid"},
			{"/pools?within=10.1.0.0/16", "kid"},
			{"/pools?family=ipv6", "six"},
		} {
			if got := strings.Join(names(t, s, c.path), " "); got != c.want {
				t.Errorf("%s: %q, want %q", c.path, got, c.want)
			}
		}
		for path, want := range map[string]int{
			"/prefixes": 9, "/prefixes?kind=pool": 4, "/prefixes?kind=allocation&family=ipv6": 1, "/prefixes?pool=four": 3,
			"/prefixes?contains=10.1.2.3&scope=default": 3, "/prefixes?within=10.1.0.0/16": 2, "/prefixes?status=allocated": 9, "/prefixes?status=held": 0,
			"/events?action=pool.created": 4, "/events?object=kid": 1, "/events?scope=other": 3, "/events?actor=token:bootstrap&action=scope.created": 1,
		} {
			if got := len(names(t, s, path+map[bool]string{true: "&limit=2", false: "?limit=2"}[strings.Contains(path, "?")])); got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
	})
}

func TestTheTreeAndFreeBlocks(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Scope](t, s, "/scopes", `{"name":"other"}`)
		post[api.Pool](t, s, "/pools", `{"name":"all","cidr":"::/0"}`)
		post[api.Pool](t, s, "/pools", `{"name":"kid","parent":"all","prefix_length":128}`)
		post[api.Pool](t, s, "/pools", `{"scope":"other","name":"all","cidr":"255.255.255.255/32"}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"other.all","name":"a","prefix_length":32}`)
		tree := get[api.PoolTree](t, s, "/pool-tree").Items
		if len(tree) != 2 || tree[0].Pool.ID != "all" || tree[1].Depth != 1 || tree[0].Utilization.Total != "340282366920938463463374607431768211456" {
			t.Errorf("tree = %+v", tree)
		}
		if other := get[api.PoolTree](t, s, "/pool-tree?scope=other").Items; len(other) != 1 || other[0].SpaceBar[0].End != 1 {
			t.Errorf("tree = %+v", other)
		}
		wantProblemCode(t, s.send(t, "GET", "/api/v1/pool-tree?scope=nowhere", ""), 404, "not_found")
		free := get[api.FreeBlocks](t, s, "/pools/all/free-blocks").Items
		if last := free[len(free)-1]; len(free) != 128 || last.PrefixLength != 128 || last.Fits != "340282366920938463463374607431768211455" {
			t.Errorf("free = %+v", free)
		}
		u := get[api.Utilization](t, s, "/pools/all/utilization")
		if u.Used != "1" || u.Free != "340282366920938463463374607431768211455" || u.Children != 1 || *u.LargestFreePrefixLength != 1 {
			t.Errorf("utilization = %+v", u)
		}
		for _, path := range []string{"/pools/nowhere/space", "/pools/nowhere/free-blocks", "/pools/nowhere/utilization"} {
			wantProblemCode(t, s.send(t, "GET", "/api/v1"+path, ""), 404, "not_found")
		}
		full := get[api.Utilization](t, s, "/pools/other.all/utilization")
		if full.LargestFreePrefixLength != nil || full.Fragmentation != 0 || full.UsedRatio != 1 {
			t.Errorf("utilization = %+v", full)
		}
		if got := get[api.Version](t, s, "/version"); got.Version != "test" {
			t.Errorf("version = %+v", got)
		}
	})
}
