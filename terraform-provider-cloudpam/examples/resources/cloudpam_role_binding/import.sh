# By its id, which the API lists: GET /api/v1/bindings.
terraform import cloudpam_role_binding.payments_ci binding_05avjh1t8b002
