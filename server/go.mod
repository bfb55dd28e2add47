module github.com/cloudpam/cloudpam/server

go 1.26.0
