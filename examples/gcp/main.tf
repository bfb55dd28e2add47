# A network with one subnetwork a region, each with the secondary ranges that a GKE cluster needs. Nodes, pods and
# services are three allocations of one pool: CloudPAM knows secondary ranges as what they are, address space in use.

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

locals {
  ranges = { nodes = 22, pods = 16, services = 20 }

  # "europe-west1/pods" => { region = "europe-west1", range = "pods", size = 16 }
  allocations = merge([
    for region in var.regions : {
      for range, size in local.ranges : "${region}/${range}" => { region = region, range = range, size = size }
    }
  ]...)
}

resource "cloudpam_allocation" "range" {
  for_each = local.allocations

  pool          = cloudpam_pool.network.id
  name          = each.key
  prefix_length = each.value.size
  purpose       = each.value.range
  account       = var.project
  region        = each.value.region
}

resource "google_compute_subnetwork" "this" {
  for_each = var.regions

  name                     = "gke-${each.key}"
  region                   = each.key
  network                  = google_compute_network.this.id
  ip_cidr_range            = cloudpam_allocation.range["${each.key}/nodes"].cidr
  private_ip_google_access = true

  dynamic "secondary_ip_range" {
    for_each = toset(["pods", "services"])

    content {
      range_name    = secondary_ip_range.key
      ip_cidr_range = cloudpam_allocation.range["${each.key}/${secondary_ip_range.key}"].cidr
    }
  }
}

output "subnetworks" {
  description = "CIDRs of every region's subnetwork."
  value = {
    for region in var.regions : region => {
      for range in keys(local.ranges) : range => cloudpam_allocation.range["${region}/${range}"].cidr
    }
  }
}
