package ipam

import "regexp"

// Azure is Microsoft Azure: blocks are sized for it, and nobody looks into its subscriptions yet.
const Azure Cloud = "azure"

// TargetAzureSubnet is a subnet of a virtual network.
const TargetAzureSubnet Target = "azure_subnet"

// Azure takes the first four addresses of a subnet and the last one, and IPv6 subnets are always a /64.
// https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq
var azureFacts = CloudFacts{
	Cloud: Azure,
	Account: Form{
		regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
		`the id of an Azure subscription; one looks like "0b1f6471-1bf0-4dda-aec3-cb9272f09590", in lower case`,
	},
	Targets: []SizeLimits{{TargetAzureSubnet, "an Azure subnet", 5, Lengths{2, 29, 1}, Lengths{64, 64, 1}}},
}
