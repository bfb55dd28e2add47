data "cloudpam_scope" "partner" {
  name = "partner"
}
