# By name.
terraform import cloudpam_scope.partner partner
