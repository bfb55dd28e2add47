variable "existing" {
  description = "What is allocated already in the pool prod-euw1: name to CIDR."
  type        = map(string)
  default = {
    app-a = "10.16.0.0/22"
    data  = "10.16.4.0/24"
  }
}

import {
  to = cloudpam_pool.prod
  id = "prod-euw1"
}

import {
  for_each = var.existing
  to       = cloudpam_allocation.existing[each.key]
  id       = "prod-euw1/${each.key}"
}

resource "cloudpam_pool" "prod" {
  name = "prod-euw1"
  cidr = "10.16.0.0/16"
}

resource "cloudpam_allocation" "existing" {
  for_each = var.existing
  pool     = cloudpam_pool.prod.id
  name     = each.key
  cidr     = each.value
}
