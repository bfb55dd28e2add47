package registry_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func (r lab) govern(t tb, pool ipam.Pool, rules ipam.Rules) ipam.Policy {
	t.Helper()
	p, err := r.tryGovern(pool, rules)
	if err != nil {
		t.Fatalf("set the policy of %s: %v", pool.ID, err)
	}
	return p
}

func (r lab) tryGovern(pool ipam.Pool, rules ipam.Rules) (ipam.Policy, error) {
	return r.SetPolicy(context.Background(), alice, pool.ID, ipam.AnyVersion, ipam.NewPolicy{Rules: rules})
}

// wantRefused wants a policy_violation by rules, in this order, of pools that are named.
func wantRefused(t tb, err error, rules ...string) *ipam.Error {
	t.Helper()
	e := wantCode(t, err, ipam.CodePolicyViolation)
	if e == nil {
		return &ipam.Error{}
	}
	var got []string
	for _, v := range e.Violations {
		got = append(got, v.Rule)
		if !strings.Contains(v.Detail, "the policy of pool "+v.Pool) {
			t.Errorf("%q does not name pool %s", v.Detail, v.Pool)
		}
	}
	if !slices.Equal(got, rules) {
		t.Errorf("refused by %v, want %v: %v", got, rules, e)
	}
	return e
}

func (r lab) tryWith(pool ipam.Pool, name, want string, tweak func(*ipam.NewAllocation)) (ipam.Allocation, error) {
	in := ipam.NewAllocation{Pool: pool.ID, Name: name}
	in.CIDR, in.Length = wanted(want)
	if tweak != nil {
		tweak(&in)
	}
	return r.Allocate(context.Background(), alice, in)
}

func TestEachRuleOfAPolicyRefusesWhatBreaksItAndSaysWhatWouldPass(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		for i, c := range []struct {
			rules      ipam.Rules
			want       string // a block
			rule, says string
			ok, bad    func(*ipam.NewAllocation)
		}{
			{ipam.Rules{Min: ptr(24), Max: ptr(26)}, "", "min_prefix_length", "use /24 to /26", bits(24), bits(23)},
			{ipam.Rules{Min: ptr(24), Max: ptr(26)}, "", "max_prefix_length", "use /24 to /26", bits(26), bits(27)},
			{ipam.Rules{Accounts: []string{"aws:1", "aws:2"}}, "/28", "accounts", `use "aws:1" or "aws:2"`, func(a *ipam.NewAllocation) { a.Account = "aws:2" }, func(a *ipam.NewAllocation) { a.Account = "aws:3" }},
			{ipam.Rules{Regions: []string{"eu-west-1"}}, "/28", "regions", `use "eu-west-1"`, func(a *ipam.NewAllocation) { a.Region = "eu-west-1" }, func(*ipam.NewAllocation) {}},
			{ipam.Rules{Environments: []string{"prd"}}, "/28", "environments", `use "prd"`, func(a *ipam.NewAllocation) { a.Environment = "prd" }, func(a *ipam.NewAllocation) { a.Environment = "dev" }},
			{ipam.Rules{OwnerRequired: true}, "/28", "owner_required", "no owner is named", func(a *ipam.NewAllocation) { a.Owner = "net" }, func(*ipam.NewAllocation) {}},
			{ipam.Rules{RequiredLabels: map[string][]string{"team": nil}}, "/28", "required_labels/team", `"team" is missing`, func(a *ipam.NewAllocation) { a.Labels = ipam.Labels{"team": "x"} }, func(a *ipam.NewAllocation) { a.Labels = ipam.Labels{"tea": "x"} }},
			{ipam.Rules{RequiredLabels: map[string][]string{"team": {"a", "b"}}}, "/28", "required_labels/team", `use "a" or "b"`, func(a *ipam.NewAllocation) { a.Labels = ipam.Labels{"team": "b"} }, func(a *ipam.NewAllocation) { a.Labels = ipam.Labels{"team": "c"} }},
			{ipam.Rules{NamePattern: "[a-z]+-(dev|prd)"}, "/28", "name_pattern", "[a-z]+-(dev|prd)", func(a *ipam.NewAllocation) { a.Name = "web-dev" }, func(a *ipam.NewAllocation) { a.Name = "web-dev-2" }},
			{ipam.Rules{Exclude: []netip.Prefix{r.cidr("10.0.1.0/24")}}, "", "exclude", "10.0.1.0/24", named("10.0.2.0/25"), named("10.0.1.128/25")},
			{ipam.Rules{ExcludeSets: []string{"aks_services"}}, "", "exclude", "10.0.0.0/16", nil, named("10.0.1.128/25")},
			{ipam.Rules{SkipFirst: 5}, "", "usable_only", "its first 5", named("10.0.0.5/32"), named("10.0.0.4/32")},
			{ipam.Rules{UsableOnly: true}, "", "usable_only", "network and broadcast", named("10.0.0.1/32"), named("10.0.0.0/32")},
			{ipam.Rules{UsableOnly: true}, "", "usable_only", "network and broadcast", named("10.0.255.254/32"), named("10.0.255.255/32")},
			{ipam.Rules{MaxOwnerShare: 25}, "", "max_owner_share_percent", "25%, which is 16384", func(a *ipam.NewAllocation) { a.Owner, a.Length = "net", ptr(18) }, func(a *ipam.NewAllocation) { a.Owner, a.Length = "net", ptr(17) }},
			{ipam.Rules{Expression: `environment != "prd" || prefix_length >= 24`, Message: "production is small"}, "/23", "expression", "production is small", func(a *ipam.NewAllocation) { a.Environment = "dev" }, func(a *ipam.NewAllocation) { a.Environment = "prd" }},
			{ipam.Rules{Expression: `labels["team"].startsWith("a")`}, "/28", "expression", "no such key", func(a *ipam.NewAllocation) { a.Labels = ipam.Labels{"team": "ab"} }, func(*ipam.NewAllocation) {}},
		} {
			scope := r.scope(t)
			cidr := "10.0.0.0/16"
			if c.ok == nil {
				cidr = "10.0.0.0/8"
			}
			pool := r.rootIn(t, scope, "root", cidr)
			deep := r.child(t, pool, "deep", cidr)
			if c.rule == "max_owner_share_percent" {
				deep = r.child(t, pool2(r, t, scope), "deep2", "/16")
				pool = r.pool(t, deep.Parent)
			}
			r.govern(t, pool, c.rules)
			e := wantRefused(t, func() error { _, err := r.tryWith(deep, "a", c.want, c.bad); return err }(), c.rule)
			if !strings.Contains(e.Detail, c.says) {
				t.Errorf("%d: %q does not say %q", i, e.Detail, c.says)
			}
			if c.ok != nil {
				if _, err := r.tryWith(deep, "b", c.want, c.ok); err != nil {
					t.Errorf("%d: what %s allows is refused: %v", i, c.rule, err)
				}
			}
		}
	})
}

// pool2 is a /16 of its own, for sums over pools side by side.
func pool2(r lab, t *testing.T, scope string) ipam.Pool {
	t.Helper()
	return r.rootIn(t, scope, "sums", "10.1.0.0/16")
}

func bits(n int) func(*ipam.NewAllocation) { return func(a *ipam.NewAllocation) { a.Length = &n } }

func named(cidr string) func(*ipam.NewAllocation) {
	return func(a *ipam.NewAllocation) { a.CIDR = netip.MustParsePrefix(cidr) }
}

func TestBlocksAreChosenAroundWhatAPolicyKeepsOutOfUse(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "172.16.0.0/14")
		r.govern(t, pool, ipam.Rules{ExcludeSets: []string{"docker"}, Exclude: []netip.Prefix{r.cidr("172.16.0.0/24")}})
		wantCIDR(t, "the first /24", r.take(t, pool, "a", "/24").CIDR, "172.16.1.0/24")
		for i, want := range []string{"172.18.0.0/16", "172.19.0.0/16"} {
			wantCIDR(t, "a /16", r.take(t, pool, fmt.Sprint("b", i), "/16").CIDR, want)
		}
		_, err := r.try(pool, "c", "/16")
		if e := wantCode(t, err, ipam.CodePoolExhausted); e != nil && !strings.Contains(e.Detail, "outside what the policy of pool "+pool.ID+" keeps free") {
			t.Errorf("it does not say why: %v", e)
		}
		single := r.root(t, "10.9.0.0/29")
		r.govern(t, single, ipam.Rules{UsableOnly: true, SkipFirst: 3})
		var got []string
		for i := range 4 {
			got = append(got, r.take(t, single, fmt.Sprint("a", i), "/32").CIDR.String())
		}
		if slices.Sort(got); !slices.Equal(got, []string{"10.9.0.3/32", "10.9.0.4/32", "10.9.0.5/32", "10.9.0.6/32"}) {
			t.Errorf("got %v of a /29 without its first three addresses and its last", got)
		}
		_, err = r.try(single, "more", "/32")
		wantCode(t, err, ipam.CodePoolExhausted)
		two := r.root(t, "10.9.1.0/31")
		r.govern(t, two, ipam.Rules{UsableOnly: true})
		wantCIDR(t, "of a /31", r.take(t, two, "a", "/32").CIDR, "10.9.1.0/32")
		six := r.root(t, "2001:db8::/64")
		r.govern(t, six, ipam.Rules{UsableOnly: true})
		wantCIDR(t, "of IPv6", r.take(t, six, "a", "/128").CIDR, "2001:db8::1/128")
	})
}

func TestWhatANameHadBeforeItIsNotGivenAgainWhereAPolicyKeepsItByNow(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/16")
		a := r.take(t, pool, "a", "/24")
		h := r.hold(t, pool, "h", "/24")
		r.release(t, a)
		r.govern(t, pool, ipam.Rules{Exclude: []netip.Prefix{r.cidr("10.0.0.0/23")}})
		wantCIDR(t, "a again", r.take(t, pool, "a", "/24").CIDR, "10.0.2.0/24")
		if again := r.hold(t, pool, "h", "/24"); again.CIDR == h.CIDR {
			t.Errorf("the plan was promised %s again, which the policy excludes", again.CIDR)
		}
	})
}

func TestPoliciesOfAllPoolsAroundHoldTogetherAndOnlyBelowThem(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/16")
		a, b := r.child(t, root, "a", "/18"), r.child(t, root, "b", "/18")
		r.govern(t, root, ipam.Rules{Max: ptr(28)})
		r.govern(t, a, ipam.Rules{Max: ptr(26), OwnerRequired: true})
		_, err := r.try(a, "x", "/27")
		if e := wantRefused(t, err, "max_prefix_length"); !strings.Contains(e.Detail, "pool "+a.ID) {
			t.Errorf("the inner policy is not the one named: %v", e)
		}
		_, err = r.try(a, "x", "/26")
		wantRefused(t, err, "owner_required")
		r.take(t, b, "x", "/28")
		_, err = r.try(b, "y", "/29")
		if e := wantRefused(t, err, "max_prefix_length"); !strings.Contains(e.Detail, "pool "+root.ID) {
			t.Errorf("the outer policy is not the one named: %v", e)
		}
		all, err := r.Effective(t.Context(), ipam.Everything, a.ID)
		if err != nil || len(all) != 2 || all[0].Pool != root.ID || all[1].Pool != a.ID {
			t.Errorf("in %s hold %v, %v; want that of %s, then its own", a.ID, all, err, root.ID)
		}
		if err := r.DeletePolicy(t.Context(), alice, a.ID, ipam.AnyVersion); err != nil {
			t.Fatal(err)
		}
		r.take(t, a, "x", "/28")
	})
}

func TestPoliciesThatContradictEachOtherAreRefusedAndBothNamed(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/16")
		child := r.child(t, root, "child", "/20", func(in *ipam.NewPool) { in.Sizes = ipam.Sizes{Max: ptr(28), Default: ptr(24)} })
		for i, c := range []struct {
			outer, inner ipam.Rules
			says         string
		}{
			{ipam.Rules{Min: ptr(24)}, ipam.Rules{Min: ptr(22)}, "min_prefix_length is 22"},
			{ipam.Rules{Max: ptr(24)}, ipam.Rules{Max: ptr(26)}, "max_prefix_length is 26"},
			{ipam.Rules{PoolMin: ptr(24)}, ipam.Rules{PoolMin: ptr(22)}, "pool_min_prefix_length is 22"},
			{ipam.Rules{Max: ptr(23)}, ipam.Rules{Min: ptr(25)}, "no allocation of any length"},
			{ipam.Rules{OwnerRequired: true}, ipam.Rules{Min: ptr(29)}, "the pool has max_prefix_length 28"},
			{ipam.Rules{OwnerRequired: true}, ipam.Rules{Min: ptr(26)}, "default_prefix_length"},
			{ipam.Rules{Accounts: []string{"a"}}, ipam.Rules{Accounts: []string{"a", "b"}}, `would allow "b"`},
			{ipam.Rules{RequiredLabels: map[string][]string{"team": {"a"}}}, ipam.Rules{RequiredLabels: map[string][]string{"team": {"b"}}}, `would allow "b"`},
			{ipam.Rules{OwnerRequired: true}, ipam.Rules{Exclude: []netip.Prefix{r.cidr("10.0.0.0/19")}}, "nothing could be in pool"},
		} {
			for _, first := range []bool{true, false} {
				one, other := root, child
				rules, others := c.outer, c.inner
				if !first {
					one, other, rules, others = child, root, c.inner, c.outer
				}
				if _, err := r.tryGovern(one, rules); err != nil {
					continue // wrong by itself
				}
				_, err := r.tryGovern(other, others)
				e := wantCode(t, err, ipam.CodeInvalid)
				if e != nil && (!strings.Contains(e.Detail, c.says) || !strings.Contains(e.Detail, child.ID)) {
					t.Errorf("%d: %q does not say %q", i, e.Detail, c.says)
				}
				for _, p := range []ipam.Pool{one, other} {
					if err := r.DeletePolicy(t.Context(), alice, p.ID, ipam.AnyVersion); err != nil && ipam.CodeOf(err) != ipam.CodeNotFound {
						t.Fatal(err)
					}
				}
			}
		}
	})
}

func TestWhatStandsStaysAndIsListedWhereAPolicyWouldNotAllowIt(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/16")
		child := r.child(t, root, "child", "/18")
		old := r.take(t, child, "old", "/28")
		r.take(t, child, "fine", "/24")
		r.govern(t, root, ipam.Rules{Max: ptr(26), PoolMin: ptr(20)})
		found, next, err := r.Violations(t.Context(), ipam.Everything, root.ID, ipam.Page{Limit: 100})
		if err != nil || next.ID != "" || len(found) != 2 || found[0].ID != child.ID || found[1].ID != old.ID {
			t.Fatalf("found %v, next %v, %v; want the child and the old allocation", found, next, err)
		}
		// What has been wrong may be described, and need not get right.
		if _, err := r.UpdateAllocation(t.Context(), alice, old.ID, ipam.AnyVersion, ipam.AllocationPatch{DetailsPatch: ipam.DetailsPatch{Description: ptr("x")}}); err != nil {
			t.Errorf("an old allocation cannot be described: %v", err)
		}
		if _, err := r.UpdatePool(t.Context(), alice, child.ID, ipam.AnyVersion, ipam.PoolPatch{DetailsPatch: ipam.DetailsPatch{Description: ptr("x")}}); err != nil {
			t.Errorf("an old pool cannot be described: %v", err)
		}
		_, err = r.UpdateAllocation(t.Context(), alice, old.ID, ipam.AnyVersion, ipam.AllocationPatch{Length: ptr(29)})
		wantRefused(t, err, "max_prefix_length")
		_, err = r.resize(r.pool(t, child.ID), "/17")
		wantRefused(t, err, "pool_min_prefix_length")
		r.release(t, old)
	})
}

func TestAnOwnerHasNoMoreThanItsShareOverAllPoolsBelow(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/16")
		a, b := r.child(t, root, "a", "/18"), r.child(t, root, "b", "/18")
		r.govern(t, root, ipam.Rules{MaxOwnerShare: 10}) // 6553 addresses
		owned := func(pool ipam.Pool, name string, n int) (ipam.Allocation, error) {
			return r.tryWith(pool, name, "", func(in *ipam.NewAllocation) { in.Owner, in.Length = "net", &n })
		}
		first, err := owned(a, "x", 20)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := owned(b, "x", 21); err != nil {
			t.Fatal(err)
		}
		_, err = owned(b, "y", 23)
		wantRefused(t, err, "max_owner_share_percent")
		_, err = r.UpdateAllocation(t.Context(), alice, first.ID, ipam.AnyVersion, ipam.AllocationPatch{Length: ptr(19)})
		wantRefused(t, err, "max_owner_share_percent")
		other := r.take(t, b, "z", "/23")
		_, err = r.UpdateAllocation(t.Context(), alice, other.ID, ipam.AnyVersion, ipam.AllocationPatch{DetailsPatch: ipam.DetailsPatch{Owner: ptr("net")}})
		wantRefused(t, err, "max_owner_share_percent")
		if _, err := r.UpdateAllocation(t.Context(), alice, first.ID, ipam.AnyVersion, ipam.AllocationPatch{Length: ptr(21)}); err != nil {
			t.Errorf("less is refused: %v", err)
		}
	})
}

func TestAPlanIsRefusedWhatItsApplyWouldBe(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/16")
		before := r.hold(t, pool, "before", "/28")
		r.govern(t, pool, ipam.Rules{Max: ptr(26), RequiredLabels: map[string][]string{"team": {"a"}}})
		_, err := r.tryHold(alice, pool.ID, "a", "/28")
		wantRefused(t, err, "max_prefix_length")
		_, err = r.tryHold(alice, pool.ID, "a", "/26", func(in *ipam.NewHold) { in.Meant = &ipam.Meant{} })
		wantRefused(t, err, "required_labels/team")
		r.hold(t, pool, "a", "/26", func(in *ipam.NewHold) { in.Meant = &ipam.Meant{Labels: ipam.Labels{"team": "a"}} })
		r.hold(t, pool, "b", "/26") // what it is for is not known yet
		_, err = r.tryHold(alice, pool.ID, "before", "/28")
		wantRefused(t, err, "max_prefix_length")
		_, err = r.try(pool, "before", before.CIDR.String())
		wantRefused(t, err, "max_prefix_length")
		_, err = r.try(pool, "b", "/26")
		wantRefused(t, err, "required_labels/team")
	})
}

func TestADraftThatAPolicyForbidsByNowDoesNotBecomeAPool(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		root := r.root(t, "10.0.0.0/16")
		d := r.draft(t, root, "d", "/20")
		r.govern(t, root, ipam.Rules{PoolMin: ptr(22)})
		_, err := r.tryChild(root, d.Name, "/20")
		wantRefused(t, err, "pool_min_prefix_length")
		r.child(t, root, "ok", "/22")
	})
}

func TestAPoolThatGoesTakesItsPolicyWithItAndOneThatMovesIsJudgedThere(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/16")
		a, b := r.child(t, root, "a", "/18"), r.child(t, root, "b", "/18")
		child := r.child(t, a, "child", "/24")
		policy := r.govern(t, child, ipam.Rules{Min: ptr(26)})
		r.govern(t, b, ipam.Rules{PoolMin: ptr(25)})
		_, err := r.UpdatePool(t.Context(), alice, child.ID, ipam.AnyVersion, ipam.PoolPatch{Parent: &b.ID})
		wantRefused(t, err, "pool_min_prefix_length")
		r.drop(t, child)
		if events := r.events(t, string(policy.UID)); len(events) != 2 || events[0].Action != "policy.deleted" {
			t.Errorf("the policy has the events %v", events)
		}
		again := r.child(t, a, "child", "/24")
		if _, err := r.Policy(t.Context(), ipam.Everything, again.ID); ipam.CodeOf(err) != ipam.CodeNotFound {
			t.Errorf("a pool of the name of one that went has its policy: %v", err)
		}
	})
}

func TestAPolicyIsReplacedByWhoKnowsItOnly(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/16")
		set := func(m ipam.Match) (ipam.Policy, error) {
			return r.SetPolicy(t.Context(), alice, pool.ID, m, ipam.NewPolicy{Rules: ipam.Rules{OwnerRequired: true}})
		}
		first, err := set(ipam.Match{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = set(ipam.Match{})
		wantCode(t, err, ipam.CodePreconditionRequired)
		if _, err := set(ipam.Exactly(first.ETag())); err != nil {
			t.Fatal(err)
		}
		_, err = set(ipam.Exactly(first.ETag()))
		wantCode(t, err, ipam.CodePreconditionFailed)
		for rules, says := range map[string]ipam.Rules{
			"asks for nothing":   {},
			"no CEL expression":  {Expression: "prefix_length >"},
			"not true or false":  {Expression: "prefix_length"},
			"at most 2048 bytes": {Expression: strings.Repeat("true&&", 400) + "true"},
			"no regular":         {NamePattern: "["},
			"does not fit":       {Min: ptr(8)},
			"is smaller than":    {Min: ptr(24), Max: ptr(20)},
			"is no set":          {ExcludeSets: []string{"doker"}},
		} {
			_, err := r.SetPolicy(t.Context(), alice, pool.ID, ipam.AnyVersion, ipam.NewPolicy{Rules: says})
			if e := wantCode(t, err, ipam.CodeInvalid); e != nil && !strings.Contains(e.Detail, rules) {
				t.Errorf("%q does not say %q", e.Detail, rules)
			}
		}
	})
}

func TestAnExpressionThatCostsTooMuchRefuses(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/16")
		r.govern(t, pool, ipam.Rules{Expression: `labels.all(a, labels.all(b, labels.all(c, a + b + c != "")))`})
		labels := ipam.Labels{}
		for i := range 60 {
			labels[fmt.Sprint("key", i)] = ""
		}
		_, err := r.tryWith(pool, "a", "/24", func(in *ipam.NewAllocation) { in.Labels = labels })
		if e := wantRefused(t, err, "expression"); !strings.Contains(e.Detail, "too costly") {
			t.Errorf("it does not say why: %v", e)
		}
	})
}
