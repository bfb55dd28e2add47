terraform {
  required_version = ">= 1.10"

  required_providers {
    cloudpam = {
      source = "cloudpam/cloudpam"
    }
  }
}

# Ephemeral: neither token is written to the plan or to the state.
variable "plan_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "apply_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

provider "cloudpam" {
  token  = terraform.applying ? var.apply_token : var.plan_token
  holder = "network/prod" # this configuration and workspace, and no other
}
