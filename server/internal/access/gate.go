// Package access says who asks: it sets an installation up, keeps the tokens, and names the actor of a request.
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

// seen is a token as it was read.
type seen struct {
	token ipam.Token
	at    time.Time
}

// How long a token is believed without another look: a revoked one is refused everywhere within a second. And how many are
// kept: past that all are read again.
const (
	tokenMemory = time.Second
	maxKnown    = 4096
)

// New makes a Gate.
func New(k *change.Kernel) *Gate { return &Gate{k: k, known: map[string]seen{}} }

func (g *Gate) recall(hash []byte) (ipam.Token, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.known[string(hash)]
	return s.token, ok && time.Since(s.at) < tokenMemory
}

// remember keeps a token that was read after begun.
func (g *Gate) remember(hash []byte, t ipam.Token, begun time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.known) >= maxKnown {
		clear(g.known)
	}
	g.known[string(hash)] = seen{t, begun}
}

func (g *Gate) forgetAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.known)
}
