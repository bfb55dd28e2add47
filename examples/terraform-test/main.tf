# A module as teams write it: subnets by name and size, from whatever pool it is given. Its tests stand in tests/.

variable "pool" {
  description = "Id of the pool to allocate from."
  type        = string
}

variable "subnets" {
  description = "Prefix length of every subnet by name."
  type        = map(number)
  default = {
    app  = 24
    data = 25
    edge = 27
  }
}

resource "cloudpam_allocation_set" "shop" {
  pool    = var.pool
  name    = "shop"
  subnets = var.subnets

  lifecycle {
    postcondition {
      condition     = alltrue([for cidr in values(self.cidrs) : tonumber(split("/", cidr)[1]) <= 28])
      error_message = "A subnet of AWS is at least a /28: ${jsonencode(self.cidrs)}."
    }
  }
}

# Stands for the subnets of a cloud. Its keys are CIDRs, which for_each takes because they are known while planning.
resource "terraform_data" "subnet" {
  for_each = toset(values(cloudpam_allocation_set.shop.cidrs))

  input = each.key
}

output "cidrs" {
  description = "CIDR of every subnet by name."
  value       = cloudpam_allocation_set.shop.cidrs
}
