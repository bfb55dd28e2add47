import {
  to = cloudpam_allocation.app
  id = "prod/app-a"
}
