data "cloudpam_pool" "corp" {
  id = "corp"
}

output "corp_cidr" {
  value = data.cloudpam_pool.corp.cidr
}
