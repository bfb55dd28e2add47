package acctest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Terraform is a working folder in which the real command line runs the provider's real binary.
type Terraform struct {
	Dir string
	env []string
}

const requiredProviders = `terraform {
  required_providers {
    cloudpam = { source = "cloudpam/cloudpam" }
  }
}
`

// NewTerraform makes a working folder for a server, with config as its main.tf; a nil server leaves the endpoint unset.
// Without a config the folder is empty, to be filled by the caller.
func NewTerraform(t testing.TB, s *Server, config string) *Terraform {
	t.Helper()
	dir := t.TempDir()
	tf := &Terraform{Dir: filepath.Join(dir, "work")}
	// Terraform takes the provider from the override and asks no registry; no init is needed.
	rc := filepath.Join(dir, "terraformrc")
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"registry.terraform.io/cloudpam/cloudpam\" = %[1]q\n"+
		"    \"registry.opentofu.org/cloudpam/cloudpam\" = %[1]q\n  }\n  direct {}\n}\n", filepath.Dir(providerBuild.binary(t)))
	if err := os.WriteFile(rc, []byte(overrides), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(tf.Dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if config != "" {
		tf.Write(t, "main.tf", config)
		tf.Write(t, "versions.tf", requiredProviders)
	}
	tf.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+rc, "TF_IN_AUTOMATION=1")
	if s != nil {
		tf.env = append(tf.env, "CLOUDPAM_ENDPOINT="+s.Endpoint, "CLOUDPAM_TOKEN="+Token)
	}
	return tf
}

// Write puts a file into the working folder.
func (tf *Terraform) Write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(tf.Dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Setenv sets a variable of every command from now on.
func (tf *Terraform) Setenv(name, value string) { tf.env = append(tf.env, name+"="+value) }

// Run runs a command that must succeed, and returns what it printed to standard output.
func (tf *Terraform) Run(t testing.TB, args ...string) string {
	t.Helper()
	out, all, err := tf.Try(args...)
	if err != nil {
		t.Fatalf("terraform %v: %v\n%s", args, err, all)
	}
	return out
}

// Try runs a command and returns its standard output, all of its output, and how it ended.
func (tf *Terraform) Try(args ...string) (stdout, all string, err error) {
	cmd := exec.Command(terraformPath(), args...)
	cmd.Dir, cmd.Env = tf.Dir, tf.env
	var out bytes.Buffer
	both := &output{}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, both), both
	err = cmd.Run()
	return out.String(), both.String(), err
}
