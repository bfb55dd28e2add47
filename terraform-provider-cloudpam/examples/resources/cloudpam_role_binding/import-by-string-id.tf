import {
  to = cloudpam_role_binding.payments_ci
  id = "binding_05avjh1t8b002"
}
