package ipam

import (
	"regexp"
	"strings"
)

// AWS is Amazon Web Services.
const AWS Cloud = "aws"

// TargetAWSSubnet is a subnet of a VPC.
const TargetAWSSubnet Target = "aws_subnet"

// AWS takes the first four addresses of a subnet and the last one.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
var awsFacts = CloudFacts{
	Cloud: AWS,
	Account: Form{
		regexp.MustCompile(`^[0-9]{12}$`),
		"an AWS account number: that is 12 digits, leading zeros included, as text",
	},
	Role: &RoleFacts{
		Pointer: "/role_arn",
		Form: Form{
			regexp.MustCompile(`^arn:aws(-[a-z]+)*:iam::([0-9]{12}):role/([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}$`),
			`the ARN of a role; one looks like "arn:aws:iam::123456789012:role/cloudpam"`,
		},
		Account: 2,
	},
	Targets: []SizeLimits{{TargetAWSSubnet, "an AWS subnet", 5, Lengths{16, 28, 1}, Lengths{44, 64, 4}}},
	Terraform: &TerraformFacts{
		Provider: "aws", Source: "hashicorp/aws", Version: ">= 5.0", Regional: true,
		Configure: func(account, region string) []Argument {
			return []Argument{{"region", region}, {"allowed_account_ids", []string{account}}}
		},
		Network: func(t Thing) (Resource, bool) {
			r := Resource{Type: "aws_vpc", ImportID: t.ID, Unseen: []string{
				"assign_generated_ipv6_cidr_block", "enable_dns_hostnames", "enable_dns_support", "enable_network_address_usage_metrics", "instance_tenancy",
				"ipv6_cidr_block", "ipv6_cidr_block_network_border_group", "ipv6_ipam_pool_id", "ipv6_netmask_length",
			}}
			if v4 := t.Family(4); len(v4) == 1 {
				r.Arguments = []Argument{{"cidr_block", v4[0]}}
			} else {
				r.Unseen = append(r.Unseen, "cidr_block") // nobody said which of them is the first, and the others are resources of their own
			}
			r.Arguments = append(r.Arguments, Argument{"tags", awsTags(t)})
			return r, true
		},
		Subnet: func(t Thing) (Resource, bool) {
			r := Resource{Type: "aws_subnet", ImportID: t.ID, Arguments: []Argument{{"vpc_id", NetworkRef(t.Network)}}, Unseen: []string{
				"assign_ipv6_address_on_creation", "customer_owned_ipv4_pool", "enable_dns64", "enable_lni_at_device_index", "enable_resource_name_dns_a_record_on_launch",
				"enable_resource_name_dns_aaaa_record_on_launch", "map_customer_owned_ip_on_launch", "map_public_ip_on_launch", "outpost_arn", "private_dns_hostname_type_on_launch",
			}}
			if v4 := t.Family(4); len(v4) > 0 {
				r.Arguments = append(r.Arguments, Argument{"cidr_block", v4[0]})
			} else {
				r.Arguments = append(r.Arguments, Argument{"ipv6_native", true})
			}
			if v6 := t.Family(6); len(v6) > 0 {
				r.Arguments = append(r.Arguments, Argument{"ipv6_cidr_block", v6[0]})
			}
			r.Arguments = append(r.Arguments, Argument{"availability_zone", t.Zone}, Argument{"tags", awsTags(t)})
			return r, true
		},
	},
}

// awsTags are the tags that a user may write: those of AWS itself are no provider's.
func awsTags(t Thing) map[string]string {
	tags := map[string]string{}
	for key, value := range t.Labels {
		if !strings.HasPrefix(key, "aws:") {
			tags[key] = value
		}
	}
	return tags
}
