resource "cloudpam_account" "payments" {
  cloud       = "aws"
  external_id = "123456789012"
  name        = "payments-prod"
  tier        = "prd"
  regions     = ["eu-west-1", "eu-central-1"]
  role_arn    = "arn:aws:iam::123456789012:role/cloudpam"
}

resource "cloudpam_account" "data" {
  cloud             = "gcp"
  external_id       = "example.com:data-platform"
  name              = "data-platform"
  workload_identity = "cloudpam@data-platform.iam.gserviceaccount.com"
}

resource "cloudpam_account" "office" {
  cloud       = "custom"
  external_id = "berlin-office"
  name        = "berlin-office"
}
