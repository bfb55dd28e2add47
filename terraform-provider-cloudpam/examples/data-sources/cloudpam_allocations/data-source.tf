data "cloudpam_allocations" "payments" {
  pool  = "prod"
  owner = "payments"
}

# { app-a = "10.0.0.0/22", data = "10.0.4.0/24" }
output "cidrs" {
  value = { for name, subnet in data.cloudpam_allocations.payments.by_name : name => subnet.cidr }
}

# Everything inside a network, whatever its pool.
data "cloudpam_allocations" "office" {
  scope  = "default"
  within = "10.20.0.0/16"
}
