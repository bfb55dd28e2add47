module github.com/cloudpam/cloudpam/terraform-provider-cloudpam

go 1.26.0
