package ipam

import "slices"

// Role is what a principal may do. Each may do all that those before it may.
type Role string

// The roles, the smallest first.
const (
	Viewer   Role = "viewer"   // sees
	Planner  Role = "planner"  // has plans promised what they will get: holds and drafts
	Operator Role = "operator" // allocates, reserves and releases
	Admin    Role = "admin"    // makes pools and scopes, and says who may do what
)

// Roles are all roles, the smallest first.
var Roles = []Role{Viewer, Planner, Operator, Admin}

// Includes reports whether who has the role may do what needs another. A role that is none includes nothing, and nothing
// includes it.
func (r Role) Includes(need Role) bool {
	has, needs := slices.Index(Roles, r), slices.Index(Roles, need)
	return needs >= 0 && has >= needs
}
