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
}
