# By pool and name, by pool and CIDR, or by id.
terraform import cloudpam_allocation.app prod/app-a
terraform import cloudpam_allocation.app prod@10.0.0.0/22
terraform import cloudpam_allocation.app alloc_06f2k1m9v8q3t7r5w4x0c1b2n
