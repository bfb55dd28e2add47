// Package access says who asks and what he may do: it sets an installation up, keeps tokens and bindings, and knows which role an
// operation takes.
package access

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Gate lets callers in. It is safe for concurrent use.
type Gate struct {
	k        *change.Kernel
	tokenKey atomic.Pointer[[]byte] // of the installation, which never changes; nil before it was read

	mu    sync.Mutex
	known map[string]seen // tokens by the hash of their secrets
}

// seen is a token as it was read, with what its principal may do.
type seen struct {
	token    ipam.Token
	bindings []ipam.Binding
	at       time.Time
}

// How long a token and its bindings are believed without another look: what is revoked is refused everywhere within a second. And how many are
// kept: past that all are read again.
const (
	tokenMemory = time.Second
	maxKnown    = 4096
)

// New makes a Gate.
func New(k *change.Kernel) *Gate { return &Gate{k: k, known: map[string]seen{}} }

func (g *Gate) recall(hash []byte) (seen, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.known[string(hash)]
	return s, ok && time.Since(s.at) < tokenMemory
}

func (g *Gate) remember(hash []byte, s seen) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.known) >= maxKnown {
		clear(g.known)
	}
	g.known[string(hash)] = s
}

func (g *Gate) forgetAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.known)
}
