resource "google_compute_subnetwork" "nodes" {
  project       = "my-project"
  region        = "europe-west1"
  name          = "nodes"
  network       = "projects/host-project/global/networks/shared"
  ip_cidr_range = cloudpam_allocation.nodes.cidr
  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = cloudpam_allocation.nodes_pods.cidr
  }
  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = "10.3.0.0/20"
  }

  lifecycle {
    # CloudPAM does not look at these, so that no plan of this file changes them. Take out what you have written down.
    ignore_changes = [
      description,
      ipv6_access_type,
      log_config,
      private_ip_google_access,
      private_ipv6_google_access,
      purpose,
      role,
      stack_type,
    ]
  }
}
