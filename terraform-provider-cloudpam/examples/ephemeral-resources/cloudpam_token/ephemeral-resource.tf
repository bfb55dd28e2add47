# A token for this run alone, which may do less than the one that makes it.
ephemeral "cloudpam_token" "run" {
  name       = "network-run"
  expires_in = "30m"
  bindings   = [{ role = "operator", pool = "prod" }]
}

provider "cloudpam" {
  alias = "prod"
  token = ephemeral.cloudpam_token.run.token
}

resource "cloudpam_allocation" "vpc" {
  provider      = cloudpam.prod
  pool          = "prod"
  name          = "run-vpc"
  prefix_length = 24
}
