# Without a server: a mock stands for it, and says the CIDRs already while planning.

mock_provider "cloudpam" {
  mock_resource "cloudpam_allocation_set" {
    override_during = plan
    defaults = {
      cidrs = { app = "10.0.0.0/24", data = "10.0.1.0/25" }
    }
  }
}

run "every_cidr_becomes_a_subnet" {
  command = plan

  variables {
    pool    = "anything"
    subnets = { app = 24, data = 25 }
  }

  assert {
    condition     = toset(keys(terraform_data.subnet)) == toset(["10.0.0.0/24", "10.0.1.0/25"])
    error_message = "The subnets are ${jsonencode(keys(terraform_data.subnet))}."
  }
}
