resource "cloudpam_scope" "partner" {
  name        = "partner"
  description = "Networks of our partners"
}

# The same CIDR as in the scope "default", without a conflict.
resource "cloudpam_pool" "partner" {
  scope = cloudpam_scope.partner.name
  name  = "corp"
  cidr  = "10.0.0.0/8"
}
