# By the cloud and the cloud's own id.
terraform import cloudpam_account.payments aws:123456789012
