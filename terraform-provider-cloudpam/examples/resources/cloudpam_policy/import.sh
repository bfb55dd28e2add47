# By the id of its pool.
terraform import cloudpam_policy.prod prod
