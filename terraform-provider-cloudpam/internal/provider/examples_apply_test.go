package provider_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// settled makes what the examples that read, select or import find there. It returns the id of one allocation.
func settled(t *testing.T, c *cloudpam.Client) string {
	t.Helper()
	if _, err := c.CreateScope(t.Context(), cloudpam.NewScope{Name: "partner"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateAccount(t.Context(), cloudpam.NewAccount{Cloud: "aws", ExternalID: "123456789012", Name: "payments", Labels: &cloudpam.Labels{"stage": "prod"}}); err != nil {
		t.Fatal(err)
	}
	others([]cloudpam.NewPool{
		{Name: "corp", CIDR: new("10.0.0.0/12")},
		{Name: "prod", CIDR: new("10.0.0.0/16"), Parent: new("corp"), Labels: &cloudpam.Labels{"tier": "prod"}},
		{Name: "prod-euw1", CIDR: new("10.16.0.0/16")},
		{Name: "gke", CIDR: new("10.32.0.0/11"), Labels: &cloudpam.Labels{"cloud": "gcp", "tier": "prd"}},
	},
		cloudpam.NewAllocation{Pool: "prod", Name: "app-a", CIDR: new("10.0.0.0/22"), Owner: new("payments")},
		cloudpam.NewAllocation{Pool: "prod", Name: "vpc", CIDR: new("10.0.8.0/22")},
		cloudpam.NewAllocation{Pool: "prod-euw1", Name: "app-a", CIDR: new("10.16.0.0/22")},
		cloudpam.NewAllocation{Pool: "prod-euw1", Name: "data", CIDR: new("10.16.4.0/24")},
	)(t, c)
	if _, err := c.CreateAllocationSet(t.Context(), cloudpam.NewAllocationSet{
		Pool: "prod", Name: "shop", Members: &cloudpam.MemberSizes{"app-a": {PrefixLength: new(24)}},
	}); err != nil {
		t.Fatal(err)
	}
	page, err := c.ListAllocations(t.Context(), cloudpam.ListAllocationsParams{Pool: new("prod"), Name: new("app-a")})
	if err != nil || len(page.Items) != 1 {
		t.Fatal(page, err)
	}
	return page.Items[0].ID
}

// What people copy works as it stands: every example is applied, and then there is nothing left to do.
func TestEveryExampleIsApplied(t *testing.T) {
	t.Parallel()
	required, err := os.ReadFile(filepath.Join(registryExamples, "provider", "provider.tf"))
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(registryExamples, "*", "*"))
	if err != nil || len(dirs) < 20 {
		t.Fatalf("%d examples, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		name, err := filepath.Rel(registryExamples, dir)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, `CLOUDPAM_ISSUERS=[{"name":"github","issuer":"https://token.actions.githubusercontent.com","audience":"cloudpam","rules":[{"name":"acme","when":{"repository_owner":"acme"}}]}]`)
			tf := example(t, server, dir)
			if _, err := os.Stat(filepath.Join(dir, "provider.tf")); err != nil { // it has none of its own
				tf.Write(t, "provider.tf", strings.Replace(string(required), `"https://cloudpam.example.com"`, `"`+server.Endpoint+`"`, 1))
			}
			tf.Setenv("TF_VAR_plan_token", acctest.Token)
			tf.Setenv("TF_VAR_apply_token", acctest.Token)
			tf.Setenv("TF_VAR_webhook_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
			if strings.HasPrefix(name, "resources/") || name == "guides/plan-time-holds" {
				others([]cloudpam.NewPool{{Name: "elsewhere", CIDR: new("172.16.0.0/16"), Labels: &cloudpam.Labels{"tier": "prd", "region": "eu-west-1"}}})(t, server.Client)
				removeImports(t, tf.Dir)
			} else {
				known := settled(t, server.Client)
				replaceIn(t, tf, "data-source.tf", "alloc_06f2k1m9v8q3t7r5w4x0c1b2n", known)
			}
			tf.Run(t, "apply", "-auto-approve", "-no-color")
			// A check block is read again by every apply, which is a plan with nothing to add, change or destroy.
			if plan := tf.Run(t, "plan", "-no-color"); !strings.Contains(plan, "No changes.") && !strings.Contains(plan, "0 to add, 0 to change, 0 to destroy") {
				t.Errorf("something is left to do:\n%s", plan)
			}
		})
	}
}

// removeImports takes the import blocks out of a resource's example: they are shown beside it, and name other objects.
func removeImports(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "import-*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func replaceIn(t *testing.T, tf *acctest.Terraform, file, old, by string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(tf.Dir, file))
	if err != nil {
		return // not one of those
	}
	tf.Write(t, file, strings.ReplaceAll(string(content), old, by))
}
