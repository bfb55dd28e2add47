//go:build unix

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// What the mirror offers and what examples/quickstart accepts. Nothing is published under it.
const providerVersion = "0.1.0"

// terraform runs the real command line on a copy of examples/quickstart.
type terraform struct {
	binary string
	dir    string
	env    []string
}

// newTerraform lays out what the command line needs: a copy of the example, and the provider in a filesystem mirror, so
// that `terraform init` finds it as it would find a published one.
func newTerraform(binary, root, dir string, s *server) (*terraform, error) {
	t := &terraform{binary: binary, dir: filepath.Join(dir, "terraform")}
	if err := os.CopyFS(t.dir, os.DirFS(filepath.Join(root, "examples", "quickstart"))); err != nil {
		return nil, fmt.Errorf("copy examples/quickstart: %w", err)
	}
	return t, t.setUp(root, dir, s)
}

// setUp lays out the provider and the settings.
func (t *terraform) setUp(root, dir string, s *server) error {
	mirror := filepath.Join(dir, "mirror")
	// Terraform and OpenTofu complete the source `cloudpam/cloudpam` each with its own registry.
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		place := filepath.Join(mirror, registry, "cloudpam", "cloudpam", providerVersion, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(place, 0o755); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join(root, "bin", "terraform-provider-cloudpam"), filepath.Join(place, "terraform-provider-cloudpam_v"+providerVersion)); err != nil {
			return err
		}
	}
	config := filepath.Join(dir, "terraformrc")
	text := fmt.Sprintf(`provider_installation {
  filesystem_mirror {
    path    = %q
    include = ["registry.terraform.io/cloudpam/cloudpam", "registry.opentofu.org/cloudpam/cloudpam"]
  }
  direct {
    exclude = ["registry.terraform.io/cloudpam/cloudpam", "registry.opentofu.org/cloudpam/cloudpam"]
  }
}
`, mirror)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	settings := []string{"TF_CLI_CONFIG_FILE=" + config, "CLOUDPAM_ENDPOINT=" + s.URL, "CLOUDPAM_TOKEN=" + s.token}
	// For the reader who wants to go on by hand.
	env := "export " + strings.Join(settings, "\nexport ") + "\n"
	if err := os.WriteFile(filepath.Join(dir, "env"), []byte(env), 0o600); err != nil {
		return err
	}
	t.env = append(cleanEnv(), append(settings, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")...)
	return nil
}

func (t *terraform) init(ctx context.Context) error {
	_, err := t.run(ctx, "init", "-input=false", "-no-color")
	return err
}

func (t *terraform) version(ctx context.Context) string {
	out, err := t.run(ctx, "version")
	if err != nil {
		return filepath.Base(t.binary)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first
}

func (t *terraform) plan(ctx context.Context) (summary string, err error) {
	out, err := t.run(ctx, "plan", "-input=false", "-no-color", "-out=demo.tfplan")
	return line(out, planLine), err
}

func (t *terraform) apply(ctx context.Context) (summary string, err error) {
	out, err := t.run(ctx, "apply", "-input=false", "-no-color", "-auto-approve", "demo.tfplan")
	return line(out, applyLine), err
}

// planIsEmpty fails unless a new plan has nothing to do: with -detailed-exitcode that is exit code 0, changes are 2.
func (t *terraform) planIsEmpty(ctx context.Context) error {
	out, err := t.run(ctx, "plan", "-input=false", "-no-color", "-detailed-exitcode")
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 2 {
		return fmt.Errorf("the second plan is not empty:\n%s", out)
	}
	return err
}

// block is a CIDR in the state and the resource that holds it.
type block struct {
	address, from string
	cidr          netip.Prefix
}

// planned reads the CIDRs that the plan shows; known reports whether it shows all of them.
func (t *terraform) planned(ctx context.Context) (found []block, known bool, err error) {
	var plan struct {
		Values values `json:"planned_values"`
	}
	if err := t.show(ctx, &plan, "demo.tfplan"); err != nil {
		return nil, false, err
	}
	found, unknown := plan.Values.Root.blocks()
	return inOrder(found), unknown == 0 && len(found) > 0, nil
}

// blocks reads the CIDRs out of the state.
func (t *terraform) blocks(ctx context.Context) ([]block, error) {
	var state struct {
		Values values `json:"values"`
	}
	if err := t.show(ctx, &state); err != nil {
		return nil, err
	}
	found, unknown := state.Values.Root.blocks()
	if len(found) == 0 || unknown > 0 {
		return nil, fmt.Errorf("the state holds %d CIDRs and %d resources without one", len(found), unknown)
	}
	return inOrder(found), nil
}

func (t *terraform) show(ctx context.Context, into any, file ...string) error {
	out, err := t.run(ctx, append([]string{"show", "-json", "-no-color"}, file...)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("read what terraform shows: %w", err)
	}
	return nil
}

// inOrder sorts by address, what contains before what is contained.
func inOrder(found []block) []block {
	slices.SortFunc(found, func(a, b block) int {
		return cmp.Or(a.cidr.Addr().Compare(b.cidr.Addr()), cmp.Compare(a.cidr.Bits(), b.cidr.Bits()))
	})
	return found
}

type values struct {
	Root module `json:"root_module"`
}

// module is the part of Terraform's plan and state that the demo reads.
type module struct {
	Resources []struct {
		Address string `json:"address"`
		Mode    string `json:"mode"`
		Type    string `json:"type"`
		Values  struct {
			CIDR   netip.Prefix            `json:"cidr"`
			CIDRs  map[string]netip.Prefix `json:"cidrs"` // of a set
			Pool   string                  `json:"pool"`
			Parent string                  `json:"parent"`
		} `json:"values"`
	} `json:"resources"`
	Children []module `json:"child_modules"`
}

// blocks answers with the CIDRs of our resources, and with how many of these have none yet.
func (m module) blocks() (found []block, unknown int) {
	for _, r := range m.Resources {
		switch {
		case r.Mode != "managed" || !strings.HasPrefix(r.Type, "cloudpam_"):
		case r.Values.CIDR.IsValid():
			found = append(found, block{r.Address, cmp.Or(r.Values.Pool, r.Values.Parent), r.Values.CIDR})
		case len(r.Values.CIDRs) > 0:
			for key, cidr := range r.Values.CIDRs {
				if !cidr.IsValid() {
					unknown++
					continue
				}
				found = append(found, block{fmt.Sprintf("%s.cidrs[%q]", r.Address, key), r.Values.Pool, cidr})
			}
		default:
			unknown++
		}
	}
	for _, child := range m.Children {
		more, missing := child.blocks()
		found, unknown = append(found, more...), unknown+missing
	}
	return found, unknown
}

func printBlocks(out io.Writer, blocks []block) {
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "     CIDR\tRESOURCE\tFROM POOL")
	for _, b := range blocks {
		fmt.Fprintf(table, "     %s\t%s\t%s\n", b.cidr, b.address, cmp.Or(b.from, "-"))
	}
	_ = table.Flush()
}

// run answers with standard output; an error carries everything that was printed.
func (t *terraform) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, t.binary, args...)
	cmd.Dir, cmd.Env = t.dir, t.env
	// Alone in its process group, so that Ctrl-C interrupts it once; a second interrupt would make it drop its state.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var stdout, all bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&stdout, &all), &all
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("%s %s: %w\n%s", filepath.Base(t.binary), args[0], err, all.Bytes())
	}
	return stdout.Bytes(), nil
}

var (
	planLine  = regexp.MustCompile(`(?m)^Plan: .*$`)
	applyLine = regexp.MustCompile(`(?m)^Apply complete! .*$`)
)

func line(out []byte, pattern *regexp.Regexp) string {
	return strings.TrimSpace(string(pattern.Find(out)))
}
