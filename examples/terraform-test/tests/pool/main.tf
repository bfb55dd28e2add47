# A pool in an address space of the tests' own: nothing that exists can be in its way, so its CIDRs are the same in every run.
terraform {
  required_providers {
    cloudpam = { source = "cloudpam/cloudpam" }
  }
}

resource "cloudpam_scope" "tests" {
  name = "terraform-test"
}

resource "cloudpam_pool" "tests" {
  scope = cloudpam_scope.tests.name
  name  = "network"
  cidr  = "10.0.0.0/16"
}

output "id" {
  value = cloudpam_pool.tests.id
}
