data "cloudpam_observed_subnets" "unknown" {
  cloud   = "aws"
  region  = "eu-west-1"
  managed = false
}

# What nothing in CloudPAM has: ["aws:subnet-0123@10.64.1.0/24"]
output "unknown" {
  value = keys(data.cloudpam_observed_subnets.unknown.blocks)
}

# Where an address is used, whatever the account.
data "cloudpam_observed_subnets" "at" {
  contains = "10.64.1.17"
}
