resource "cloudpam_pool" "prod" {
  name = "prod"
  cidr = "10.0.0.0/16"
}

# One map for all subnets of a network. Add a zone, and only the new zone is planned.
resource "cloudpam_allocation_set" "shop" {
  pool = cloudpam_pool.prod.id
  name = "shop"
  subnets = {
    app-a = 22
    app-b = 22
    db-a  = 26
    db-b  = 26
  }
  fixed = { dns = "10.0.255.0/28" } # that very block
}

# By the hosts that need an address: /23 for 300, since AWS takes five of a subnet for itself.
resource "cloudpam_allocation_set" "batch" {
  pool   = cloudpam_pool.prod.id
  name   = "batch"
  target = "aws_subnet"
  hosts  = { workers = 300, queue = 20 }

  renamed = { workers = "jobs" } # the key was jobs once; its block is the same
}

# What a GKE cluster needs: nodes, pods and services, all or nothing.
resource "cloudpam_allocation_set" "cluster" {
  pool = cloudpam_pool.prod.id
  name = "gke"
  gke  = { nodes = 50, max_pods_per_node = 64 }
}

output "cidrs" {
  value = cloudpam_allocation_set.shop.cidrs
}
