import {
  to = cloudpam_webhook.inventory
  id = "inventory"
}
