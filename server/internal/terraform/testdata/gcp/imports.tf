# Once applied, these blocks have done their work: remove this file.

import {
  to = cloudpam_allocation.nodes
  id = "alloc_"
}

import {
  to = cloudpam_allocation.nodes_pods
  id = "alloc_pods"
}

import {
  to = google_compute_subnetwork.nodes
  id = "projects/my-project/regions/europe-west1/subnetworks/nodes"
}
