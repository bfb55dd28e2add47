data "cloudpam_allocation" "by_name" {
  pool = "prod"
  name = "app-a"
}

data "cloudpam_allocation" "by_cidr" {
  pool = "prod"
  cidr = "10.0.0.0/22"
}

data "cloudpam_allocation" "by_id" {
  id = "alloc_06f2k1m9v8q3t7r5w4x0c1b2n"
}
