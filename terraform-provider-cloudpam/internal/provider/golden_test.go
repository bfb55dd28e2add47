package provider_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// others makes what stands before the run.
func others(pools []cloudpam.NewPool, allocations ...cloudpam.NewAllocation) func(*testing.T, *cloudpam.Client) {
	return func(t *testing.T, c *cloudpam.Client) {
		t.Helper()
		for _, pool := range pools {
			if _, err := c.CreatePool(t.Context(), pool); err != nil {
				t.Fatal(err)
			}
		}
		for _, a := range allocations {
			if _, err := c.CreateAllocation(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var (
	corpPool = []cloudpam.NewPool{{Name: "corp", CIDR: new("10.0.0.0/16")}}
	tiny     = cloudpam.NewPool{Name: "tiny", CIDR: new("10.9.0.0/24")}
	half     = cloudpam.NewAllocation{Pool: "tiny", Name: "half", PrefixLength: new(25)}
)

func rootPool(cidr, more string) string {
	return "resource \"cloudpam_pool\" \"corp\" {\n  name = \"corp\"\n  cidr = \"" + cidr + "\"\n  " + more + "\n}\n"
}

func childPool(parent string) string {
	return "resource \"cloudpam_pool\" \"vpc\" {\n  name          = \"vpc\"\n  parent        = \"" + parent + "\"\n  prefix_length = 24\n}\n"
}

const appOfCorp = `resource "cloudpam_allocation" "app" {
  pool          = "corp"
  name          = "app"
  prefix_length = 24
}
`

// setOfCorp is a set in the pool corp, of the given sizes.
func setOfCorp(sizes string) string {
	return "resource \"cloudpam_allocation_set\" \"shop\" {\n  pool    = \"corp\"\n  name    = \"shop\"\n  " + sizes + "\n}\n"
}

var tales = map[string]tale{
	"hold_lost": {
		others: others(corpPool), config: appOfCorp,
		between: func(t *testing.T, s *acctest.Server) {
			if err := releaseHolds(t.Context(), s.Client, func(ctx context.Context, hold cloudpam.Hold) error {
				_, err := s.Client.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: hold.Pool, Name: "thief", CIDR: &hold.CIDR})
				return err
			}); err != nil {
				t.Fatal(err)
			}
		},
	},
	// Without plan-time CIDRs the apply asks by size, for what a plan before was promised.
	"hold_lost_by_size": {
		others: func(t *testing.T, c *cloudpam.Client) {
			others(corpPool)(t, c)
			hold, err := c.PlaceHold(t.Context(), cloudpam.NewHold{Pool: "corp", Name: "app", PrefixLength: new(24)})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.ReleaseHold(t.Context(), hold.ID); err != nil {
				t.Fatal(err)
			}
			others(nil, cloudpam.NewAllocation{Pool: "corp", Name: "thief", CIDR: &hold.CIDR})(t, c)
		},
		args: `plan_mode = "off"`, config: appOfCorp,
		between: func(*testing.T, *acctest.Server) {},
	},
	"pool_name_handed_on": {
		applied: rootPool("10.0.0.0/16", "") + strings.NewReplacer("corp", "old", "10.0", "10.1").Replace(rootPool("10.0.0.0/16", "")),
		config: strings.Replace(rootPool("10.0.0.0/16", ""), `name = "corp"`, `name = "company"`, 1) + strings.NewReplacer(`"corp" {`, `"old" {
  depends_on = [cloudpam_pool.corp]`, "10.0", "10.1").Replace(rootPool("10.0.0.0/16", "")),
	},
	"pool_in_released_room": {
		others: others([]cloudpam.NewPool{tiny}), applied: childPool("tiny"),
		config: strings.NewReplacer("vpc", "halves", "24", "25").Replace(childPool("tiny")),
	},
	"hold_conflict": {
		others: func(t *testing.T, c *cloudpam.Client) {
			others(corpPool)(t, c)
			if _, err := c.PlaceHold(t.Context(), cloudpam.NewHold{Pool: "corp", Name: "app", PrefixLength: new(24), Holder: new("green")}); err != nil {
				t.Fatal(err)
			}
		},
		args: `holder = "blue"`, config: appOfCorp,
	},
	"duplicate_name": {
		others: others(corpPool),
		config: appOfCorp + strings.Replace(appOfCorp, `"app" {`, `"again" {
  depends_on    = [cloudpam_allocation.app]`, 1),
	},
	"duplicate_pool_name": {config: rootPool("10.0.0.0/16", "") + strings.NewReplacer(`"corp" {`, `"again" {
  depends_on = [cloudpam_pool.corp]`, "10.0", "10.1").Replace(rootPool("10.0.0.0/16", ""))},
	"duplicate_of_member": {
		others: others(corpPool),
		config: setOfCorp("subnets = { app = 24 }") + strings.NewReplacer(`"app" {`, `"app" {
  depends_on    = [cloudpam_allocation_set.shop]`, `"app"
`, `"shop/app"
`).Replace(appOfCorp),
	},
	"duplicate_member": {
		others: others(corpPool),
		config: strings.Replace(appOfCorp, `"app"
`, `"shop/app"
`, 1) + setOfCorp("subnets = { app = 24 }\n  depends_on = [cloudpam_allocation.app]"),
	},
	"name_taken":       {others: others(corpPool, cloudpam.NewAllocation{Pool: "corp", Name: "app", PrefixLength: new(24)}), config: appOfCorp},
	"pool_name_taken":  {others: others(corpPool), config: "resource \"cloudpam_pool\" \"corp\" {\n  name = \"corp\"\n  cidr = \"172.16.0.0/12\"\n}\n"},
	"pool_not_there":   {config: appOfCorp},
	"parent_not_there": {config: "resource \"cloudpam_pool\" \"vpc\" {\n  name          = \"vpc\"\n  parent        = \"corp\"\n  prefix_length = 20\n}\n"},
	"too_large":        {others: others([]cloudpam.NewPool{tiny}), config: strings.NewReplacer("corp", "tiny", "24", "23").Replace(appOfCorp)},
	"exhausted":        {others: others([]cloudpam.NewPool{tiny}, half), config: strings.Replace(appOfCorp, "corp", "tiny", 1)},
	"exhausted_by_plans": {
		others: func(t *testing.T, c *cloudpam.Client) {
			others([]cloudpam.NewPool{tiny})(t, c)
			if _, err := c.PlaceHold(t.Context(), cloudpam.NewHold{Pool: "tiny", Name: "web", PrefixLength: new(26), Holder: new("green")}); err != nil {
				t.Fatal(err)
			}
		},
		config: strings.Replace(appOfCorp, "corp", "tiny", 1),
	},
	"exhausted_nearest": {others: others(append([]cloudpam.NewPool{tiny}, corpPool...), half), config: strings.Replace(appOfCorp, "corp", "tiny", 1)},
	"exhausted_parent": {
		others: others([]cloudpam.NewPool{tiny}, half),
		config: "resource \"cloudpam_pool\" \"vpc\" {\n  name          = \"vpc\"\n  parent        = \"tiny\"\n  prefix_length = 24\n}\n",
	},
	"quota": {
		others: func(t *testing.T, c *cloudpam.Client) {
			others(corpPool)(t, c)
			for _, name := range []string{"web", "db"} {
				if _, err := c.PlaceHold(t.Context(), cloudpam.NewHold{Pool: "corp", Name: name, PrefixLength: new(24)}); err != nil {
					t.Fatal(err)
				}
			}
		},
		config: appOfCorp,
	},
	"cidr_taken": {
		others: others(corpPool, cloudpam.NewAllocation{Pool: "corp", Name: "legacy", CIDR: new("10.0.0.0/22")}),
		config: strings.Replace(appOfCorp, "prefix_length = 24", `cidr          = "10.0.1.0/24"`, 1),
	},
	"cidr_taken_by_many": {
		others: others(corpPool, cloudpam.NewAllocation{Pool: "corp", Name: "a", CIDR: new("10.0.1.0/24")}, cloudpam.NewAllocation{Pool: "corp", Name: "b", CIDR: new("10.0.3.0/24")}),
		config: strings.Replace(appOfCorp, "prefix_length = 24", `cidr          = "10.0.0.0/22"`, 1),
	},
	"outside_pool": {others: others(corpPool), config: strings.Replace(appOfCorp, "prefix_length = 24", `cidr          = "10.1.0.0/24"`, 1)},
	"policy": {
		others: others([]cloudpam.NewPool{{Name: "corp", CIDR: new("10.0.0.0/16"), MinPrefixLength: new(20)}}),
		config: strings.Replace(appOfCorp, "24", "18", 1),
	},
	"set_policy": {
		others: others([]cloudpam.NewPool{{Name: "corp", CIDR: new("10.0.0.0/16"), MinPrefixLength: new(20)}}),
		config: setOfCorp("subnets = { app = 24, data = 18 }"),
	},
	"set_exhausted":   {others: others([]cloudpam.NewPool{tiny}, half), config: strings.Replace(setOfCorp("subnets = { app = 25, data = 25 }"), "corp", "tiny", 1)},
	"set_for_aws":     {others: others(corpPool), config: setOfCorp("subnets = { app = 24, data = 29 }\n  target  = \"aws_subnet\"")},
	"no_such_labels":  {others: others(corpPool), config: strings.Replace(appOfCorp, `pool          = "corp"`, `pool_selector = { labels = { tier = "prd" } }`, 1)},
	"no_pool":         {config: strings.Replace(appOfCorp, `pool          = "corp"`, "", 1), command: "validate"},
	"two_pools":       {config: strings.Replace(appOfCorp, `pool          = "corp"`, "pool          = \"corp\"\n  pool_selector = { labels = { tier = \"prd\" } }", 1), command: "validate"},
	"root_cidr_taken": {others: others(corpPool), config: strings.NewReplacer("corp", "all").Replace(rootPool("10.0.0.0/8", ""))},
	"bad_token":       {args: `token = "cpam_wrong_0123456789"`, config: appOfCorp},
	"bad_hold_ttl":    {args: `hold_ttl = "10s"`, config: appOfCorp},
	"bad_plan_mode":   {args: `plan_mode = "on"`, config: appOfCorp},
	"no_endpoint":     {args: `endpoint = ""`, config: appOfCorp},
	"no_token":        {args: `token = ""`, config: appOfCorp},
	"wrong_endpoint":  {args: `endpoint = "cloudpam.example.com"`, config: appOfCorp},
	"endpoint_unknown_refresh": {
		others: others(corpPool), applied: appOfCorp, args: `endpoint = terraform_data.server.output`,
		config: "resource \"terraform_data\" \"server\" {\n  input = \"http://127.0.0.1:1\"\n}\n" + appOfCorp,
	},
	"endpoint_unknown": {
		config: "resource \"terraform_data\" \"server\" {\n  input = \"http://127.0.0.1:1\"\n}\n" + appOfCorp, args: `endpoint = terraform_data.server.output`,
	},
	"down_at_plan": {through: func(t *testing.T, _ *acctest.Server) string { return acctest.Nowhere(t) }, config: appOfCorp},
	"down_at_apply": {
		others: others(corpPool), config: strings.Replace(appOfCorp, "prefix_length = 24", "prefix_length = 24\n  owner         = \"payments\"", 1),
		between: func(t *testing.T, s *acctest.Server) { s.Stop(t) },
	},
	"down_at_refresh": {
		others: others(corpPool), applied: appOfCorp, config: appOfCorp,
		between: func(t *testing.T, s *acctest.Server) { s.Stop(t) },
	},
	"forbidden_to_hold": {
		others: others(corpPool), config: appOfCorp,
		through: func(t *testing.T, s *acctest.Server) string { return s.Proxy(t, mayOnlyRead).Endpoint },
	},
	"forbidden_to_create": {
		others: others(corpPool), config: appOfCorp, args: `plan_mode = "off"`,
		through: func(t *testing.T, s *acctest.Server) string { return s.Proxy(t, mayOnlyRead).Endpoint },
		between: func(*testing.T, *acctest.Server) {},
	},
	"certificate": {through: func(t *testing.T, _ *acctest.Server) string {
		strange := httptest.NewTLSServer(http.NotFoundHandler())
		t.Cleanup(strange.Close)
		return strange.URL
	}, config: appOfCorp},
	"not_cloudpam": {through: func(t *testing.T, _ *acctest.Server) string {
		another := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>It works!</html>")) }))
		t.Cleanup(another.Close)
		return another.URL
	}, config: appOfCorp},
	"pool_gone_at_apply": {
		others: others(corpPool), config: appOfCorp,
		between: func(t *testing.T, s *acctest.Server) {
			err := releaseHolds(t.Context(), s.Client, nothing)
			if err == nil {
				err = s.Client.DeletePool(t.Context(), "corp")
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	},
	"name_taken_at_apply": {
		others: others(corpPool), config: appOfCorp,
		between: func(t *testing.T, s *acctest.Server) {
			others(nil, cloudpam.NewAllocation{Pool: "corp", Name: "app", PrefixLength: new(24)})(t, s.Client)
		},
	},
	"draft_lost": {
		others: others(corpPool), config: "resource \"cloudpam_pool\" \"vpc\" {\n  name          = \"vpc\"\n  parent        = \"corp\"\n  prefix_length = 20\n}\n",
		between: func(t *testing.T, s *acctest.Server) {
			if err := s.Client.ReleaseDraft(t.Context(), "vpc"); err != nil {
				t.Fatal(err)
			}
			others(nil, cloudpam.NewAllocation{Pool: "corp", Name: "thief", CIDR: new("10.0.0.0/22")})(t, s.Client)
		},
	},
	"pool_moves": {applied: rootPool("10.0.0.0/16", ""), config: rootPool("10.1.0.0/16", "")},
	"pool_shrinks": {
		applied: rootPool("10.0.0.0/16", ""), config: rootPool("10.0.0.0/20", ""), command: "apply",
		between: func(t *testing.T, s *acctest.Server) {
			others(nil, cloudpam.NewAllocation{Pool: "corp", Name: "far", CIDR: new("10.0.200.0/24")})(t, s.Client)
		},
	},
	"pool_stays": {
		others:  others([]cloudpam.NewPool{{Name: "east", CIDR: new("10.1.0.0/16")}, {Name: "west", CIDR: new("10.2.0.0/16")}}),
		applied: childPool("east"), config: childPool("west"),
		between: func(t *testing.T, s *acctest.Server) {
			others(nil, cloudpam.NewAllocation{Pool: "vpc", Name: "strange", CIDR: new("10.1.0.0/28")})(t, s.Client)
		},
	},
	"cannot_enclose": {
		others: others(corpPool, cloudpam.NewAllocation{Pool: "corp", Name: "app", CIDR: new("10.0.1.0/24")}),
		config: poolNamed("layer", "parent = \"corp\"\n  cidr = \"10.0.0.0/20\"\n  encloses = true"),
	},
	"pool_names_another_parent": {
		applied: poolNamed("a", `cidr = "10.0.0.0/16"`) + poolNamed("b", "parent = cloudpam_pool.a.id\n  prefix_length = 24"),
		config: poolNamed("a", `cidr = "10.0.0.0/16"`) + poolNamed("b", "parent = cloudpam_pool.a.id\n  prefix_length = 24") +
			poolNamed("layer", "parent = cloudpam_pool.a.id\n  cidr = \"10.0.0.0/20\"\n  encloses = true\n  depends_on = [cloudpam_pool.b]"),
	},
	"supernet_without_encloses": {
		applied: poolNamed("a", `cidr = "10.0.0.0/16"`),
		config:  poolNamed("super", `cidr = "10.0.0.0/8"`) + poolNamed("a", "parent = cloudpam_pool.super.id\n  cidr = \"10.0.0.0/16\""),
	},
	"encloses_no_cidr": {config: strings.Replace(childPool("corp"), "prefix_length = 24", "prefix_length = 24\n  encloses      = true", 1), command: "validate"},
	"growth_blocked": {
		others: others(corpPool), applied: appOfCorp, config: strings.Replace(appOfCorp, "24", "22", 1),
		between: func(t *testing.T, s *acctest.Server) {
			others(nil, cloudpam.NewAllocation{Pool: "corp", Name: "neighbour", CIDR: new("10.0.3.0/24")})(t, s.Client)
		},
	},
	"growth_taken": {
		others: others(corpPool), applied: appOfCorp, config: strings.Replace(appOfCorp, "24", "22", 1), args: `plan_mode = "off"`, command: "apply",
		between: func(t *testing.T, s *acctest.Server) {
			others(nil, cloudpam.NewAllocation{Pool: "corp", Name: "neighbour", CIDR: new("10.0.3.0/24")})(t, s.Client)
		},
	},
	"pool_not_empty": {
		applied: rootPool("10.0.0.0/16", ""), config: rootPool("10.0.0.0/16", ""), command: "destroy",
		between: func(t *testing.T, s *acctest.Server) {
			others(nil, cloudpam.NewAllocation{Pool: "corp", Name: "strange", CIDR: new("10.0.200.0/24")})(t, s.Client)
		},
	},
	"pool_protected": {applied: rootPool("10.0.0.0/16", "deletion_protection = true"), config: rootPool("10.0.0.0/16", "deletion_protection = true"), command: "destroy"},
	"pool_not_replaced": {
		applied: rootPool("10.0.0.0/16", ""), config: rootPool("10.0.0.0/16", ""), command: "plan -replace=cloudpam_pool.corp",
		between: func(t *testing.T, s *acctest.Server) {
			others(nil, cloudpam.NewAllocation{Pool: "corp", Name: "app", CIDR: new("10.0.200.0/24")}, cloudpam.NewAllocation{Pool: "corp", Name: "data", CIDR: new("10.0.201.0/24")})(t, s.Client)
		},
	},
	"protected_pool_not_replaced": {
		applied: rootPool("10.0.0.0/16", "deletion_protection = true"), config: rootPool("10.0.0.0/16", "deletion_protection = true"),
		command: "plan -replace=cloudpam_pool.corp",
	},
	"scope_not_empty": {
		applied: scope("partner", ""), config: scope("partner", ""), command: "destroy",
		between: func(t *testing.T, s *acctest.Server) {
			others([]cloudpam.NewPool{{Name: "corp", Scope: new("partner"), CIDR: new("10.0.0.0/16")}})(t, s.Client)
		},
	},
	"cidr_excluded":   {config: strings.Replace(appOfCorp, "prefix_length = 24", "cidr          = \"10.0.1.0/24\"\n  exclude       = [\"10.0.0.0/20\"]", 1), command: "validate"},
	"fixed_excluded":  {config: setOfCorp("fixed   = { dns = \"10.0.1.0/24\" }\n  exclude = [\"10.0.0.0/20\"]"), command: "validate"},
	"exclude_no_cidr": {config: appOfCorpWith(`exclude       = ["10.0.0.1/24"]`), command: "validate"},
	"fixed_taken": {
		others: others(corpPool, cloudpam.NewAllocation{Pool: "corp", Name: "legacy", CIDR: new("10.0.0.0/22")}),
		config: setOfCorp("fixed   = { dns = \"10.0.1.0/24\" }"),
	},
	"all_excluded": {others: others(corpPool), config: appOfCorpWith(`exclude       = ["10.0.0.0/17", "10.0.128.0/17"]`)},
	"two_parents":  {config: strings.Replace(childPool("corp"), "parent        = ", "pool_selector = { labels = { tier = \"prd\" } }\n  parent        = ", 1), command: "validate"},
	"no_such_parent": {
		others: others(corpPool), config: strings.Replace(childPool("corp"), `parent        = "corp"`, `pool_selector = { labels = { tier = "prd" } }`, 1),
	},
	"no_parent_with_room": {
		others: others([]cloudpam.NewPool{{Name: "tiny", CIDR: new("10.9.0.0/25"), Labels: &cloudpam.Labels{"tier": "prd"}}}),
		config: strings.Replace(childPool("corp"), `parent        = "corp"`, `pool_selector = { labels = { tier = "prd" } }`, 1),
	},
	"root_pool_selects": {
		applied: rootPool("10.0.0.0/16", ""), config: strings.Replace(rootPool("10.0.0.0/16", ""), `cidr = "10.0.0.0/16"`, "prefix_length = 16\n  pool_selector = { labels = { tier = \"prd\" } }", 1),
	},
	"wrong_strategy":  {config: rootPool("10.0.0.0/16", `strategy = "worst_fit"`), command: "validate"},
	"wrong_name":      {config: strings.Replace(rootPool("10.0.0.0/16", ""), `name = "corp"`, `name = "Corp!"`, 1), command: "validate"},
	"host_bits":       {config: strings.Replace(appOfCorp, "prefix_length = 24", `cidr          = "10.0.1.7/24"`, 1), command: "validate"},
	"ipv4_as_ipv6":    {config: strings.Replace(appOfCorp, "prefix_length = 24", `cidr          = "::ffff:10.0.1.0/120"`, 1), command: "validate"},
	"sizes_disagree":  {config: strings.Replace(appOfCorp, "prefix_length = 24", "prefix_length = 24\n  cidr          = \"10.0.0.0/20\"", 1), command: "validate"},
	"root_no_cidr":    {config: "resource \"cloudpam_pool\" \"corp\" {\n  name = \"corp\"\n}\n", command: "validate"},
	"null_label":      {config: strings.Replace(appOfCorp, "prefix_length = 24", "prefix_length = 24\n  labels        = { team = null }", 1), command: "validate"},
	"too_many_labels": {others: others(corpPool), args: `default_labels = { for i in range(60) : "a${i}" => "x" }`, config: strings.Replace(appOfCorp, "prefix_length = 24", "prefix_length = 24\n  labels        = { for i in range(10) : \"b${i}\" => \"x\" }", 1)},
}

// mayOnlyRead answers as the server does to a token that may read and nothing else.
func mayOnlyRead(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	if r.Method == http.MethodGet {
		return false
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusForbidden)
	permission := "allocations:write"
	if strings.HasSuffix(r.URL.Path, "/hold-batches") {
		permission = "holds:write"
	}
	_, _ = w.Write([]byte(`{"type":"/problems/forbidden","title":"Forbidden","status":403,"code":"forbidden","detail":"the token may not do this: it lacks ` +
		permission + `","request_id":"00000000-0000-0000-0000-000000000000"}`))
	return true
}

// releaseHolds gives up every hold, and lets then happen.
func releaseHolds(ctx context.Context, c *cloudpam.Client, then func(context.Context, cloudpam.Hold) error) error {
	for hold, err := range c.Holds(ctx, cloudpam.ListHoldsParams{}) {
		if err != nil {
			return err
		}
		if err := c.ReleaseHold(ctx, hold.ID); err != nil {
			return err
		}
		if err := then(ctx, hold); err != nil {
			return err
		}
	}
	return nil
}
