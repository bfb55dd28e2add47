resource "cloudpam_pool" "payments" {
  name = "payments"
  cidr = "10.20.0.0/16"
}

# The jobs of one repository on GitHub allocate up to a /24 of it, with no secret anywhere: the server trusts the issuer.
resource "cloudpam_role_binding" "payments_ci" {
  issuer                = "https://token.actions.githubusercontent.com"
  subject               = "repo:acme/payments:ref:refs/heads/main"
  role                  = "operator"
  pool                  = cloudpam_pool.payments.id
  largest_prefix_length = 24
}
