package change

import "github.com/cloudpam/cloudpam/server/internal/ipam"

// NewID makes the id of a new object of a kind: alloc, set, rsv, hold, event, token.
func NewID(kind string) string { return string(ipam.NewUID(kind)) }
