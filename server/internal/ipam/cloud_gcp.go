package ipam

import (
	"regexp"
	"strings"
)

// GCP is Google Cloud.
const GCP Cloud = "gcp"

// TargetGCPSubnetwork is a subnetwork: its primary range, or a secondary one.
const TargetGCPSubnetwork Target = "gcp_subnetwork"

// GCP takes the first two addresses and the last two of a primary range and none of a secondary one; the largest range that it
// takes is all of 240.0.0.0/4. https://cloud.google.com/vpc/docs/subnets
var gcpFacts = CloudFacts{
	Cloud: GCP,
	Account: Form{
		regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`),
		`a GCP project id: that is 6 to 30 lower-case letters, digits and hyphens, starting with a letter, with its domain where it has one: "example.com:my-project". The project's number and its display name are not its id`,
	},
	Role: &RoleFacts{
		Pointer: "/workload_identity",
		Form: Form{
			regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?@([a-z0-9-]+\.)+gserviceaccount\.com$`),
			`a service account; one looks like "cloudpam@my-project.iam.gserviceaccount.com"`,
		},
	},
	Targets: []SizeLimits{{TargetGCPSubnetwork, "a GCP subnetwork", 4, Lengths{4, 29, 1}, Lengths{64, 64, 1}}},
	Terraform: &TerraformFacts{
		Provider: "google", Source: "hashicorp/google", Version: ">= 4.0",
		Configure: func(project, _ string) []Argument { return []Argument{{"project", project}} },
		Network:   func(Thing) (Resource, bool) { return Resource{}, false }, // a network has no blocks there
		Subnet: func(t Thing) (Resource, bool) {
			parts, network := strings.Split(t.ID, "/"), strings.Split(t.Network, "/")
			v4 := t.Family(4)
			if len(parts) != 3 || len(network) != 2 || len(v4) != 1 {
				return Resource{}, false
			}
			r := Resource{
				Type: "google_compute_subnetwork", ImportID: "projects/" + parts[0] + "/regions/" + parts[1] + "/subnetworks/" + parts[2],
				Arguments: []Argument{
					{"project", parts[0]}, {"region", parts[1]}, {"name", parts[2]}, {"network", "projects/" + network[0] + "/global/networks/" + network[1]}, {"ip_cidr_range", v4[0]},
				},
				Unseen: []string{"description", "ipv6_access_type", "log_config", "private_ip_google_access", "private_ipv6_google_access", "purpose", "role", "stack_type"},
			}
			for _, s := range t.Secondary {
				r.Blocks = append(r.Blocks, Nested{"secondary_ip_range", []Argument{{"range_name", s.Name}, {"ip_cidr_range", s.CIDR}}})
			}
			return r, true
		},
	},
}
