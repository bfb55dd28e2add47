// Package api is the contract: openapi.yaml is written by hand, api.gen.go by oapi-codegen from it.
package api

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// Contract is openapi.yaml as it was written.
//
//go:embed openapi.yaml
var Contract []byte

// Spec is the contract as it was parsed, once for all: that takes tens of milliseconds. It is shared, so whoever changes it parses it
// anew, with GetSpec. It says that it is of version 3.0: as 3.1 the library would compile JSON Schema on every request, 25 times
// slower, and the contract keeps to what both dialects mean alike, which a test checks.
var Spec = sync.OnceValues(func() (*openapi3.T, error) {
	spec, err := GetSpec()
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	spec.OpenAPI = "3.0.3"
	return spec, nil
})
