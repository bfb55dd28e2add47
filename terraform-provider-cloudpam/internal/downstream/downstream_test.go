//go:build downstream

// Package downstream plans with the real AWS and Google providers. They take minutes to build, so its tests stand apart, under
// a build tag: make test/downstream.
package downstream

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

func TestMain(m *testing.M) { acctest.Main(m) }

// Every CIDR of a cloud's resource is known in the plan and is the one that we promise, and stays so once what is ours is
// applied. The files are those that people copy, not a word changed.
func TestTheCloudsPlanWithTheCIDRsThatWePromise(t *testing.T) {
	examples := filepath.Join(acctest.Root(), "examples")
	guide := filepath.Join(acctest.Root(), "terraform-provider-cloudpam", "examples", "guides", "gke-cluster")
	for name, c := range map[string]struct {
		cloud string
		dirs  []string
		main  string
		pairs string // every CIDR of the cloud's resources, and what it must be
		many  int
	}{
		"examples/aws": {
			cloud: "aws",
			dirs:  []string{filepath.Join(examples, "aws")},
			pairs: `concat([[aws_vpc.this.cidr_block, cloudpam_pool.vpc.cidr]],
			  [for key, subnet in aws_subnet.this : [subnet.cidr_block, cloudpam_allocation_set.subnets.cidrs[key]]])`,
			many: 7,
		},
		"README.md": {
			cloud: "aws",
			main:  readme(t),
			pairs: `concat([[aws_vpc.this.cidr_block, cloudpam_pool.vpc.cidr]],
			  [for key, subnet in aws_subnet.this : [subnet.cidr_block, cloudpam_allocation_set.subnets.cidrs[key]]])`,
			many: 5,
		},
		// A CIDR that is cut further, and the pieces as keys, in the plan that allocates it.
		"a second block of a VPC": {
			cloud: "aws",
			main: `
				resource "cloudpam_allocation" "block" {
				  for_each      = { first = 18, second = 20 }
				  pool          = "corp"
				  name          = each.key
				  prefix_length = each.value
				}

				resource "aws_vpc" "this" {
				  cidr_block = cloudpam_allocation.block["first"].cidr
				}

				resource "aws_vpc_ipv4_cidr_block_association" "second" {
				  vpc_id     = aws_vpc.this.id
				  cidr_block = cloudpam_allocation.block["second"].cidr
				}

				resource "aws_subnet" "this" {
				  for_each   = toset(cidrsubnets(cloudpam_allocation.block["second"].cidr, 2, 4))
				  vpc_id     = aws_vpc_ipv4_cidr_block_association.second.vpc_id
				  cidr_block = each.key
				}`,
			pairs: `concat([
			    [aws_vpc.this.cidr_block, cloudpam_allocation.block["first"].cidr],
			    [aws_vpc_ipv4_cidr_block_association.second.cidr_block, cloudpam_allocation.block["second"].cidr],
			  ], [for cidr in cidrsubnets(cloudpam_allocation.block["second"].cidr, 2, 4) : [aws_subnet.this[cidr].cidr_block, cidr]])`,
			many: 4,
		},
		"examples/gcp": {
			cloud: "google",
			dirs:  []string{filepath.Join(examples, "gcp")},
			pairs: `flatten([for region, cluster in cloudpam_allocation_set.cluster : concat(
			    [{ pair = [google_compute_subnetwork.this[region].ip_cidr_range, cluster.cidrs["nodes"]] }],
			    [for range in google_compute_subnetwork.this[region].secondary_ip_range : { pair = [range.ip_cidr_range, cluster.cidrs[range.range_name]] }],
			  )])[*].pair`,
			many: 6,
		},
		"guides/gke-cluster": {
			cloud: "google",
			dirs:  []string{guide, filepath.Join(guide, "google")},
			main: `
				resource "google_compute_network" "prod" {
				  name                    = "prod"
				  auto_create_subnetworks = false
				}`,
			pairs: `flatten([for region, set in cloudpam_allocation_set.gke : concat(
			    [{ pair = [google_compute_subnetwork.gke[region].ip_cidr_range, set.cidrs["nodes"]] }],
			    [for range in google_compute_subnetwork.gke[region].secondary_ip_range : { pair = [range.ip_cidr_range, set.cidrs[range.range_name]] }],
			  )])[*].pair`,
			many: 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tf := acctest.NewTerraform(t, serverWithPools(t), c.main)
			for i, dir := range c.dirs {
				copyFiles(t, tf, dir, fmt.Sprintf("%d-", i))
			}
			tf.Write(t, "pairs.tf", "output \"pairs\" {\n  value = "+c.pairs+"\n}\n")
			offline(t, tf, c.cloud)

			before := plan(t, tf)
			if len(before.pairs) != c.many {
				t.Fatalf("want %d CIDRs, got %v", c.many, before.pairs)
			}
			var compared []string
			for _, pair := range before.pairs {
				if pair[0] == "" || pair[0] != pair[1] {
					t.Errorf("planned %q for what is to be %q", pair[0], pair[1])
				}
				compared = append(compared, pair[0])
			}
			if slices.Sort(compared); !slices.Equal(compared, before.clouds) {
				t.Errorf("compared %v, but the cloud plans %v", compared, before.clouds)
			}

			// A saved plan of what is ours makes these very CIDRs, and the cloud goes on planning them.
			plan(t, tf, before.targets...)
			tf.Run(t, "apply", "-no-color", "p.tfplan")
			after := plan(t, tf)
			if fmt.Sprint(after.pairs) != fmt.Sprint(before.pairs) {
				t.Errorf("planned %v, and after the apply %v", before.pairs, after.pairs)
			}
			if len(after.targets) != 0 {
				t.Errorf("after the apply there is something to do for %v", after.targets)
			}
		})
	}
}

// Google extends a subnetwork over what an allocation gains, and makes another one for the other block that a member of a set
// gets. The subnetwork of the plan stands in the state as Google would have made it.
func TestASubnetworkIsExtendedWithItsAllocation(t *testing.T) {
	for name, c := range map[string]struct {
		ours, cidr string
		actions    []string
		becomes    string
	}{
		"an allocation": {`resource "cloudpam_allocation" "nodes" {
			  pool          = "corp"
			  name          = "nodes"
			  prefix_length = var.length
			}`, "cloudpam_allocation.nodes.cidr", []string{"update"}, "10.0.0.0/24"},
		"a member of a set": {`resource "cloudpam_allocation_set" "nodes" {
			  pool    = "corp"
			  name    = "nodes"
			  subnets = { nodes = var.length }
			}`, `cloudpam_allocation_set.nodes.cidrs["nodes"]`, []string{"delete", "create"}, "10.0.1.0/24"},
	} {
		t.Run(name, func(t *testing.T) {
			tf := acctest.NewTerraform(t, serverWithPools(t), c.ours+`
				variable "length" {}

				resource "google_compute_subnetwork" "this" {
				  name          = "nodes"
				  region        = "europe-west1"
				  network       = "projects/shop/global/networks/prod"
				  project       = "shop"
				  ip_cidr_range = `+c.cidr+`
				}`)
			offline(t, tf, "google")
			tf.Setenv("TF_VAR_length", "25")
			ours, _, _ := strings.Cut(c.cidr, ".nodes")
			tf.Run(t, "apply", "-no-color", "-auto-approve", "-target="+ours+".nodes")

			var state map[string]any
			if err := json.Unmarshal([]byte(tf.Run(t, "state", "pull")), &state); err != nil {
				t.Fatal(err)
			}
			state["serial"] = state["serial"].(float64) + 1
			state["resources"] = append(state["resources"].([]any), map[string]any{
				"mode": "managed", "type": "google_compute_subnetwork", "name": "this", "provider": `provider["registry.terraform.io/hashicorp/google"]`,
				"instances": []any{map[string]any{"schema_version": 0, "attributes": map[string]any{
					"id": "projects/shop/regions/europe-west1/subnetworks/nodes", "name": "nodes", "region": "europe-west1", "project": "shop",
					"network": "https://www.googleapis.com/compute/v1/projects/shop/global/networks/prod", "ip_cidr_range": "10.0.0.0/25", "secondary_ip_range": []any{},
				}}},
			})
			content, err := json.Marshal(state)
			if err != nil {
				t.Fatal(err)
			}
			tf.Write(t, "made.tfstate", string(content))
			tf.Run(t, "state", "push", "made.tfstate")
			tf.Run(t, "plan", "-no-color", "-refresh=false", "-detailed-exitcode")

			tf.Setenv("TF_VAR_length", "24")
			grown := plan(t, tf, "-refresh=false")
			if got := grown.actions["google_compute_subnetwork.this"]; !slices.Equal(got, c.actions) {
				t.Errorf("Google plans to %v the subnetwork, want %v", got, c.actions)
			}
			if !slices.Equal(grown.clouds, []string{c.becomes}) {
				t.Errorf("the subnetwork becomes %v, want %s", grown.clouds, c.becomes)
			}
		})
	}
}

// serverWithPools is a server with the pools that the examples take blocks of.
func serverWithPools(t *testing.T) *acctest.Server {
	t.Helper()
	server := acctest.Start(t)
	for _, pool := range []cloudpam.NewPool{
		{Name: "corp", CIDR: new("10.0.0.0/8")},
		{Name: "clusters", CIDR: new("172.16.0.0/12"), Labels: &cloudpam.Labels{"cloud": "gcp", "tier": "prd"}},
	} {
		if _, err := server.Client.CreatePool(t.Context(), pool); err != nil {
			t.Fatal(err)
		}
	}
	return server
}

// forecast is what a plan says.
type forecast struct {
	pairs   [][2]string // the output of that name
	clouds  []string    // every CIDR in a resource that is not ours, sorted; one that is not known yet is missing
	targets []string    // -target=… for each resource of ours that changes
	actions map[string][]string
}

// plan plans into p.tfplan.
func plan(t *testing.T, tf *acctest.Terraform, args ...string) forecast {
	t.Helper()
	tf.Run(t, append([]string{"plan", "-no-color", "-out=p.tfplan"}, args...)...)
	var show struct {
		PlannedValues struct {
			Outputs struct {
				Pairs struct{ Value [][2]string }
			}
			RootModule struct {
				Resources []struct {
					ProviderName string `json:"provider_name"`
					Values       any
				}
			} `json:"root_module"`
		} `json:"planned_values"`
		ResourceChanges []struct {
			Address, Mode, Type string
			Change              struct{ Actions []string }
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(tf.Run(t, "show", "-json", "p.tfplan")), &show); err != nil {
		t.Fatal(err)
	}
	p := forecast{pairs: show.PlannedValues.Outputs.Pairs.Value, actions: map[string][]string{}}
	for _, resource := range show.PlannedValues.RootModule.Resources {
		if !strings.HasSuffix(resource.ProviderName, "/cloudpam") {
			p.clouds = append(p.clouds, cidrsIn(resource.Values)...)
		}
	}
	slices.Sort(p.clouds)
	for _, r := range show.ResourceChanges {
		p.actions[r.Address] = r.Change.Actions
		if r.Mode == "managed" && strings.HasPrefix(r.Type, "cloudpam_") && !slices.Equal(r.Change.Actions, []string{"no-op"}) {
			p.targets = append(p.targets, "-target="+r.Address)
		}
	}
	return p
}

// cidrsIn finds what AWS and Google call a block's CIDR, however deep.
func cidrsIn(values any) (found []string) {
	switch values := values.(type) {
	case []any:
		for _, value := range values {
			found = append(found, cidrsIn(value)...)
		}
	case map[string]any:
		for name, value := range values {
			if cidr, is := value.(string); is && (name == "cidr_block" || name == "ip_cidr_range") {
				found = append(found, cidr)
			}
			found = append(found, cidrsIn(value)...)
		}
	}
	return found
}

// offline gives the working folder a cloud's provider, and it what it needs to plan without the cloud: made-up credentials,
// and the one answer that examples/aws asks for. Whatever else it asks for ends in a proxy that fails the test.
func offline(t *testing.T, tf *acctest.Terraform, cloud string) {
	t.Helper()
	tf.Override(t, "hashicorp/"+cloud, filepath.Join(acctest.Root(), "bin", "downstream", cloud))
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Google's provider asks who it is, for its log, and plans whatever comes back.
		if r.Host != "openidconnect.googleapis.com:443" {
			t.Errorf("a provider wants to %s %s", r.Method, r.Host)
		}
		http.Error(w, "there is no cloud here", http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if action := r.FormValue("Action"); action != "GetCallerIdentity" {
			t.Errorf("AWS is asked for %s", action)
		}
		fmt.Fprint(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
	}))
	t.Cleanup(sts.Close)
	for name, value := range map[string]string{
		"HTTP_PROXY": proxy.URL, "HTTPS_PROXY": proxy.URL, "NO_PROXY": "", // loopback goes round a proxy anyhow
		"http_proxy": proxy.URL, "https_proxy": proxy.URL, "no_proxy": "",
		"AWS_DEFAULT_REGION": "eu-west-1", "TF_VAR_project": "shop",
	} {
		tf.Setenv(name, value)
	}
	tf.Write(t, "offline_override.tf", map[string]string{
		"aws": fmt.Sprintf(`
			provider "aws" {
			  access_key                  = "none"
			  secret_key                  = "none"
			  skip_credentials_validation = true
			  skip_get_ec2_platforms      = true
			  skip_metadata_api_check     = true
			  skip_requesting_account_id  = true

			  endpoints {
			    sts = %q
			  }
			}`, sts.URL),
		"google": `
			provider "google" {
			  access_token = "none"
			}`,
	}[cloud])
}

// readme is the configuration that the README shows.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(acctest.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```hcl\n")
	config, _, closed := strings.Cut(rest, "```")
	if !closed {
		t.Fatal("the README shows no configuration")
	}
	return config
}

// copyFiles copies the files of a folder, not those of its folders.
func copyFiles(t *testing.T, tf *acctest.Terraform, dir, prefix string) {
	t.Helper()
	files, err := fs.Glob(os.DirFS(dir), "*.tf")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		tf.Write(t, prefix+file, string(content))
	}
}
