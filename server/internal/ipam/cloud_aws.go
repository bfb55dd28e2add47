package ipam

import "regexp"

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
}
