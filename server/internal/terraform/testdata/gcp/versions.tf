terraform {
  required_version = ">= 1.6"
  required_providers {
    cloudpam = {
      source = "cloudpam/cloudpam"
    }
    google = {
      source  = "hashicorp/google"
      version = ">= 4.0"
    }
  }
}
