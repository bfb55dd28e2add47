//go:build downstream

// Package downstream plans with the real AWS and Google providers. They take minutes to build, so its tests stand apart, under
// a build tag: make test/downstream.
package downstream

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
			offline(t, tf, c.cloud)

			pairs := "output \"pairs\" {\n  value = " + c.pairs + "\n}\n"
			tf.Write(t, "pairs.tf", pairs)
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
			tf.Write(t, "pairs.tf", "")
			plan(t, tf, before.targets...)
			tf.Run(t, "apply", "-no-color", "p.tfplan")
			tf.Write(t, "pairs.tf", pairs)
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
// gets; AWS always makes another subnet. What the cloud would have made stands in the state.
func TestWhatACloudMakesOfABlockThatGrows(t *testing.T) {
	type made struct {
		cloud, kind, config string
		version             int // of the resource's schema
		attributes          map[string]any
	}
	subnetwork := made{
		cloud: "google", kind: "google_compute_subnetwork",
		config: `
			name          = "net"
			region        = "europe-west1"
			network       = "projects/shop/global/networks/prod"
			project       = "shop"
			ip_cidr_range = `,
		attributes: map[string]any{
			"id": "projects/shop/regions/europe-west1/subnetworks/net", "name": "net", "region": "europe-west1", "project": "shop",
			"network": "projects/shop/global/networks/prod", "ip_cidr_range": "10.0.0.0/25", "secondary_ip_range": []any{},
		},
	}
	subnet := made{
		cloud: "aws", kind: "aws_subnet", version: 1,
		config: `
			vpc_id     = "vpc-1"
			cidr_block = `,
		attributes: map[string]any{
			"id": "subnet-1", "vpc_id": "vpc-1", "cidr_block": "10.0.0.0/25", "ipv6_cidr_block": "",
			"assign_ipv6_address_on_creation": false, "map_public_ip_on_launch": false,
		},
	}
	const allocation, member = "cloudpam_allocation.net.cidr", `cloudpam_allocation_set.net.cidrs["net"]`
	for name, c := range map[string]struct {
		made
		cidr    string
		actions []string
		becomes string
	}{
		"Google, an allocation":     {subnetwork, allocation, []string{"update"}, "10.0.0.0/24"},
		"Google, a member of a set": {subnetwork, member, []string{"delete", "create"}, "10.0.1.0/24"},
		"AWS, an allocation":        {subnet, allocation, []string{"delete", "create"}, "10.0.0.0/24"},
	} {
		t.Run(name, func(t *testing.T) {
			ours := map[string]string{
				allocation: "resource \"cloudpam_allocation\" \"net\" {\n  pool = \"corp\"\n  name = \"net\"\n  prefix_length = var.length\n}\n",
				member:     "resource \"cloudpam_allocation_set\" \"net\" {\n  pool = \"corp\"\n  name = \"net\"\n  subnets = { net = var.length }\n}\n",
			}[c.cidr]
			tf := acctest.NewTerraform(t, serverWithPools(t), "variable \"length\" {}\n"+ours)
			offline(t, tf, c.cloud)
			tf.Setenv("TF_VAR_length", "25")
			tf.Run(t, "apply", "-no-color", "-auto-approve")

			tf.Write(t, "cloud.tf", fmt.Sprintf("resource %q \"net\" {\n%s%s\n}\n", c.kind, c.config, c.cidr))
			addToState(t, tf, c.cloud, map[string]any{
				"mode": "managed", "type": c.kind, "name": "net",
				"instances": []any{map[string]any{"schema_version": c.version, "attributes": c.attributes}},
			})
			tf.Run(t, "plan", "-no-color", "-refresh=false", "-detailed-exitcode")

			tf.Setenv("TF_VAR_length", "24")
			grown := plan(t, tf, "-refresh=false")
			if got := grown.actions[c.kind+".net"]; !slices.Equal(got, c.actions) {
				t.Errorf("planned to %v, want %v", got, c.actions)
			}
			if !slices.Equal(grown.clouds, []string{c.becomes}) {
				t.Errorf("it becomes %v, want %s", grown.clouds, c.becomes)
			}
		})
	}
}

// readme is the configuration that the README shows, and what AWS makes of it, in the pool corp that is there already.
func readme(t *testing.T) string {
	t.Helper()
	shown := acctest.Readme(t, "hcl")
	if len(shown) != 2 {
		t.Fatalf("the README shows %d configurations", len(shown))
	}
	_, ours, _ := strings.Cut(shown[0], "resource \"cloudpam_pool\" \"vpc\"")
	return "resource \"cloudpam_pool\" \"vpc\"" + strings.Replace(ours, "cloudpam_pool.corp.id", `"corp"`, 1) + shown[1]
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
