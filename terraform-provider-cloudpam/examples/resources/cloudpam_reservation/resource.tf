resource "cloudpam_pool" "corp" {
  name = "corp"
  cidr = "10.0.0.0/8"
}

# A named block, until a day.
resource "cloudpam_reservation" "merger" {
  pool       = cloudpam_pool.corp.id
  cidr       = "10.64.0.0/12"
  reason     = "kept for the merger"
  owner      = "network-team"
  expires_at = "2099-06-30T00:00:00Z"
}

# Any free block of that size, until it is released. By its name the plan knows which.
resource "cloudpam_reservation" "legacy" {
  pool          = cloudpam_pool.corp.id
  name          = "legacy"
  prefix_length = 16
  reason        = "the old data centre routes it until it is shut down"
}
