import {
  to = cloudpam_pool.corp
  id = "corp"
}
