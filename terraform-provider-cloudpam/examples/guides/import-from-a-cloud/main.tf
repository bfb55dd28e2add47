# What the account has in the pool's block, adopted by somebody or not.
data "cloudpam_observed_subnets" "payments" {
  account = "aws:123456789012"
  within  = "10.64.0.0/16"
}

import {
  for_each = data.cloudpam_observed_subnets.payments.blocks
  to       = cloudpam_allocation.subnet[each.key]
  id       = each.key
}

resource "cloudpam_allocation" "subnet" {
  for_each = data.cloudpam_observed_subnets.payments.blocks
  pool     = each.value.pool
  name     = each.value.name
  cidr     = each.value.cidr
  account  = each.value.account
  region   = each.value.region
}
