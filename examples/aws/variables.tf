variable "region" {
  description = "Region of the VPC."
  type        = string
  default     = "eu-west-1"
}

variable "availability_zones" {
  description = "Zones by their letter. Adding one never renumbers the others."
  type        = set(string)
  default     = ["a", "b"]
}

variable "parent_pool" {
  description = "Id of the pool that VPCs are taken from. It must exist."
  type        = string
  default     = "corp"
}
