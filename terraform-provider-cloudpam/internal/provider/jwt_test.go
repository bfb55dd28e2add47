package provider_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const pipelineRules = `[
	{"name":"plan","when":{"repository":"acme/network","event":"pull_request"},"role":"planner"},
	{"name":"apply","when":{"repository":"acme/network","event":"push"},"role":"operator"}
]`

// job is the JWT of a job of a pipeline.
func job(t *testing.T, by *acctest.Issuer, event string) string {
	t.Helper()
	return by.Sign(t, map[string]any{"sub": "repo:acme/network:" + event, "repository": "acme/network", "event": event})
}

func TestAPipelinePlansAndAppliesByTheJWTOfItsJobAndNoStoredSecret(t *testing.T) {
	t.Parallel()
	by := acctest.StartIssuer(t)
	server := acctest.Start(t, by.Setting(pipelineRules))
	others(corpPool)(t, server.Client)
	tf := acctest.NewTerraform(t, server, appOfCorp)
	tf.Setenv("CLOUDPAM_TOKEN", "")
	tf.Setenv("TFC_WORKLOAD_IDENTITY_TOKEN", job(t, by, "pull_request")) // as HCP Terraform does it: one for the plan, another for the apply
	_, out, err := tf.Try("apply", "-no-color", "-auto-approve")
	if want := `machine:repo:acme/network:pull_request is planner there`; err == nil || !said(want).MatchString(out) {
		t.Errorf("want %s\ngot %v\n%s", want, err, out)
	}
	if out := tf.Run(t, "plan", "-no-color", "-out=p.tfplan"); !strings.Contains(out, `"10.0.0.0/24"`) {
		t.Error(out)
	}
	tf.Setenv("TFC_WORKLOAD_IDENTITY_TOKEN_CLOUDPAM", job(t, by, "push")) // the tagged one wins
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	madeBy(t, server, "pull_request", "push")
}

// The file holds the JWT of a planner when the run begins. What writes it anew in the middle is another resource of the same run.
func TestATokenFileThatIsWrittenAnewInTheMiddleOfARunIsReadAgain(t *testing.T) {
	t.Parallel()
	by := acctest.StartIssuer(t)
	server := acctest.Start(t, by.Setting(pipelineRules))
	others(corpPool)(t, server.Client)
	dir := t.TempDir()
	file, next := filepath.Join(dir, "token"), filepath.Join(dir, "next")
	for path, token := range map[string]string{file: job(t, by, "pull_request"), next: job(t, by, "push")} {
		if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := `
	provider "cloudpam" {
	  endpoint   = "` + server.Endpoint + `"
	  token_file = "` + file + `"
	}
	resource "terraform_data" "renewed" {
	  provisioner "local-exec" {
	    command = "mv ` + next + ` ` + file + `"
	  }
	}
	resource "cloudpam_allocation" "app" {
	  pool          = "corp"
	  name          = "app"
	  prefix_length = 24
	  depends_on    = [terraform_data.renewed]
	}`
	tf := acctest.NewTerraform(t, nil, config)
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	madeBy(t, server, "pull_request", "push")
}
