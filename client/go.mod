module github.com/cloudpam/cloudpam/client

go 1.26.0
