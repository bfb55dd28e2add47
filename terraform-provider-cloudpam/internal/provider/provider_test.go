package provider_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

func TestConfigurationThatIsMissingIsAskedFor(t *testing.T) {
	_, out, err := acctest.NewTerraform(t, nil, corp).Try("plan", "-no-color")
	for _, want := range []string{
		`Error: CloudPAM endpoint is missing`,
		`Set endpoint in the provider block, or the environment variable CLOUDPAM_ENDPOINT, for example https://cloudpam.example.com.`,
		`Error: CloudPAM token is missing`,
		`Set CLOUDPAM_TOKEN, or CLOUDPAM_TOKEN_FILE to a file that holds the token, or token or token_file in the provider block.`,
	} {
		if err == nil || !said(want).MatchString(out) {
			t.Errorf("want %s\ngot %v\n%s", want, err, out)
		}
	}
}

func TestATokenFileThatCannotBeUsedIsNamed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		empty:           "CLOUDPAM_TOKEN_FILE names a file that cannot be used: " + empty + " is empty",
		"/no/such/file": "CLOUDPAM_TOKEN_FILE names a file that cannot be used: stat /no/such/file: no such file or directory",
	} {
		t.Setenv("CLOUDPAM_TOKEN_FILE", file)
		t.Setenv("CLOUDPAM_ENDPOINT", "http://127.0.0.1:1")
		_, out, err := acctest.NewTerraform(t, nil, corp).Try("plan", "-no-color")
		if err == nil || !said(want).MatchString(out) {
			t.Errorf("want %s\ngot %v\n%s", want, err, out)
		}
	}
}

func TestTheTokenMayComeFromAFile(t *testing.T) {
	server := acctest.Start(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(acctest.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CLOUDPAM_TOKEN_FILE", file)
	t.Setenv("CLOUDPAM_ENDPOINT", server.Endpoint)
	acctest.NewTerraform(t, nil, corp).Run(t, "apply", "-auto-approve", "-no-color")
}

func TestAnEndpointThatIsNotKnownYetDegrades(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	unknown := `
	resource "terraform_data" "server" {
	  input = "` + server.Endpoint + `"
	}
	provider "cloudpam" {
	  endpoint = terraform_data.server.output
	  token    = "` + acctest.Token + `"
	}
	` + corp
	tf := acctest.NewTerraform(t, nil, unknown)
	if out := tf.Run(t, "apply", "-auto-approve", "-no-color"); !said("Apply complete! Resources: 2 added").MatchString(out) {
		t.Error(out)
	}
	// The pool exists and the endpoint is unknown again: what is there cannot be refreshed, and that is said.
	_, out, err := tf.Try("plan", "-no-color", "-replace=terraform_data.server")
	want := `Error: Provider configuration is not known yet with cloudpam_pool.corp, on main.tf line #, in resource "cloudpam_pool" "corp": #: resource "cloudpam_pool" "corp" {
		The provider's endpoint depends on something that has not been created, so CloudPAM cannot be asked about what exists already.
		Apply what it depends on first (terraform apply -target=…), or set it from a variable or CLOUDPAM_ENDPOINT.`
	if err == nil || !said(want).MatchString(out) {
		t.Errorf("want %s\ngot %v\n%s", want, err, out)
	}
}
