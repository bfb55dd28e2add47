# Once applied, these blocks have done their work: remove this file.

import {
  to = cloudpam_pool.main
  id = "pool_1"
}

import {
  to       = aws_vpc.main
  id       = "vpc-1"
  provider = aws.eu_west_1
}

import {
  to = cloudpam_allocation.app
  id = "alloc_subnet-a"
}

import {
  to       = aws_subnet.app
  id       = "subnet-a"
  provider = aws.eu_west_1
}

import {
  to = cloudpam_allocation.app_2
  id = "alloc_subnet-b"
}

import {
  to       = aws_subnet.app_2
  id       = "subnet-b"
  provider = aws.eu_west_1
}

import {
  to = cloudpam_allocation.subnet_c
  id = "alloc_subnet-c"
}

import {
  to       = aws_subnet.subnet_c
  id       = "subnet-c"
  provider = aws.us_east_1
}
