data "cloudpam_account" "payments" {
  id = "aws:123456789012"
}

resource "cloudpam_allocation" "payments" {
  pool          = "prod-euw1"
  name          = "payments"
  prefix_length = 20
  account       = data.cloudpam_account.payments.id
}
