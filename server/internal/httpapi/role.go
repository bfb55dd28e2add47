package httpapi

import (
	"fmt"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// rolesNeeded are the roles that the operations of the contract take, by method and what echo calls the route. A permission that
// nobody has decided about is an error at the start: no operation is open by accident.
func rolesNeeded() (map[string]ipam.Role, error) {
	spec, err := api.GetSpec()
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
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
