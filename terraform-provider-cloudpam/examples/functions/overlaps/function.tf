variable "peers" {
  type    = set(string)
  default = ["10.20.0.0/16", "172.16.0.0/12"]

  validation {
    condition     = !provider::cloudpam::overlaps(var.peers)
    error_message = "Networks that peer must not overlap."
  }
}
