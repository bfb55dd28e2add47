package acctest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Terraform is a working folder in which the real command line runs the provider's real binary.
type Terraform struct {
	Dir       string
	env       []string
	rc        string
	overrides map[string]string // provider address to the folder of its binary
	alone     bool              // Terraform starts the provider itself
	sockets   string            // where a provider that is started listens; the path of a socket is short
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
	tf.rc = filepath.Join(dir, "terraformrc")
	tf.overrides = map[string]string{}
	tf.sockets = bin
	tf.Override(t, "cloudpam/cloudpam", filepath.Dir(providerBuild.binary(t)))
	if err := os.Mkdir(tf.Dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if config != "" {
		tf.Write(t, "main.tf", config)
		tf.Write(t, "versions.tf", requiredProviders)
	}
	tf.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+tf.rc, "TF_IN_AUTOMATION=1")
	if s != nil {
		tf.env = append(tf.env, "CLOUDPAM_ENDPOINT="+s.Endpoint, "CLOUDPAM_TOKEN="+Token)
	}
	return tf
}

// Override makes Terraform and OpenTofu take a provider from the folder of its binary, whatever version is asked for. A
// source is namespace/type.
func (tf *Terraform) Override(t testing.TB, source, folder string) {
	t.Helper()
	tf.overrides["registry.terraform.io/"+source] = folder
	tf.overrides["registry.opentofu.org/"+source] = folder
	var lines strings.Builder
	for address, folder := range tf.overrides {
		fmt.Fprintf(&lines, "    %q = %q\n", address, folder)
	}
	config := "provider_installation {\n  dev_overrides {\n" + lines.String() + "  }\n  direct {}\n}\n"
	if err := os.WriteFile(tf.rc, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Meter measures the provider's own processor time, in all of its processes since the last call.
func (tf *Terraform) Meter(t testing.TB) func() time.Duration {
	t.Helper()
	folder := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%q \"$@\"\ntimes >>%q\n", providerBuild.binary(t), filepath.Join(folder, "times"))
	if err := os.WriteFile(filepath.Join(folder, providerBuild.name), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	tf.Override(t, "cloudpam/cloudpam", folder)
	return func() time.Duration {
		lines, err := os.ReadFile(filepath.Join(folder, "times"))
		if err != nil {
			t.Fatal(err)
		}
		var used time.Duration
		for i, line := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
			if i%2 == 0 {
				continue // the shell's own
			}
			for _, field := range strings.Fields(line) {
				one, err := time.ParseDuration(field)
				if err != nil {
					t.Fatal(err)
				}
				used += one
			}
		}
		_ = os.Remove(filepath.Join(folder, "times"))
		return used
	}
}

// Write puts a file into the working folder.
func (tf *Terraform) Write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(tf.Dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Read is what a file of the working folder has in it.
func (tf *Terraform) Read(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(tf.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Remove takes a file out of the working folder.
func (tf *Terraform) Remove(t testing.TB, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(tf.Dir, name)); err != nil {
		t.Fatal(err)
	}
}

// WriteModule puts a module into a folder of the working folder.
func (tf *Terraform) WriteModule(t testing.TB, folder, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(tf.Dir, folder), 0o750); err != nil {
		t.Fatal(err)
	}
	tf.Write(t, filepath.Join(folder, "main.tf"), requiredProviders+content)
}

// StartsProviders lets Terraform start the provider itself, as it does for people: with a process for each provider block.
func (tf *Terraform) StartsProviders() { tf.alone = true }

// Setenv sets a variable of every command from now on.
func (tf *Terraform) Setenv(name, value string) { tf.env = append(tf.env, name+"="+value) }

// Run runs a command that must succeed, and returns what it printed to standard output. On a busy machine Terraform may ask for one
// block of a plan after the other, and be told once to plan again, which people then do.
func (tf *Terraform) Run(t testing.TB, args ...string) string {
	t.Helper()
	out, all, err := tf.Try(args...)
	if err != nil && strings.Contains(all, "Two blocks of this plan were in each other's way") {
		out, all, err = tf.Try(args...)
	}
	if err != nil {
		t.Fatalf("terraform %v: %v\n%s", args, err, all)
	}
	return out
}

// Try runs a command and returns its standard output, all of its output, and how it ended.
func (tf *Terraform) Try(args ...string) (stdout, all string, err error) {
	return tf.TryUntil(nil, args...)
}

// TryUntil is Try, and kills the command as a lost machine would once stop is closed.
func (tf *Terraform) TryUntil(stop <-chan struct{}, args ...string) (stdout, all string, err error) {
	cmd := tf.command(args)
	attached, detach, err := tf.attach(args)
	if err != nil {
		return "", "", err
	}
	defer detach()
	cmd.Env = append(slices.Clone(cmd.Env), attached...)
	var out bytes.Buffer
	both := &output{}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, both), both
	if err = cmd.Start(); err != nil {
		return "", "", err
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-stop:
			_ = cmd.Process.Kill()
		case <-ended:
		}
	}()
	err = cmd.Wait()
	return out.String(), both.String(), err
}

// Measure runs a command that must succeed, and returns how long it took, and the processor time of Terraform and the
// provider together.
func (tf *Terraform) Measure(t testing.TB, args ...string) (wall, cpu time.Duration) {
	t.Helper()
	cmd := tf.command(args)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("terraform %v: %v\n%s", args, err, out)
	}
	return time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

func (tf *Terraform) command(args []string) *exec.Cmd {
	cmd := exec.Command(terraformPath(), args...)
	cmd.Dir, cmd.Env = tf.Dir, tf.env
	return cmd
}
