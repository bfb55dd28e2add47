terraform {
  required_version = ">= 1.6"
  required_providers {
    cloudpam = {
      source = "cloudpam/cloudpam"
    }
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}
