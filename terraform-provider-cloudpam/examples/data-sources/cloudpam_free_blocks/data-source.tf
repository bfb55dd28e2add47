data "cloudpam_free_blocks" "prod" {
  pool = "prod-euw1"
}

# How many blocks of each size are left, by size.
output "left" {
  value = { for size in data.cloudpam_free_blocks.prod.blocks : "/${size.prefix_length}" => size.fits }
}
