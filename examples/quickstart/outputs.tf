output "cidrs" {
  description = "CIDR of every subnet by name."
  value       = local.cidrs
}

output "network" {
  description = "CIDR of the network that the IPv4 subnets lie in."
  value       = cloudpam_pool.prod_euw1.cidr
}
