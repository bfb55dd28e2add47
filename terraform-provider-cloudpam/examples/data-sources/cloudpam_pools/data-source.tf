data "cloudpam_pools" "prod" {
  parent = "corp"
  labels = { tier = "prod" }
}

# A subnet in each of them.
resource "cloudpam_allocation" "monitoring" {
  for_each      = data.cloudpam_pools.prod.by_name
  pool          = each.value.id
  name          = "monitoring"
  prefix_length = 28
}
