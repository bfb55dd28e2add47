# Address space of a small company: one IPv4 and one IPv6 root, an environment below, a network below that.
# Only the roots name an address; CloudPAM chooses every other one.

resource "cloudpam_pool" "corp" {
  name        = "corp"
  cidr        = "10.0.0.0/8"
  description = "All private IPv4 space"
  owner       = "network-team"
}

resource "cloudpam_pool" "prod" {
  name          = "prod"
  parent        = cloudpam_pool.corp.id
  prefix_length = 12
  environment   = "prod"
}

resource "cloudpam_pool" "prod_euw1" {
  name                  = "prod-euw1"
  parent                = cloudpam_pool.prod.id
  prefix_length         = 16
  min_prefix_length     = 20 # nobody takes more than a /20 at once
  default_prefix_length = 24
  environment           = "prod"
  region                = "eu-west-1"
}

resource "cloudpam_pool" "corp_v6" {
  name        = "corp-v6"
  cidr        = "2001:db8::/32"
  description = "IPv6 space from the registry"
  owner       = "network-team"
}

resource "cloudpam_pool" "prod_v6" {
  name          = "prod-v6"
  parent        = cloudpam_pool.corp_v6.id
  prefix_length = 48
  environment   = "prod"
}

# A name and a size is all that a subnet needs. Adding one never moves the others, and they come all or not at all.
resource "cloudpam_allocation_set" "shop" {
  pool = cloudpam_pool.prod_euw1.id
  name = "shop"
  subnets = {
    app-a = 22
    app-b = 22
    data  = 24
    edge  = 27
  }
  labels = { managed-by = "terraform" }
}

resource "cloudpam_allocation" "app_v6" {
  pool          = cloudpam_pool.prod_v6.id
  name          = "app"
  prefix_length = 64
}

# A single address: a /32, or a /128 in IPv6.
resource "cloudpam_allocation" "vpn" {
  pool          = cloudpam_pool.prod_euw1.id
  name          = "vpn-gateway"
  prefix_length = 32
}

locals {
  cidrs = merge(
    cloudpam_allocation_set.shop.cidrs,
    { app-v6 = cloudpam_allocation.app_v6.cidr, vpn-gateway = cloudpam_allocation.vpn.cidr },
  )
}

# Stands for the cloud's subnets. Its keys are known while planning, so for_each works before the first apply;
# examples/aws and examples/gcp have the real ones.
resource "terraform_data" "subnet" {
  for_each = local.cidrs

  input = {
    name       = each.key
    cidr_block = each.value
  }
}
