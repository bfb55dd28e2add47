variable "regions" {
  description = "A cluster in each: region to the most nodes that it will have."
  type        = map(number)
  default     = { europe-west1 = 100 } # add europe-west4 = 20 here
}

# Each region's nodes, pods and services come from one pool, all or nothing.
resource "cloudpam_allocation_set" "gke" {
  for_each      = var.regions
  pool_selector = { labels = { cloud = "gcp", tier = "prd" } }
  name          = "gke-${each.key}"
  region        = each.key

  gke = {
    nodes             = each.value
    max_pods_per_node = 64   # a /25 of the pods' range for each node
    services          = 2048 # a /21
  }

  # What else the subnetwork needs stands beside the cluster.
  target  = "gcp_subnetwork"
  subnets = { psc = 26 }
}

output "ranges" {
  value = { for region, set in cloudpam_allocation_set.gke : region => set.cidrs }
}
