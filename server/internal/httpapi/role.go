package httpapi

import (
	"fmt"

	"github.com/labstack/echo/v4"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// rolesNeeded are the roles that the operations of the contract take, by method and what echo calls the route. A permission that
// nobody has decided about is an error at the start: no operation is open by accident.
func rolesNeeded() (map[string]ipam.Role, error) {
	spec, err := api.Spec()
	if err != nil {
		return nil, err
	}
	needs := map[string]ipam.Role{}
	for path, item := range spec.Paths.Map() {
		for method, op := range item.Operations() {
			permission, _ := op.Extensions["x-permission"].(string)
			if permission == "none" {
				continue
			}
			role, known := access.Permissions[permission]
			if !known {
				return nil, fmt.Errorf("%s has the x-permission %q, to which access.Permissions gives no role", op.OperationID, permission)
			}
			needs[method+" "+echoRoute(path)] = role
		}
	}
	return needs, nil
}

// untried are operations whose effect no transaction undoes: a message, a look into a cloud, a secret that is told.
var untried = map[string]string{ //nolint:gosec // names of operations, no secrets
	"POST /api/v1/accounts/:account/sync": "it looks into a cloud", "POST /api/v1/accounts/:account/check": "it looks into a cloud", "POST /api/v1/webhooks/:webhook/tests": "it sends a message",
	"POST /api/v1/webhooks": "it tells a secret", "POST /api/v1/webhooks/:webhook/secrets": "it tells a secret", "POST /api/v1/tokens": "it tells a secret",
}

// tryable refuses to try what cannot be undone.
func tryable(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if why := untried[c.Request().Method+" "+c.Path()]; why != "" && caller(c.Request().Context()).DryRun {
			return ipam.Invalid("header:Cloudpam-Dry-Run", "this cannot be tried without an effect: %s", why)
		}
		return next(c)
	}
}
