import {
  to = cloudpam_reservation.merger
  id = "corp@10.64.0.0/12"
}
