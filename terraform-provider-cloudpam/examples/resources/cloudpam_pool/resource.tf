# A root pool brings its own address space.
resource "cloudpam_pool" "corp" {
  name = "corp"
  cidr = "10.0.0.0/8"
}

# A child pool is a block of its parent, chosen by CloudPAM.
resource "cloudpam_pool" "prod" {
  name                  = "prod-euw1"
  parent                = cloudpam_pool.corp.id
  prefix_length         = 16
  min_prefix_length     = 20
  default_prefix_length = 24
  region                = "eu-west-1"
  owner                 = "network-team"
  labels                = { tier = "prd" }
}
