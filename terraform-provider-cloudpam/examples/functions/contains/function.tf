variable "office" {
  type    = string
  default = "10.20.0.0/16"

  validation {
    condition     = provider::cloudpam::contains("10.0.0.0/8", var.office)
    error_message = "The office's network must lie in 10.0.0.0/8."
  }
}
