data "cloudpam_allocation" "vpc" {
  pool = "prod"
  name = "vpc"
}

# { app-a = "10.0.0.0/24", app-b = "10.0.1.0/24", db = "10.0.2.0/26" } in 10.0.0.0/22
locals {
  subnets = provider::cloudpam::carve(data.cloudpam_allocation.vpc.cidr, {
    app-a = 24
    app-b = 24
    db    = 26
  })
}

output "database" {
  value = local.subnets["db"]
}
