import {
  to = cloudpam_policy.prod
  id = "prod"
}
