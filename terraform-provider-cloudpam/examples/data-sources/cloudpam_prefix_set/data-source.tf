# All that payments has, as few CIDRs.
data "cloudpam_prefix_set" "payments" {
  labels     = { team = "payments" }
  ip_version = 4
}

# For the entries of an aws_ec2_managed_prefix_list, the ranges of a google_compute_firewall, …
output "payments" {
  value = data.cloudpam_prefix_set.payments.cidrs
}
