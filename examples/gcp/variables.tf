variable "project" {
  description = "Project of the network."
  type        = string
}

variable "regions" {
  description = "Regions that run a cluster. Adding one never renumbers the others."
  type        = set(string)
  default     = ["europe-west1", "us-central1"]
}

variable "parent_pool" {
  description = "Id of the pool that networks are taken from. It must exist."
  type        = string
  default     = "corp"
}
