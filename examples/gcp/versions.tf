terraform {
  required_version = ">= 1.8"

  required_providers {
    cloudpam = {
      source  = "cloudpam/cloudpam"
      version = ">= 0.1"
    }
    google = {
      source  = "hashicorp/google"
      version = ">= 5.0"
    }
  }
}

provider "google" {
  project = var.project
}

# Reads CLOUDPAM_ENDPOINT and CLOUDPAM_TOKEN.
provider "cloudpam" {}
