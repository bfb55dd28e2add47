// Package api is the contract: openapi.yaml is written by hand, api.gen.go by oapi-codegen from it.
package api

import _ "embed"

// Contract is openapi.yaml as it was written.
//
//go:embed openapi.yaml
var Contract []byte
