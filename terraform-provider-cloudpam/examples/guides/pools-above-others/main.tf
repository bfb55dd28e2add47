# Put above east and west, which stood before it.
resource "cloudpam_pool" "company" {
  name     = "company"
  cidr     = "172.16.0.0/12"
  encloses = true
}

resource "cloudpam_pool" "east" {
  name   = "east"
  parent = cloudpam_pool.company.id # new in this plan
  cidr   = "172.16.0.0/16"
}

resource "cloudpam_pool" "west" {
  name   = "west"
  parent = cloudpam_pool.company.id # new in this plan
  cidr   = "172.17.0.0/16"
}

# A block of what is between them, known in the same plan.
resource "cloudpam_pool" "north" {
  name          = "north"
  parent        = cloudpam_pool.company.id
  prefix_length = 16
}
