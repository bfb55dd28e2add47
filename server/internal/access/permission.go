package access

import "github.com/cloudpam/cloudpam/server/internal/ipam"

// Permissions are what operations of the contract ask for as x-permission, each with the smallest role that has it. Where a caller
// must have that role, the use case of the operation decides, on the row that it is about.
var Permissions = map[string]ipam.Role{
	"scopes:read":       ipam.Viewer,
	"pools:read":        ipam.Viewer,
	"policies:read":     ipam.Viewer,
	"allocations:read":  ipam.Viewer,
	"reservations:read": ipam.Viewer,
	"accounts:read":     ipam.Viewer,
	"holds:read":        ipam.Viewer,
	"prefixes:read":     ipam.Viewer,
	"events:read":       ipam.Viewer,
	"quarantines:read":  ipam.Viewer,
	"principals:read":   ipam.Viewer,
	"observations:read": ipam.Viewer,
	"drifts:read":       ipam.Viewer,
	"restoration:read":  ipam.Viewer,
	"imports:read":      ipam.Viewer, // one's own; those of all take to see everything

	"holds:write": ipam.Planner,

	"allocations:write":  ipam.Operator,
	"reservations:write": ipam.Operator,
	"observations:write": ipam.Operator, // adopts, which allocates; pools take an admin
	"imports:write":      ipam.Operator, // rows take what single requests do
	"drifts:write":       ipam.Operator, // ignores, and adopts
	"syncs:write":        ipam.Operator, // it looks, and changes nothing in a cloud

	"scopes:write":   ipam.Admin,
	"pools:write":    ipam.Admin,
	"policies:write": ipam.Admin,
	"accounts:write": ipam.Admin,

	"approvals:read":  ipam.Viewer,
	"approvals:write": ipam.Viewer, // one's own
	"decisions:write": ipam.Admin,  // of the pool whose policy asks

	"quarantines:write": ipam.Admin,  // what is free before its time may still be in somebody's routes
	"sessions:read":     ipam.Viewer, // one's own; those of all take admin everywhere
	"sessions:write":    ipam.Viewer,
	"webhooks:read":     ipam.Admin, // of the scope, or everywhere: what is sent to whom
	"webhooks:write":    ipam.Admin,
	"tokens:read":       ipam.Admin,
	"tokens:write":      ipam.Admin,
	"bindings:read":     ipam.Admin,
	"bindings:write":    ipam.Admin,
	"restoration:write": ipam.Admin,
	"drift-rules:write": ipam.Admin,
}
