resource "cloudpam_pool" "corp" {
  name = "corp"
  cidr = "10.0.0.0/8"
}

resource "cloudpam_pool" "vpc" {
  name          = "prod-euw1"
  parent        = cloudpam_pool.corp.id
  prefix_length = 16
}

resource "cloudpam_allocation" "app" {
  pool          = cloudpam_pool.vpc.id
  name          = "app"
  prefix_length = 22
}

# The keys of for_each are CIDRs that nothing has created yet, and the plan knows them.
resource "terraform_data" "subnet" {
  for_each = toset(cidrsubnets(cloudpam_allocation.app.cidr, 2, 2, 2))
  input    = each.key
}
