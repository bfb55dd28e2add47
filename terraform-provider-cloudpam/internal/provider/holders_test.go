package provider_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const vpcAndApp = `
resource "cloudpam_pool" "vpc" {
  name          = "vpc"
  parent        = "corp"
  prefix_length = 20
}
resource "cloudpam_allocation" "app" {
  pool          = "corp"
  name          = "app"
  prefix_length = 24
}
resource "cloudpam_allocation_set" "shop" {
  pool    = "corp"
  name    = "shop"
  subnets = { a = 24, b = 26 }
}
`

// holders are those of all holds.
func holders(t *testing.T, c *cloudpam.Client) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for hold, err := range c.Holds(t.Context(), cloudpam.ListHoldsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		all[hold.Holder] = true
	}
	return all
}

// Two workspaces keep two states: what one of them plans is not promised to the other too.
func TestTwoWorkspacesAreTwoPlans(t *testing.T) {
	t.Parallel()
	atEach(t, func(t *testing.T, parallelism string) {
		server := acctest.Start(t)
		others(corpPool)(t, server.Client)
		tf := acctest.NewTerraform(t, server, vpcAndApp)
		tf.Run(t, "workspace", "new", "-no-color", "blue")
		tf.Run(t, "plan", "-no-color", "-out=blue.tfplan", parallelism)
		tf.Run(t, "workspace", "new", "-no-color", "green")
		_, out, err := tf.Try("plan", "-no-color", parallelism)
		if err == nil || strings.Count(out, "Error: Name is held by another plan") != 3 || strings.Count(out, "Error: ") != 3 {
			t.Errorf("%v\n%s", err, out)
		}
		for _, text := range []string{"(blue)", "The holder of this plan is \"folder", "(green)", "${terraform.workspace} in the name"} {
			if !said(text).MatchString(out) {
				t.Errorf("does not say %q:\n%s", text, out)
			}
		}
		tf.Setenv("TF_WORKSPACE", "blue") // wins over the one that is selected
		tf.Run(t, "apply", "-no-color", parallelism, "blue.tfplan")
		tf.Run(t, "plan", "-no-color", "-detailed-exitcode", parallelism)
	})
}

// The provider's process is in Terraform's folder after -chdir, and TF_DATA_DIR is read from there.
func TestTheHolderIsOfTheFolderThatTerraformWorksIn(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	tf := acctest.NewTerraform(t, server, appOfCorp)
	tf.WriteModule(t, "inside", appOfCorp)
	tf.Setenv("TF_DATA_DIR", "data")
	tf.Run(t, "-chdir=inside", "plan", "-no-color")
	folder, err := filepath.EvalSymlinks(filepath.Join(tf.Dir, "inside"))
	if err != nil {
		t.Fatal(err)
	}
	for holder := range holders(t, server.Client) {
		if !strings.HasPrefix(holder, "folder ") || !strings.Contains(holder, folder[max(0, len(folder)-100):]+" (default) ") {
			t.Errorf("held for %q, want the folder %s", holder, folder)
		}
	}
	if _, out, err := tf.Try("plan", "-no-color"); err == nil || !said("Error: Name is held by another plan").MatchString(out) {
		t.Errorf("the folder around it: %v\n%s", err, out)
	}
	tf.Run(t, "-chdir=inside", "workspace", "new", "-no-color", "green")
	if _, out, err := tf.Try("-chdir=inside", "plan", "-no-color"); err == nil || !said("(green)").MatchString(out) {
		t.Errorf("another workspace, in TF_DATA_DIR: %v\n%s", err, out)
	}
}

// stateServer keeps one state, as Terraform's backend "http" has it kept.
func stateServer(t *testing.T) string {
	t.Helper()
	var mu sync.Mutex
	var state []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodPost:
			state, _ = io.ReadAll(r.Body)
		case state == nil:
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write(state)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// The job that plans and the one that applies are one holder by their backend, though nothing else is the same.
func TestTwoJobsWithOneBackendAreOneHolder(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	address := stateServer(t) + "/states/network"
	job := func(token string) *acctest.Terraform {
		tf := acctest.NewTerraform(t, server, "terraform {\n  backend \"http\" {}\n}\n")
		tf.Remove(t, "versions.tf") // with no provider in it, init asks no registry
		tf.Setenv("CLOUDPAM_TOKEN", server.NewToken(t, token))
		tf.Run(t, "init", "-no-color", "-backend-config=address="+address, "-backend-config=username=ci", "-backend-config=password=hush")
		tf.Write(t, "cloudpam.tf", "terraform {\n  required_providers {\n    cloudpam = { source = \"cloudpam/cloudpam\" }\n  }\n}\n"+vpcAndApp)
		return tf
	}
	plan, apply := job("planner"), job("operator")
	plan.Run(t, "plan", "-no-color", "-out=p.tfplan")
	for holder := range holders(t, server.Client) {
		if want := "http " + strings.TrimPrefix(address, "http://") + " (default) "; !strings.HasPrefix(holder, want) || strings.Contains(holder, "hush") {
			t.Errorf("held for %q, want %q", holder, want)
		}
	}
	saved, err := os.ReadFile(filepath.Join(plan.Dir, "p.tfplan"))
	if err != nil {
		t.Fatal(err)
	}
	apply.Write(t, "p.tfplan", string(saved))
	apply.Run(t, "apply", "-no-color", "p.tfplan")
	apply.Run(t, "plan", "-no-color", "-detailed-exitcode")
}

func TestAHolderThatIsSaidWins(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	tf := acctest.NewTerraform(t, server, appOfCorp)
	tf.Setenv("TFC_WORKSPACE_SLUG", "acme/network")
	for _, want := range []string{"hcp acme/network", "by environment", "by block"} {
		switch want {
		case "by environment":
			tf.Setenv("CLOUDPAM_HOLDER", want)
		case "by block":
			tf.Write(t, "provider.tf", "provider \"cloudpam\" {\n  holder = \"by block\"\n}\n")
		}
		tf.Run(t, "plan", "-no-color")
		if got := holders(t, server.Client); len(got) != 1 || !got[want] {
			t.Errorf("held for %v, want %s", got, want)
		}
		if err := releaseHolds(t.Context(), server.Client, nothing); err != nil {
			t.Fatal(err)
		}
	}
}
