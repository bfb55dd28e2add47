variable "address" {
  type    = string
  default = "10.0.0.7"
}

# Whose address is this?
data "cloudpam_lookup" "this" {
  address = var.address
}

output "whose" {
  value = "${data.cloudpam_lookup.this.status} in ${join(" > ", data.cloudpam_lookup.this.pools)}: ${data.cloudpam_lookup.this.name} of ${data.cloudpam_lookup.this.owner}"
}
