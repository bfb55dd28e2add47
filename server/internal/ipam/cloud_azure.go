package ipam

// Azure is Microsoft Azure: blocks are sized for it; its subscriptions are no accounts yet.
const Azure Cloud = "azure"

// TargetAzureSubnet is a subnet of a virtual network.
const TargetAzureSubnet Target = "azure_subnet"

// Azure takes the first four addresses of a subnet and the last one, and IPv6 subnets are always a /64.
// https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq
var azureFacts = CloudFacts{
	Cloud:   Azure,
	Targets: []SizeLimits{{TargetAzureSubnet, "an Azure subnet", 5, Lengths{2, 29, 1}, Lengths{64, 64, 1}}},
}
