package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// seen is a server that has looked at an account with a network of n subnets, and a second one of two blocks.
func seen(t *testing.T, n int) *acctest.Server {
	t.Helper()
	dir := t.TempDir()
	var subnets []string
	for i := range n {
		subnets = append(subnets, fmt.Sprintf(`{"id":"subnet-%d","name":"app %d","network":"vpc-1","region":"east","cidr":"10.20.%d.0/24"}`, i, i, i))
	}
	document := `{"networks":[{"id":"vpc-1","name":"Main","region":"east","cidrs":["10.20.0.0/16"]},{"id":"vpc-2","region":"east","cidrs":["10.30.0.0/16","10.31.0.0/16"]}],"subnets":[` + strings.Join(subnets, ",") + `]}`
	if err := os.WriteFile(filepath.Join(dir, "berlin.json"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	server := acctest.Start(t, "CLOUDPAM_CLOUDS=custom", "CLOUDPAM_CUSTOM_DIR="+dir)
	if _, err := server.Client.CreateAccount(t.Context(), cloudpam.NewAccount{Cloud: "custom", ExternalID: "berlin", Name: "berlin"}); err != nil {
		t.Fatal(err)
	}
	out, err := server.Client.SyncAccount(t.Context(), "custom:berlin", cloudpam.SyncRequest{})
	if err != nil || out.Added != n+3 {
		t.Fatalf("%+v, %v", out, err)
	}
	return server
}

func TestWhatACloudHasIsAdoptedByItsImport(t *testing.T) {
	t.Parallel()
	server := seen(t, 3)
	tf := acctest.NewTerraform(t, server, `
		import {
		  to = cloudpam_pool.main
		  id = "custom:vpc-1"
		}
		resource "cloudpam_pool" "main" {
		  name    = "main"
		  cidr    = "10.20.0.0/16"
		  account = "custom:berlin"
		  region  = "east"
		}`)
	if plan := tf.Run(t, "plan", "-no-color", "-out=p.tfplan"); !strings.Contains(plan, "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.") {
		t.Errorf("%s", plan)
	}
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")

	var config strings.Builder
	for i := range 3 {
		fmt.Fprintf(&config, "import {\n  to = cloudpam_allocation.app_%d\n  id = \"custom:subnet-%d\"\n}\n", i, i)
	}
	tf = acctest.NewTerraform(t, server, config.String())
	if plan := tf.Run(t, "plan", "-no-color", "-generate-config-out=generated.tf"); !strings.Contains(plan, "Plan: 3 to import, 0 to add, 0 to change, 0 to destroy.") {
		t.Errorf("%s", plan)
	}
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
	made, err := server.Client.ListAllocations(t.Context(), cloudpam.ListAllocationsParams{Pool: new("main")})
	if err != nil || len(made.Items) != 3 || !slices.ContainsFunc(made.Items, func(a cloudpam.Allocation) bool { return a.Name == "app-2" && a.CIDR == "10.20.2.0/24" }) {
		t.Errorf("%+v, %v", made.Items, err)
	}
	drifts, err := server.Client.ListDrifts(t.Context(), cloudpam.ListDriftsParams{})
	if err != nil || len(drifts.Items) != 2 { // the blocks of the other network
		t.Errorf("%+v, %v", drifts.Items, err)
	}
}

func TestTheCommandImportsWhatACloudHas(t *testing.T) {
	t.Parallel()
	server := seen(t, 1)
	tf := acctest.NewTerraform(t, server, `
		resource "cloudpam_pool" "x" {
		  name    = "vpc-2-10-31-0-0-16"
		  cidr    = "10.31.0.0/16"
		  account = "custom:berlin"
		  region  = "east"
		}
		resource "cloudpam_allocation" "x" {
		  pool = "main"
		  name = "app-0"
		}`)
	for _, c := range []struct{ kind, id, want string }{
		{"pool", "custom:vpc-2", `Error: Import id names nothing that can be adopted custom:vpc-2 has several blocks, each of which is imported by itself. Name one of:
			- custom:vpc-2@10.30.0.0/16 - custom:vpc-2@10.31.0.0/16`},
		{"pool", "custom:vpc-2@10.32.0.0/16", `custom:vpc-2 does not have 10.32.0.0/16. It has: - custom:vpc-2@10.30.0.0/16`},
		{"pool", "custom:subnet-0", `custom:subnet-0 is a subnet, which becomes an allocation. Import it into a cloudpam_allocation.`},
		{"allocation", "custom:subnet-9", `CloudPAM has not seen "custom:subnet-9", or you may not see it. Have the server look at its account, and import it again: cloudpam sync ACCOUNT`},
		{"allocation", "custom:subnet-0", `Error: custom:subnet-0 cannot be adopted No pool of scope default is around 10.20.0.0/24; adopt its network vpc-1, or create a pool`},
	} {
		if _, out, err := tf.Try("import", "-no-color", "cloudpam_"+c.kind+".x", c.id); err == nil || !said(c.want).MatchString(out) {
			t.Errorf("import of %s %s: %v\n%s", c.kind, c.id, err, out)
		}
	}
	tf.Run(t, "import", "-no-color", "cloudpam_pool.x", "custom:vpc-2@10.31.0.0/16")
	if _, err := server.Client.AdoptObservations(t.Context(), cloudpam.NewAdoption{Ids: []string{"custom:vpc-1"}}); err != nil {
		t.Fatal(err)
	}
	tf.Run(t, "import", "-no-color", "cloudpam_allocation.x", "custom:subnet-0@10.20.0.0/24")
	if _, out, err := tf.Try("import", "-no-color", "cloudpam_allocation.y", "custom:vpc-1"); err == nil {
		t.Errorf("a network that is a pool was imported as an allocation\n%s", out)
	}
}

func TestTheModulesOfAnAccountImportAllAndChangeNothing(t *testing.T) {
	t.Parallel()
	server := seen(t, 40)
	done, err := server.Client.AdoptObservations(t.Context(), cloudpam.NewAdoption{Account: new("custom:berlin"), Labels: &cloudpam.Labels{"team": "net ${x}"}})
	if err != nil || done.Adopted != 43 {
		t.Fatalf("%+v, %v", done, err)
	}
	for per, modules := range map[cloudpam.GetTerraformModulesParamsPer]int{"account": 1, "network": 2} {
		out, err := server.Client.GetTerraformModules(t.Context(), cloudpam.GetTerraformModulesParams{Account: "custom:berlin", Per: &per})
		if err != nil || len(out.LeftOut) > 0 {
			t.Fatalf("%+v, %v", out.LeftOut, err)
		}
		byDir := map[string]*acctest.Terraform{}
		imports := 0
		for _, f := range out.Files {
			dir := filepath.Dir(f.Path)
			if byDir[dir] == nil {
				byDir[dir] = acctest.NewTerraform(t, server, "")
			}
			byDir[dir].Write(t, filepath.Base(f.Path), f.Content)
		}
		for dir, tf := range byDir {
			tf.Run(t, "validate", "-no-color")
			tf.Run(t, "fmt", "-check", "-diff")
			plan := tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
			n := 0
			if at := strings.Index(plan, "Plan: "); at < 0 {
				t.Errorf("%s: %s", dir, plan)
			} else if _, err := fmt.Sscanf(plan[at:], "Plan: %d to import, 0 to add, 0 to change, 0 to destroy.", &n); err != nil {
				t.Errorf("%s: %v\n%s", dir, err, plan)
			}
			imports += n
			tf.Run(t, "apply", "-no-color", "p.tfplan")
			tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
		}
		if len(byDir) != modules || imports != 43 {
			t.Errorf("by %s there are %d modules, which import %d", per, len(byDir), imports)
		}
	}
}
