// Package access says who asks: it sets an installation up, keeps the tokens, and names the actor of a request.
package access

import (
	"sync/atomic"

	"github.com/cloudpam/cloudpam/server/internal/change"
)

// Gate lets callers in. It is safe for concurrent use.
type Gate struct {
	k        *change.Kernel
	tokenKey atomic.Pointer[[]byte] // of the installation, which never changes; nil before it was read
}

// New makes a Gate.
func New(k *change.Kernel) *Gate { return &Gate{k: k} }
