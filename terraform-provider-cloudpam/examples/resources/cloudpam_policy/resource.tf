resource "cloudpam_pool" "prod" {
  name = "prod"
  cidr = "10.0.0.0/16"
}

resource "cloudpam_policy" "prod" {
  pool              = cloudpam_pool.prod.id
  description       = "What every product team keeps to"
  min_prefix_length = 22
  max_prefix_length = 28
  owner_required    = true
  required_labels = {
    team        = ["payments", "search"]
    cost_center = [] # any
  }
  exclude_sets       = ["docker", "link_local"]
  expression         = "environment != 'prd' || prefix_length >= 24"
  expression_message = "production subnets are a /24 at most"
}
