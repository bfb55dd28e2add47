terraform {
  required_providers {
    cloudpam = {
      source = "cloudpam/cloudpam"
    }
  }
}

# The token comes from CLOUDPAM_TOKEN, or from the file that CLOUDPAM_TOKEN_FILE names.
provider "cloudpam" {
  endpoint = "https://cloudpam.example.com"

  # Every object that this configuration manages has these labels, beside its own.
  default_labels = {
    managed-by = "terraform"
    team       = "network"
  }
}
