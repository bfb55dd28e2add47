resource "aws_vpc" "main" {
  provider   = aws.eu_west_1
  cidr_block = cloudpam_pool.main.cidr
  tags = {
    Name = "Main"
  }

  lifecycle {
    # CloudPAM does not look at these, so that no plan of this file changes them. Take out what you have written down.
    ignore_changes = [
      assign_generated_ipv6_cidr_block,
      enable_dns_hostnames,
      enable_dns_support,
      enable_network_address_usage_metrics,
      instance_tenancy,
      ipv6_cidr_block,
      ipv6_cidr_block_network_border_group,
      ipv6_ipam_pool_id,
      ipv6_netmask_length,
    ]
  }
}

resource "aws_subnet" "app" {
  provider          = aws.eu_west_1
  vpc_id            = aws_vpc.main.id
  cidr_block        = cloudpam_allocation.app.cidr
  ipv6_cidr_block   = "2001:db8:0:1::/64"
  availability_zone = "eu-west-1a"
  tags = {
    Name              = "app"
    "cost $${center}" = "\"7\""
  }

  lifecycle {
    # CloudPAM does not look at these, so that no plan of this file changes them. Take out what you have written down.
    ignore_changes = [
      assign_ipv6_address_on_creation,
      customer_owned_ipv4_pool,
      enable_dns64,
      enable_lni_at_device_index,
      enable_resource_name_dns_a_record_on_launch,
      enable_resource_name_dns_aaaa_record_on_launch,
      map_customer_owned_ip_on_launch,
      map_public_ip_on_launch,
      outpost_arn,
      private_dns_hostname_type_on_launch,
    ]
  }
}

resource "aws_subnet" "app_2" {
  provider          = aws.eu_west_1
  vpc_id            = aws_vpc.main.id
  cidr_block        = cloudpam_allocation.app_2.cidr
  availability_zone = "eu-west-1a"

  lifecycle {
    # CloudPAM does not look at these, so that no plan of this file changes them. Take out what you have written down.
    ignore_changes = [
      assign_ipv6_address_on_creation,
      customer_owned_ipv4_pool,
      enable_dns64,
      enable_lni_at_device_index,
      enable_resource_name_dns_a_record_on_launch,
      enable_resource_name_dns_aaaa_record_on_launch,
      map_customer_owned_ip_on_launch,
      map_public_ip_on_launch,
      outpost_arn,
      private_dns_hostname_type_on_launch,
    ]
  }
}

resource "aws_subnet" "subnet_c" {
  provider          = aws.us_east_1
  vpc_id            = aws_vpc.main.id
  cidr_block        = cloudpam_allocation.subnet_c.cidr
  availability_zone = "us-east-1a"

  lifecycle {
    # CloudPAM does not look at these, so that no plan of this file changes them. Take out what you have written down.
    ignore_changes = [
      assign_ipv6_address_on_creation,
      customer_owned_ipv4_pool,
      enable_dns64,
      enable_lni_at_device_index,
      enable_resource_name_dns_a_record_on_launch,
      enable_resource_name_dns_aaaa_record_on_launch,
      map_customer_owned_ip_on_launch,
      map_public_ip_on_launch,
      outpost_arn,
      private_dns_hostname_type_on_launch,
    ]
  }
}
