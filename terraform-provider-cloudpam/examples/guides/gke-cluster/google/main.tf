resource "google_compute_subnetwork" "gke" {
  for_each = var.regions

  name          = "gke-${each.key}"
  region        = each.key
  network       = google_compute_network.prod.id
  ip_cidr_range = cloudpam_allocation_set.gke[each.key].cidrs["nodes"]

  dynamic "secondary_ip_range" {
    for_each = toset(["pods", "services"])

    content {
      range_name    = secondary_ip_range.key
      ip_cidr_range = cloudpam_allocation_set.gke[each.key].cidrs[secondary_ip_range.key]
    }
  }
}

resource "google_container_cluster" "gke" {
  for_each = var.regions

  name                      = "prod-${each.key}"
  location                  = each.key
  network                   = google_compute_network.prod.id
  subnetwork                = google_compute_subnetwork.gke[each.key].id
  networking_mode           = "VPC_NATIVE"
  default_max_pods_per_node = 64 # as in the set: it says how large the pods' range must be
  initial_node_count        = 1

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }
}
