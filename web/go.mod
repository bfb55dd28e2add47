module github.com/cloudpam/cloudpam/web

go 1.26.0
