import {
  to = cloudpam_scope.partner
  id = "partner"
}
