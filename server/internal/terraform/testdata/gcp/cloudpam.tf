resource "cloudpam_allocation" "nodes" {
  pool = "net.gke"
  name = "nodes/"
  cidr = "10.1.0.0/20"
}

resource "cloudpam_allocation" "nodes_pods" {
  pool = "net.gke"
  name = "nodes/pods"
  cidr = "10.2.0.0/16"
}
