import {
  to = cloudpam_account.payments
  id = "aws:123456789012"
}
