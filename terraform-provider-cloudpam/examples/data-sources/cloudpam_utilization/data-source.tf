# Warns while there is still time.
check "prod_has_room" {
  data "cloudpam_utilization" "prod" {
    pool = "prod-euw1"
  }

  assert {
    condition     = data.cloudpam_utilization.prod.used_ratio < 0.8
    error_message = "Pool prod-euw1 is ${floor(100 * data.cloudpam_utilization.prod.used_ratio)} percent full."
  }
}
