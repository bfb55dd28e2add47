# A network with one subnetwork a region, each with the secondary ranges that a GKE cluster needs. Nodes, pods and
# services come as one set, all or nothing: CloudPAM knows secondary ranges as what they are, address space in use.

resource "cloudpam_pool" "network" {
  name          = "gke"
  parent        = var.parent_pool
  prefix_length = 11
  account       = var.project
}

resource "google_compute_network" "this" {
  name                    = "gke"
  auto_create_subnetworks = false
}

# "gke" stands for the members nodes, pods and services, sized by what the cluster shall hold.
resource "cloudpam_allocation_set" "cluster" {
  for_each = var.regions

  pool    = cloudpam_pool.network.id
  name    = each.key
  gke     = { nodes = 250, max_pods_per_node = 110, services = 4096 }
  account = var.project
  region  = each.key
}

resource "google_compute_subnetwork" "this" {
  for_each = var.regions

  name                     = "gke-${each.key}"
  region                   = each.key
  network                  = google_compute_network.this.id
  ip_cidr_range            = cloudpam_allocation_set.cluster[each.key].cidrs["nodes"]
  private_ip_google_access = true

  dynamic "secondary_ip_range" {
    for_each = toset(["pods", "services"])

    content {
      range_name    = secondary_ip_range.key
      ip_cidr_range = cloudpam_allocation_set.cluster[each.key].cidrs[secondary_ip_range.key]
    }
  }
}

output "subnetworks" {
  description = "CIDRs of every region's subnetwork."
  value       = { for region, cluster in cloudpam_allocation_set.cluster : region => cluster.cidrs }
}
