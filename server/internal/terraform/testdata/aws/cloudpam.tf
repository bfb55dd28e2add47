resource "cloudpam_pool" "main" {
  name              = "main"
  parent            = "corp"
  cidr              = "10.0.0.0/16"
  min_prefix_length = 20
  account           = "aws:111111111111"
  region            = "eu-west-1"
}

resource "cloudpam_allocation" "app" {
  pool    = cloudpam_pool.main.id
  name    = "net/subnet-a"
  cidr    = "10.0.1.0/24"
  account = "aws:111111111111"
  region  = "eu-west-1"
  labels = {
    team = "net"
  }
}

resource "cloudpam_allocation" "app_2" {
  pool    = cloudpam_pool.main.id
  name    = "net/subnet-b"
  cidr    = "10.0.2.0/24"
  account = "aws:111111111111"
  region  = "eu-west-1"
  labels = {
    team = "net"
  }
}

resource "cloudpam_allocation" "subnet_c" {
  pool    = cloudpam_pool.main.id
  name    = "net/subnet-c"
  cidr    = "10.0.3.0/24"
  account = "aws:111111111111"
  region  = "us-east-1"
  labels = {
    team = "net"
  }
}
