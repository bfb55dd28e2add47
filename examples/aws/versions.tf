terraform {
  required_version = ">= 1.8"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
    cloudpam = {
      source  = "cloudpam/cloudpam"
      version = ">= 0.1"
    }
  }
}

provider "aws" {
  region = var.region
}

# Reads CLOUDPAM_ENDPOINT and CLOUDPAM_TOKEN.
provider "cloudpam" {}
