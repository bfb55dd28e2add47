terraform {
  required_version = ">= 1.8"

  required_providers {
    cloudpam = {
      source  = "cloudpam/cloudpam"
      version = ">= 0.1"
    }
  }
}
