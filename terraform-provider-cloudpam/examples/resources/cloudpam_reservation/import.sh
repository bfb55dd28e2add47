# By pool and CIDR.
terraform import cloudpam_reservation.merger corp@10.64.0.0/12

# By id.
terraform import cloudpam_reservation.merger rsv_06f2k1m9v8q3t7r5w4x0c1b2n
