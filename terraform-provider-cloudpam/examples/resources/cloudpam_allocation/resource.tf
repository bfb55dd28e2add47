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

# This very block, for what is there already.
resource "cloudpam_allocation" "legacy" {
  pool = cloudpam_pool.prod.id
  name = "legacy"
  cidr = "10.0.240.0/20"
}

output "app_cidr" {
  value = cloudpam_allocation.app.cidr
}
