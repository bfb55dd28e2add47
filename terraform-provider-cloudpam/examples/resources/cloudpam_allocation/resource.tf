resource "cloudpam_pool" "prod" {
  name                  = "prod"
  cidr                  = "10.0.0.0/16"
  default_prefix_length = 24
}

# CloudPAM chooses a free /22.
resource "cloudpam_allocation" "app" {
  pool          = cloudpam_pool.prod.id
  name          = "app-a"
  prefix_length = 22
  owner         = "payments"
}

# The pool's default size.
resource "cloudpam_allocation" "data" {
  pool = cloudpam_pool.prod.id
  name = "data"
}

# By the hosts that need an address: a /23, since AWS keeps five of a subnet.
resource "cloudpam_allocation" "batch" {
  pool   = cloudpam_pool.prod.id
  name   = "batch"
  hosts  = 300
  target = "aws_subnet"
}

# Of whichever pool with these labels has room. The plan says which, and the allocation stays there.
resource "cloudpam_allocation" "anywhere" {
  pool_selector = { labels = { tier = "prd", region = "eu-west-1" } }
  name          = "anywhere"
  prefix_length = 24
}

# Not where the office is, and with room to grow.
resource "cloudpam_allocation" "lab" {
  pool          = cloudpam_pool.prod.id
  name          = "lab"
  prefix_length = 24
  strategy      = "sparse"
  exclude       = ["10.0.16.0/20"]
}

# This very block, for what is there already.
resource "cloudpam_allocation" "legacy" {
  pool = cloudpam_pool.prod.id
  name = "legacy"
  cidr = "10.0.240.0/20"
}

output "app_cidr" {
  value = cloudpam_allocation.app.cidr
}
