data "cloudpam_accounts" "prod" {
  cloud  = "aws"
  labels = { stage = "prod" }
}

# A network for each account.
resource "cloudpam_allocation" "vpc" {
  for_each      = data.cloudpam_accounts.prod.by_id
  pool          = "prod-euw1"
  name          = each.value.name
  prefix_length = 20
  account       = each.key
}
