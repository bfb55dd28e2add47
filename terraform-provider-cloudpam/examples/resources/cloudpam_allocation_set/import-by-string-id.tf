import {
  to = cloudpam_allocation_set.shop
  id = "prod/shop"
}
