package ipam

import "regexp"

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
}
