provider "cloudpam" {
  # The address and the token come from CLOUDPAM_ENDPOINT and CLOUDPAM_TOKEN.
}

provider "google" {
  project = "my-project"
}
