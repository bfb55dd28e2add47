locals {
  zones = ["eu-west-1a", "eu-west-1b"] # add "eu-west-1c" here

  subnets = merge([
    for zone in local.zones : {
      "app-${zone}"  = { zone = zone, size = 22 }
      "data-${zone}" = { zone = zone, size = 24 }
    }
  ]...)
}

data "cloudpam_pool" "vpc" {
  id = "prod-euw1"
}

resource "cloudpam_allocation" "subnet" {
  for_each      = local.subnets
  pool          = data.cloudpam_pool.vpc.id
  name          = each.key
  prefix_length = each.value.size
  labels        = { zone = each.value.zone }
}

output "cidrs" {
  value = { for name, subnet in cloudpam_allocation.subnet : name => subnet.cidr }
}
