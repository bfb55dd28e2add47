provider "cloudpam" {
  # The address and the token come from CLOUDPAM_ENDPOINT and CLOUDPAM_TOKEN.
}

provider "aws" {
  alias               = "eu_west_1"
  region              = "eu-west-1"
  allowed_account_ids = ["111111111111"]
}

provider "aws" {
  alias               = "us_east_1"
  region              = "us-east-1"
  allowed_account_ids = ["111111111111"]
}
