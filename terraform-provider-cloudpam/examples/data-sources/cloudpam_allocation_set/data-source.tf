data "cloudpam_allocation_set" "shop" {
  pool = "prod"
  name = "shop"
}

output "app_a" {
  value = data.cloudpam_allocation_set.shop.cidrs["app-a"]
}
