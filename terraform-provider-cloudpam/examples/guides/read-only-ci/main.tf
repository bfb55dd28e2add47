resource "cloudpam_allocation" "app" {
  pool          = "prod-euw1"
  name          = "app"
  prefix_length = 22
}
