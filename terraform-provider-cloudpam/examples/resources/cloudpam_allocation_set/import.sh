terraform import cloudpam_allocation_set.shop prod/shop
