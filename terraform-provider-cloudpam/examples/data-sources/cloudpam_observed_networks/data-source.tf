data "cloudpam_observed_networks" "payments" {
  account = "aws:123456789012"
}

# { "aws:vpc-0123" = ["10.64.0.0/16", "100.64.0.0/16"] }
output "vpcs" {
  value = { for id, vpc in data.cloudpam_observed_networks.payments.by_id : id => vpc.cidrs }
}

# What waits for a scope: tag it cloudpam:scope, or leave it out of the books.
data "cloudpam_observed_networks" "waiting" {
  unmapped = true
}
