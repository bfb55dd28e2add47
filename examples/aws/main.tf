# A VPC and its subnets, numbered by CloudPAM. The pool of the VPC is a block of the company's pool; the subnets are
# allocations of the VPC's pool, so no two ever overlap and none lies outside the VPC.

data "aws_caller_identity" "this" {}

data "cloudpam_pool" "parent" {
  id = var.parent_pool
}

resource "cloudpam_pool" "vpc" {
  name          = "shop-${var.region}"
  parent        = data.cloudpam_pool.parent.id
  prefix_length = 18
  account       = data.aws_caller_identity.this.account_id
  region        = var.region
}

resource "aws_vpc" "this" {
  cidr_block           = cloudpam_pool.vpc.cidr
  enable_dns_hostnames = true

  tags = {
    Name          = cloudpam_pool.vpc.name
    cloudpam-pool = cloudpam_pool.vpc.id
  }
}

locals {
  tiers = { private = 21, public = 24, data = 23 }

  # The key is the subnet's name for good: "private-a" keeps its CIDR whatever comes and goes around it.
  subnets = merge([
    for zone in var.availability_zones : {
      for tier, size in local.tiers : "${tier}-${zone}" => { tier = tier, zone = "${var.region}${zone}", size = size }
    }
  ]...)
}

# All subnets in one request, all or nothing. A size that AWS refuses, such as a /29, is refused while planning.
resource "cloudpam_allocation_set" "subnets" {
  pool    = cloudpam_pool.vpc.id
  name    = "subnets"
  subnets = { for name, subnet in local.subnets : name => subnet.size }
  target  = "aws_subnet"
  account = data.aws_caller_identity.this.account_id
  region  = var.region
}

resource "aws_subnet" "this" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value.zone
  cidr_block              = cloudpam_allocation_set.subnets.cidrs[each.key]
  map_public_ip_on_launch = each.value.tier == "public"

  tags = {
    Name                = each.key
    cloudpam-allocation = cloudpam_allocation_set.subnets.ids[each.key]
  }
}

output "subnets" {
  description = "Id and CIDR of every subnet by name."
  value       = { for name, subnet in aws_subnet.this : name => { id = subnet.id, cidr = subnet.cidr_block } }
}
