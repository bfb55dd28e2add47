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

# In whichever pool with these labels has room. The plan says which, and the pool stays there.
resource "cloudpam_pool" "vpc" {
  name          = "vpc-shop"
  pool_selector = { labels = { tier = "prd" } }
  prefix_length = 20
  exclude       = ["10.0.0.0/20"]
  depends_on    = [cloudpam_pool.prod]
}
