# "10.1.0.0/16": the host bits are gone.
output "network" {
  value = provider::cloudpam::normalize("10.1.2.3/16")
}

# "2001:db8::/48"
output "canonical" {
  value = provider::cloudpam::normalize("2001:DB8:0:0::/48")
}
