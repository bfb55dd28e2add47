package provider_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/provider"
)

var (
	examples         = filepath.Join(acctest.Root(), "examples")
	registryExamples = filepath.Join(acctest.Root(), "terraform-provider-cloudpam", "examples")
)

func TestTheExamplesAreFormatted(t *testing.T) {
	tf := acctest.NewTerraform(t, nil, "")
	for _, dir := range []string{examples, registryExamples} {
		if _, out, err := tf.Try("fmt", "-check", "-diff", "-recursive", dir); err != nil {
			t.Errorf("terraform fmt %s: %v\n%s", dir, err, out)
		}
	}
}

func TestTheQuickstartDoesWhatItSays(t *testing.T) {
	t.Parallel()
	tf := example(t, acctest.Start(t), filepath.Join(examples, "quickstart"))
	tf.Run(t, "validate", "-no-color")
	tf.Run(t, "apply", "-auto-approve", "-no-color")

	var cidrs map[string]netip.Prefix
	if err := json.Unmarshal([]byte(tf.Run(t, "output", "-json", "cidrs")), &cidrs); err != nil {
		t.Fatal(err)
	}
	var network netip.Prefix
	if err := json.Unmarshal([]byte(tf.Run(t, "output", "-json", "network")), &network); err != nil {
		t.Fatal(err)
	}
	if len(cidrs) != 6 {
		t.Errorf("six allocations, got %v", cidrs)
	}
	for name, size := range map[string]int{"app-a": 22, "app-b": 22, "data": 24, "edge": 27, "vpn-gateway": 32, "app-v6": 64} {
		if cidr := cidrs[name]; cidr.Bits() != size || cidr.Addr().Is4() && !network.Overlaps(cidr) {
			t.Errorf("%s is %s in the network %s", name, cidr, network)
		}
	}
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")

	// As the README promises: a subnet more moves no other.
	main, err := os.ReadFile(filepath.Join(tf.Dir, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	tf.Write(t, "main.tf", replaceOnce(t, string(main), "    data  = 24", "    cache = 25\n    data  = 24"))
	if out := tf.Run(t, "apply", "-auto-approve", "-no-color"); !said("Apply complete! Resources: 1 added, 1 changed, 0 destroyed.").MatchString(out) {
		t.Error(out)
	}
	tf.Write(t, "main.tf", replaceOnce(t, string(main), "data  = 24", "data  = 18"))
	if _, out, err := tf.Try("apply", "-auto-approve", "-no-color"); err == nil || !said("Member data: a /18 is too large for pool prod-euw1: its min_prefix_length is 20.").MatchString(out) {
		t.Errorf("a size that the pool does not hand out: %v\n%s", err, out)
	}
	// Terraform plans before it destroys, so the configuration must be one that can be planned.
	tf.Write(t, "main.tf", string(main))
	tf.Run(t, "destroy", "-auto-approve", "-no-color")
}

// The aws and google providers take minutes to build, so it is internal/downstream that plans these two. What can be checked
// without them is that they parse, and that every block and argument of ours exists.
func TestTheCloudExamplesUseOnlyWhatTheProviderHas(t *testing.T) {
	t.Parallel()
	arguments := schemas(t)
	for _, cloud := range []string{"aws", "gcp"} {
		files, err := filepath.Glob(filepath.Join(examples, cloud, "*.tf"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in examples/%s: %v", cloud, err)
		}
		found := 0
		for _, file := range files {
			for _, block := range parse(t, file) {
				if block.Type != "resource" && block.Type != "data" {
					continue
				}
				known, ours := arguments[block.Type+" "+block.Labels[0]]
				if !ours {
					continue
				}
				found++
				for name := range block.Body.Attributes {
					if !known[name] && name != "for_each" && name != "count" && name != "depends_on" {
						t.Errorf("%s: %s has no argument %s", file, block.Labels[0], name)
					}
				}
			}
		}
		if found < 2 {
			t.Errorf("examples/%s uses only %d blocks of the provider", cloud, found)
		}
	}
}

// The examples that the registry shows beside each resource are valid by themselves.
func TestTheRegistryExamplesAreValid(t *testing.T) {
	t.Parallel()
	required, err := os.ReadFile(filepath.Join(registryExamples, "provider", "provider.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range schemas(t) {
		kind, typ, _ := strings.Cut(name, " ")
		dir := filepath.Join(registryExamples, map[string]string{"resource": "resources", "data": "data-sources"}[kind], typ)
		tf := example(t, nil, dir)
		tf.Write(t, "provider.tf", string(required))
		tf.Run(t, "validate", "-no-color")
		if kind == "resource" {
			if _, err := os.Stat(filepath.Join(dir, "import.sh")); err != nil {
				t.Error(err)
			}
		}
	}
}

// So are those of the functions and of the guides, which the provider's pages show in full.
func TestTheExamplesOfFunctionsAndGuidesAreValid(t *testing.T) {
	t.Parallel()
	required, err := os.ReadFile(filepath.Join(registryExamples, "provider", "provider.tf"))
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(registryExamples, "guides", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no examples of guides: %v", err)
	}
	p := provider.New("test")().(interface {
		Functions(context.Context) []func() function.Function
	})
	for _, newFunction := range p.Functions(t.Context()) {
		var meta function.MetadataResponse
		newFunction().Metadata(t.Context(), function.MetadataRequest{}, &meta)
		dirs = append(dirs, filepath.Join(registryExamples, "functions", meta.Name))
	}
	for _, dir := range dirs {
		tf := example(t, nil, dir)
		if _, err := os.Stat(filepath.Join(dir, "provider.tf")); err != nil { // it has none of its own
			tf.Write(t, "provider.tf", string(required))
		}
		tf.Run(t, "validate", "-no-color")
	}
}

// example is a working folder with a copy of an example.
func example(t *testing.T, server *acctest.Server, dir string) *acctest.Terraform {
	t.Helper()
	tf := acctest.NewTerraform(t, server, "")
	if err := os.CopyFS(tf.Dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return tf
}

func parse(t *testing.T, file string) hclsyntax.Blocks {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, diags := hclsyntax.ParseConfig(source, file, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return parsed.Body.(*hclsyntax.Body).Blocks
}
