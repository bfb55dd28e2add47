package provider_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/provider"
)

// standing is what each change is planned for: there is room in corp, and none in full.
var standing = map[string]string{
	"cloudpam_scope.blue":        "name = \"blue\"",
	"cloudpam_pool.corp":         "name = \"corp\"\n  cidr = \"10.0.0.0/16\"\n  labels = { tier = \"corp\" }",
	"cloudpam_pool.other":        "name = \"other\"\n  cidr = \"10.1.0.0/16\"",
	"cloudpam_pool.full":         "name = \"full\"\n  cidr = \"10.2.0.0/24\"",
	"cloudpam_pool.more":         "name = \"more\"\n  cidr = \"10.4.0.0/16\"",
	"cloudpam_pool.vpc":          "name = \"vpc\"\n  parent = cloudpam_pool.corp.id\n  prefix_length = 20",
	"cloudpam_pool.empty":        "name = \"empty\"\n  parent = cloudpam_pool.other.id\n  cidr = \"10.1.240.0/20\"",
	"cloudpam_allocation.a":      "name = \"a\"\n  pool = cloudpam_pool.vpc.id\n  prefix_length = 24",
	"cloudpam_allocation.c":      "name = \"c\"\n  pool = cloudpam_pool.other.id\n  cidr = \"10.1.8.0/24\"",
	"cloudpam_allocation.f":      "name = \"f\"\n  pool = cloudpam_pool.full.id\n  prefix_length = 25",
	"cloudpam_allocation.g":      "name = \"g\"\n  pool = cloudpam_pool.full.id\n  prefix_length = 25",
	"cloudpam_allocation_set.s":  "name = \"s\"\n  pool = cloudpam_pool.more.id\n  subnets = { a = 26, b = 26 }",
	"cloudpam_reservation.kept":  "pool = cloudpam_pool.more.id\n  name = \"kept\"\n  prefix_length = 24\n  reason = \"a merger\"",
	"cloudpam_reservation.fixed": "pool = cloudpam_pool.other.id\n  cidr = \"10.1.32.0/24\"\n  reason = \"a merger\"",
	"cloudpam_account.prod":      "name = \"prod\"\n  cloud = \"aws\"\n  external_id = \"123456789012\"",
	"cloudpam_policy.rules":      "pool = cloudpam_pool.other.id\n  min_prefix_length = 20",
	"cloudpam_role_binding.net":  "principal = \"principal_0000000000001\"\n  role = \"planner\"",
	"cloudpam_webhook.hook":      "name = \"hook\"\n  url = \"https://hooks.example.com/\"\n  enabled = false\n  secret_wo = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"",
}

// change is one edit of one resource: what stands where old does is new, or new is added where old is "". Those that say nothing more
// are planned together with the ones before.
type change struct{ of, argument, says, old, new string }

var changes = []change{
	{"cloudpam_scope.blue", "name", "another", `"blue"`, `"green"`},
	{"cloudpam_scope.blue", "description", "", "", `description = "x"`},
	{"cloudpam_scope.blue", "labels", "", "", `labels = { a = "b" }`},

	{"cloudpam_pool.vpc", "name", "another", `"vpc"`, `"network"`},
	{"cloudpam_pool.vpc", "scope", "another", "parent = cloudpam_pool.corp.id\n  prefix_length = 20", "cidr = \"10.0.0.0/20\"\n  scope = cloudpam_scope.blue.name"},
	{"cloudpam_pool.empty", "parent", "another, of an empty pool", "cloudpam_pool.other.id\n  cidr = \"10.1.240.0/20\"", "cloudpam_pool.corp.id\n  prefix_length = 20"},
	{"cloudpam_pool.vpc", "parent", "another, of a pool with something in it", "cloudpam_pool.corp.id", "cloudpam_pool.other.id"},
	{"cloudpam_pool.vpc", "pool_selector", "in place of the parent", "parent = cloudpam_pool.corp.id", `pool_selector = { labels = { tier = "corp" } }`},
	{"cloudpam_pool.vpc", "prefix_length", "shorter, and there is room around it", "20", "19"},
	{"cloudpam_pool.vpc", "prefix_length", "longer, and what it gives up is empty", "20", "21"},
	{"cloudpam_pool.full", "cidr", "around it, and free", "10.2.0.0/24", "10.2.0.0/23"},
	{"cloudpam_pool.full", "cidr", "in it, and something is in what it gives up", "10.2.0.0/24", "10.2.0.0/25"},
	{"cloudpam_pool.full", "cidr", "elsewhere", "10.2.0.0/24", "10.3.0.0/24"},
	{"cloudpam_pool.corp", "cidr", "around it, and another pool is there", "10.0.0.0/16", "10.0.0.0/15"},
	{"cloudpam_pool.vpc", "strategy", "", "", `strategy = "first_fit"`},
	{"cloudpam_pool.vpc", "parent_strategy", "", "", `parent_strategy = "first_fit"`},
	{"cloudpam_pool.vpc", "exclude", "", "", `exclude = ["10.0.240.0/20"]`},
	{"cloudpam_pool.vpc", "min_prefix_length", "", "", "min_prefix_length = 24"},
	{"cloudpam_pool.vpc", "max_prefix_length", "", "", "max_prefix_length = 28"},
	{"cloudpam_pool.vpc", "default_prefix_length", "", "", "default_prefix_length = 26"},
	{"cloudpam_pool.vpc", "deletion_protection", "", "", "deletion_protection = true"},
	{"cloudpam_pool.vpc", "quarantine", "", "", `quarantine = "168h"`},
	{"cloudpam_pool.vpc", "max_observed_age", "", "", `max_observed_age = "1h"`},
	{"cloudpam_pool.vpc", "encloses", "without a cidr", "", "encloses = true"},
	{"cloudpam_pool.vpc", "description", "", "", `description = "x"`},
	{"cloudpam_pool.vpc", "owner", "", "", `owner = "x"`},
	{"cloudpam_pool.vpc", "account", "", "", `account = "x"`},
	{"cloudpam_pool.vpc", "region", "", "", `region = "x"`},
	{"cloudpam_pool.vpc", "environment", "", "", `environment = "x"`},
	{"cloudpam_pool.vpc", "labels", "", "", `labels = { a = "b" }`},

	{"cloudpam_allocation.a", "name", "another", `"a"`, `"b"`},
	{"cloudpam_allocation.a", "pool", "another", "cloudpam_pool.vpc.id", "cloudpam_pool.other.id"},
	{"cloudpam_allocation.a", "pool_selector", "in place of the pool", "pool = cloudpam_pool.vpc.id", `pool_selector = { labels = { tier = "corp" } }`},
	{"cloudpam_allocation.a", "prefix_length", "shorter, and there is room around it", "24", "23"},
	{"cloudpam_allocation.a", "prefix_length", "longer", "24", "25"},
	{"cloudpam_allocation.f", "prefix_length", "shorter, in a pool without room", "25", "24"},
	{"cloudpam_allocation.c", "cidr", "around it, and free", "10.1.8.0/24", "10.1.8.0/23"},
	{"cloudpam_allocation.c", "cidr", "in it", "10.1.8.0/24", "10.1.8.128/25"},
	{"cloudpam_allocation.c", "cidr", "elsewhere, and free", "10.1.8.0/24", "10.1.64.0/24"},
	{"cloudpam_allocation.c", "cidr", "elsewhere, and taken", "10.1.8.0/24", "10.1.32.0/24"},
	{"cloudpam_allocation.c", "cidr", "absent", "cidr = \"10.1.8.0/24\"", "prefix_length = 24"},
	{"cloudpam_allocation.a", "hosts", "in place of the prefix_length, for the same size", "prefix_length = 24", "hosts = 250\n  target = \"aws_subnet\""},
	{"cloudpam_allocation.a", "hosts", "in place of the prefix_length, for more", "prefix_length = 24", "hosts = 500\n  target = \"aws_subnet\""},
	{"cloudpam_allocation.a", "target", "", "", `target = "aws_subnet"`},
	{"cloudpam_allocation.a", "strategy", "", "", `strategy = "first_fit"`},
	{"cloudpam_allocation.a", "exclude", "", "", `exclude = ["10.9.0.0/16"]`},
	{"cloudpam_allocation.a", "description", "", "", `description = "x"`},
	{"cloudpam_allocation.a", "owner", "", "", `owner = "x"`},
	{"cloudpam_allocation.a", "purpose", "", "", `purpose = "x"`},
	{"cloudpam_allocation.a", "account", "", "", `account = "x"`},
	{"cloudpam_allocation.a", "region", "", "", `region = "x"`},
	{"cloudpam_allocation.a", "environment", "", "", `environment = "x"`},
	{"cloudpam_allocation.a", "expires_at", "", "", `expires_at = "2999-01-01T00:00:00Z"`},
	{"cloudpam_allocation.a", "labels", "", "", `labels = { a = "b" }`},

	{"cloudpam_allocation_set.s", "name", "another", `"s"`, `"t"`},
	{"cloudpam_allocation_set.s", "pool", "another", "cloudpam_pool.more.id", "cloudpam_pool.corp.id"},
	{"cloudpam_allocation_set.s", "pool_selector", "in place of the pool", "pool = cloudpam_pool.more.id", `pool_selector = { labels = { tier = "corp" } }`},
	{"cloudpam_allocation_set.s", "subnets", "another key", "b = 26", "b = 26, c = 26"},
	{"cloudpam_allocation_set.s", "subnets", "a key less", ", b = 26", ""},
	{"cloudpam_allocation_set.s", "subnets", "a member is larger", "b = 26", "b = 25"},
	{"cloudpam_allocation_set.s", "subnets", "a member is smaller", "b = 26", "b = 27"},
	{"cloudpam_allocation_set.s", "renamed", "with a key renamed", "b = 26 }", "web = 26 }\n  renamed = { web = \"b\" }"},
	{"cloudpam_allocation_set.s", "adopt", "", "", "adopt = true"},
	{"cloudpam_allocation_set.s", "hosts", "a member more", "", "hosts = { h = 100 }\n  target = \"aws_subnet\""},
	{"cloudpam_allocation_set.s", "fixed", "a member more", "", "fixed = { dns = \"10.4.99.0/28\" }"},
	{"cloudpam_allocation_set.s", "gke", "members more", "", "gke = { nodes = 16, pods_per_node = 32, services = 256 }\n  target = \"gcp_subnetwork\""},
	{"cloudpam_allocation_set.s", "eks", "members more", "", "eks = { zones = [\"a\"], nodes_per_zone = 5 }\n  target = \"aws_subnet\""},
	{"cloudpam_allocation_set.s", "target", "", "", `target = "aws_subnet"`},
	{"cloudpam_allocation_set.s", "strategy", "", "", `strategy = "first_fit"`},
	{"cloudpam_allocation_set.s", "exclude", "", "", `exclude = ["10.9.0.0/16"]`},
	{"cloudpam_allocation_set.s", "description", "", "", `description = "x"`},
	{"cloudpam_allocation_set.s", "owner", "", "", `owner = "x"`},
	{"cloudpam_allocation_set.s", "purpose", "", "", `purpose = "x"`},
	{"cloudpam_allocation_set.s", "account", "", "", `account = "x"`},
	{"cloudpam_allocation_set.s", "region", "", "", `region = "x"`},
	{"cloudpam_allocation_set.s", "environment", "", "", `environment = "x"`},
	{"cloudpam_allocation_set.s", "labels", "", "", `labels = { a = "b" }`},

	{"cloudpam_reservation.kept", "name", "another", `"kept"`, `"merger"`},
	{"cloudpam_reservation.kept", "pool", "another", "cloudpam_pool.more.id", "cloudpam_pool.corp.id"},
	{"cloudpam_reservation.kept", "prefix_length", "another", "24", "23"},
	{"cloudpam_reservation.fixed", "cidr", "another", "10.1.32.0/24", "10.1.40.0/24"},
	{"cloudpam_reservation.kept", "reason", "", `"a merger"`, `"a purchase"`},
	{"cloudpam_reservation.kept", "owner", "", "", `owner = "x"`},
	{"cloudpam_reservation.kept", "labels", "", "", `labels = { a = "b" }`},
	{"cloudpam_reservation.kept", "expires_at", "", "", `expires_at = "2999-01-01T00:00:00Z"`},

	{"cloudpam_account.prod", "cloud", "another", `cloud = "aws"`, `cloud = "custom"`},
	{"cloudpam_account.prod", "external_id", "another", "123456789012", "210987654321"},
	{"cloudpam_account.prod", "name", "another", `"prod"`, `"production"`},
	{"cloudpam_account.prod", "scope", "another", "", "scope = cloudpam_scope.blue.name"},
	{"cloudpam_account.prod", "mode", "", "", `mode = "plan"`},
	{"cloudpam_account.prod", "role_arn", "", "", `role_arn = "arn:aws:iam::123456789012:role/cloudpam"`},
	{"cloudpam_account.prod", "workload_identity", "of an AWS account", "", `workload_identity = "a@b.iam.gserviceaccount.com"`},
	{"cloudpam_account.prod", "tier", "", "", `tier = "prd"`},
	{"cloudpam_account.prod", "platform", "", "", `platform = "x"`},
	{"cloudpam_account.prod", "regions", "", "", `regions = ["eu-west-1"]`},
	{"cloudpam_account.prod", "description", "", "", `description = "x"`},
	{"cloudpam_account.prod", "owner", "", "", `owner = "x"`},
	{"cloudpam_account.prod", "environment", "", "", `environment = "x"`},
	{"cloudpam_account.prod", "labels", "", "", `labels = { a = "b" }`},

	{"cloudpam_policy.rules", "pool", "another", "cloudpam_pool.other.id", "cloudpam_pool.corp.id"},
	{"cloudpam_policy.rules", "description", "", "", `description = "x"`},
	{"cloudpam_policy.rules", "min_prefix_length", "", "20", "21"},
	{"cloudpam_policy.rules", "max_prefix_length", "", "", `max_prefix_length = 28`},
	{"cloudpam_policy.rules", "pool_min_prefix_length", "", "", `pool_min_prefix_length = 20`},
	{"cloudpam_policy.rules", "pool_max_prefix_length", "", "", `pool_max_prefix_length = 28`},
	{"cloudpam_policy.rules", "accounts", "", "", `accounts = ["a"]`},
	{"cloudpam_policy.rules", "regions", "", "", `regions = ["eu-west-1"]`},
	{"cloudpam_policy.rules", "environments", "", "", `environments = ["prd"]`},
	{"cloudpam_policy.rules", "required_labels", "", "", `required_labels = { team = [] }`},
	{"cloudpam_policy.rules", "owner_required", "", "", `owner_required = true`},
	{"cloudpam_policy.rules", "name_pattern", "", "", `name_pattern = "[a-z]+"`},
	{"cloudpam_policy.rules", "exclude", "", "", `exclude = ["10.1.0.0/24"]`},
	{"cloudpam_policy.rules", "exclude_sets", "", "", `exclude_sets = ["docker"]`},
	{"cloudpam_policy.rules", "usable_only", "", "", `usable_only = true`},
	{"cloudpam_policy.rules", "skip_first", "", "", `skip_first = 4`},
	{"cloudpam_policy.rules", "max_owner_share_percent", "", "", `max_owner_share_percent = 50`},
	{"cloudpam_policy.rules", "expression", "", "", `expression = "prefix_length > 20"`},
	{"cloudpam_policy.rules", "approval_above", "", "", `approval_above = 24`},
	{"cloudpam_policy.rules", "pool_approval_above", "", "", `pool_approval_above = 20`},
	{"cloudpam_policy.rules", "release_approval_above", "", "", `release_approval_above = 20`},
	{"cloudpam_policy.rules", "approval_groups", "", "", `approval_groups = [{ role = "admin", approval_above = 20 }]`},
	{"cloudpam_policy.rules", "expression_message", "", "", `expression_message = "x"`},

	{"cloudpam_role_binding.net", "principal", "another", `"principal_0000000000001"`, `"principal_0000000000002"`},
	{"cloudpam_role_binding.net", "issuer", "in place of the principal", `principal = "principal_0000000000001"`, "issuer = \"https://issuer.example\"\n  subject = \"a\""},
	{"cloudpam_role_binding.net", "subject", "in place of the principal", `principal = "principal_0000000000001"`, "issuer = \"https://issuer.example\"\n  subject = \"b\""},
	{"cloudpam_role_binding.net", "role", "", `"planner"`, `"operator"`},
	{"cloudpam_role_binding.net", "scope", "another", "", "scope = cloudpam_scope.blue.name"},
	{"cloudpam_role_binding.net", "pool", "another", "", "pool = cloudpam_pool.corp.id"},
	{"cloudpam_role_binding.net", "largest_prefix_length", "", "", "largest_prefix_length = 24"},
	{"cloudpam_role_binding.net", "labels", "", "", `labels = { a = "b" }`},

	{"cloudpam_webhook.hook", "name", "another", `"hook"`, `"bell"`},
	{"cloudpam_webhook.hook", "url", "another", "hooks.example.com", "bells.example.com"},
	{"cloudpam_webhook.hook", "scope", "another", "", "scope = cloudpam_scope.blue.name"},
	{"cloudpam_webhook.hook", "actions", "", "", `actions = ["allocation.*"]`},
	{"cloudpam_webhook.hook", "format", "", "", `format = "slack"`},
	{"cloudpam_webhook.hook", "enabled", "", "enabled = false", "enabled = true"},
	{"cloudpam_webhook.hook", "description", "", "", `description = "x"`},
	{"cloudpam_webhook.hook", "secret_wo", "another, and the same version", "whsec_M", "whsec_N"},
	{"cloudpam_webhook.hook", "secret_wo_version", "", "", "secret_wo_version = 2"},
}

func blocksOf(resources map[string]string) string {
	var b strings.Builder
	for _, address := range slices.Sorted(maps.Keys(resources)) {
		kind, name, _ := strings.Cut(address, ".")
		fmt.Fprintf(&b, "resource %q %q {\n  %s\n}\n", kind, name, resources[address])
	}
	return b.String()
}

// outcome says what a plan makes of a resource.
func outcome(t *testing.T, tf *acctest.Terraform, address string) string {
	t.Helper()
	if _, out, err := tf.Try("plan", "-no-color", "-out=plan"); err != nil {
		summary := regexp.MustCompile(`Error: (.*)`).FindStringSubmatch(out)
		if summary == nil {
			t.Fatalf("%s: %v\n%s", address, err, out)
		}
		return "refused: " + summary[1]
	}
	type value struct {
		CIDR  any            `json:"cidr"`
		CIDRs map[string]any `json:"cidrs"`
	}
	var plan struct {
		Changes []struct {
			Address string
			Change  struct {
				Actions       []string
				Before, After value
				Unknown       map[string]any `json:"after_unknown"`
			}
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(tf.Run(t, "show", "-json", "plan")), &plan); err != nil {
		t.Fatal(err)
	}
	for _, c := range plan.Changes {
		if c.Address != address {
			continue
		}
		what := map[string]string{"no-op": "no change", "update": "in place", "delete,create": "replaced", "create,delete": "replaced"}[strings.Join(c.Change.Actions, ",")]
		if what == "" {
			t.Fatalf("%s: %v", address, c.Change.Actions)
		}
		if what == "no change" || c.Change.Before.CIDR == nil && c.Change.Before.CIDRs == nil {
			return what
		}
		if c.Change.Before.CIDRs != nil {
			return what + ", " + ofMembers(c.Change.Before.CIDRs, c.Change.After.CIDRs)
		}
		if c.Change.Unknown["cidr"] == true {
			return what + ", its CIDR is known after the apply"
		}
		return what + ", " + ofBlocks(netip.MustParsePrefix(c.Change.Before.CIDR.(string)), netip.MustParsePrefix(c.Change.After.CIDR.(string)))
	}
	t.Fatalf("%s is not in the plan", address)
	return ""
}

func ofBlocks(before, after netip.Prefix) string {
	switch {
	case before == after:
		return "keeps its CIDR"
	case after.Overlaps(before) && after.Bits() < before.Bits():
		return "grows around its CIDR"
	case after.Overlaps(before):
		return "shrinks inside its CIDR"
	}
	return "gets another CIDR, which the plan shows"
}

func ofMembers(before, after map[string]any) string {
	stay, moved := 0, 0
	for key, cidr := range before {
		now, is := after[key]
		switch {
		case !is:
		case now == cidr:
			stay++
		default:
			moved++
		}
	}
	known := 0
	for _, cidr := range after {
		if cidr != nil {
			known++
		}
	}
	text := "all members keep their CIDRs"
	switch {
	case stay == 0 && moved > 0:
		text = "its members get other CIDRs, which the plan shows"
	case moved > 0:
		text = "other members keep their CIDRs"
	case stay < len(before):
		text = "the members that stay keep their CIDRs"
	case len(after) > len(before) && known == len(after):
		text = "all members keep their CIDRs, and the plan shows the new ones"
	}
	return text
}

// The page "Every change" in the documentation is what this finds. go test -update writes it.
func TestWhatAPlanMakesOfEveryChangeIsAsThePageSays(t *testing.T) {
	t.Parallel()
	tf := acctest.NewTerraform(t, acctest.Start(t), blocksOf(standing))
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	var page strings.Builder
	section := ""
	for i := 0; i < len(changes); {
		now := maps.Clone(standing)
		together := []change{}
		for c := changes[i]; ; c = changes[i] {
			if c.old == "" {
				now[c.of] += "\n  " + c.new
			} else if !strings.Contains(now[c.of], c.old) {
				t.Fatalf("%s has no %q", c.of, c.old)
			} else {
				now[c.of] = strings.Replace(now[c.of], c.old, c.new, 1)
			}
			together = append(together, c)
			if i++; i == len(changes) || c.says != "" || changes[i].says != "" || changes[i].of != c.of {
				break
			}
		}
		of := together[0].of
		if kind, _, _ := strings.Cut(of, "."); kind != section {
			section = kind
			fmt.Fprintf(&page, "\n## %s\n\n| Argument | Change | What the plan says |\n|---|---|---|\n", kind)
		}
		tf.Write(t, "main.tf", blocksOf(now))
		found := outcome(t, tf, of)
		if together[0].says == "" && strings.HasPrefix(found, "refused") {
			t.Errorf("%s: a change is to be planned, and is %s", of, found)
		}
		for _, c := range together {
			fmt.Fprintf(&page, "| `%s` | %s | %s |\n", c.argument, cmp.Or(c.says, "any"), found)
		}
	}
	acctest.Page(t, filepath.Join("..", "..", "templates", "guides", "every-change.md.tmpl"), page.String())
}

func TestEveryArgumentIsOnThePageOfChanges(t *testing.T) {
	p := provider.New("test")()
	for _, newResource := range p.Resources(t.Context()) {
		var name resource.MetadataResponse
		newResource().Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "cloudpam"}, &name)
		var schema resource.SchemaResponse
		newResource().Schema(t.Context(), resource.SchemaRequest{}, &schema)
		for argument, a := range schema.Schema.Attributes {
			if (a.IsOptional() || a.IsRequired()) && !slices.ContainsFunc(changes, func(c change) bool { return strings.HasPrefix(c.of, name.TypeName+".") && c.argument == argument }) {
				t.Errorf("what a change of %s in %s does is not asked", argument, name.TypeName)
			}
		}
	}
	if _, err := os.Stat(filepath.Join("..", "..", "docs", "guides", "every-change.md")); err != nil {
		t.Error(err)
	}
}
