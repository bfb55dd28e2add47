// Package access says who asks and what he may do: it sets an installation up, keeps tokens and bindings, and knows which role an
// operation takes.
package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Gate lets callers in. It is safe for concurrent use.
type Gate struct {
	k        *change.Kernel
	trust    *issuer.Trust
	tokenKey atomic.Pointer[[]byte] // of the installation, which never changes; nil before it was read

	// MaxFailures is how many secrets that nobody knows one address may send in a minute; 0 is no limit. It is set before the first
	// call.
	MaxFailures int
	// SessionIdle is how long a session lasts without use, SessionLength how long at most. Both are set before the first call.
	SessionIdle, SessionLength time.Duration

	mu       sync.Mutex
	vouched  map[[sha256.Size]byte]vouched // by the hash of a JWT
	known    map[string]seen               // tokens by the hash of their secrets
	signed   map[string]signedIn           // sessions by the hash of their secrets
	used     map[string]time.Time          // when tokens, by id, were read last: since NoteUse wrote
	failures failures

	usedSessions map[ipam.UID]time.Time // as used
}

// seen is a token as it was read, with what its principal may do.
type seen struct {
	token    ipam.Token
	bindings []ipam.Binding
	at       time.Time
}

// MaxSecret is the most bytes of what a caller shows: a JWT is longer than any token.
const MaxSecret = issuer.MaxToken

// How long a token and its bindings are believed without another look: what is revoked is refused everywhere within a second. And how
// many are kept: past that all are read again.
const (
	tokenMemory = time.Second
	maxKnown    = 4096
)

// New makes a Gate that trusts some issuers besides its own tokens.
func New(k *change.Kernel, issuers ...issuer.Settings) *Gate {
	return &Gate{
		k: k, trust: issuer.New(issuers, k.Now), SessionIdle: DefaultIdle, SessionLength: DefaultLength,
		known: map[string]seen{}, vouched: map[[sha256.Size]byte]vouched{}, signed: map[string]signedIn{}, used: map[string]time.Time{}, usedSessions: map[ipam.UID]time.Time{},
	}
}

// recall is what is known of a token, and whether that can still be believed.
func (g *Gate) recall(hash []byte) (s seen, known, fresh bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, known = g.known[string(hash)]
	return s, known, known && time.Since(s.at) < tokenMemory
}

func (g *Gate) remember(hash []byte, s seen) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.known) >= maxKnown {
		clear(g.known)
	}
	g.known[string(hash)] = s
	g.used[s.token.ID] = g.k.Now()
}

// forgetAll makes all that is known be read again.
func (g *Gate) forgetAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for hash, s := range g.known {
		s.at = time.Time{}
		g.known[hash] = s
	}
	for hash, s := range g.signed {
		s.at = time.Time{}
		g.signed[hash] = s
	}
	for hash, v := range g.vouched {
		v.read = time.Time{}
		g.vouched[hash] = v
	}
}

// Authenticate tells whom a secret or a JWT stands for, with its bindings. Both are read at most once a second; what is revoked is
// refused within that. Errors: CodeUnauthenticated; CodeTooManyFailures to an address that has sent too many wrong secrets, unless
// this one has let somebody in already. Of a JWT also CodeForbidden and CodeUnavailable.
func (g *Gate) Authenticate(ctx context.Context, from netip.Addr, secret string) (ipam.Caller, error) {
	if issuer.Looks(secret) {
		return g.vouchedFor(ctx, from, secret)
	}
	s, err := g.token(ctx, from, secret)
	switch {
	case ipam.CodeOf(err) == ipam.CodeNotFound:
		return ipam.Caller{}, ipam.Errorf(ipam.CodeUnauthenticated, "the token is not known to this server; check CLOUDPAM_TOKEN, or make one with \"cloudpam token create\"")
	case err != nil:
		return ipam.Caller{}, err
	case !s.token.Active(g.k.Now()):
		return ipam.Caller{}, ipam.Errorf(ipam.CodeUnauthenticated, "the token %q has expired or was revoked", s.token.Name)
	}
	return ipam.Caller{Principal: s.token.Principal(), Rights: ipam.Rights{Bindings: s.bindings}}, nil
}

// token reads the token of a secret. It is looked up by keyed hash: how long that takes says nothing about the secret.
func (g *Gate) token(ctx context.Context, from netip.Addr, secret string) (seen, error) {
	known := false
	if key := g.tokenKey.Load(); key != nil {
		var s seen
		var fresh bool
		if s, known, fresh = g.recall(ipam.HashSecret(*key, secret)); fresh {
			return s, nil
		}
	}
	if !known && g.tooMany(from) {
		return seen{}, g.errTooMany()
	}
	s, err := change.Glance(ctx, g.k, func(tx *store.Tx) (seen, error) {
		s := seen{at: time.Now()}
		key, err := g.keyOfTokens(tx)
		if err != nil {
			return s, err
		}
		hash := ipam.HashSecret(key, secret)
		if s.token, err = tx.TokenByHash(hash); err != nil {
			return s, err
		}
		if s.bindings, err = tx.BindingsOf(s.token.Principal().UID, ipam.MaxBindings); err == nil {
			g.remember(hash, s)
		}
		return s, err
	})
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		g.failed(from)
	}
	return s, err
}

// keyOfTokens reads the key once: it is needed by every request.
func (g *Gate) keyOfTokens(tx *store.Tx) ([]byte, error) {
	if known := g.tokenKey.Load(); known != nil {
		return *known, nil
	}
	key, err := tx.TokenKey()
	if err == nil {
		g.tokenKey.Store(&key)
	}
	return key, err
}

// NoteUse writes when tokens and sessions were used last, and reports of how many: work of every minute, so that no request waits for it. What
// cannot be written comes again.
func (g *Gate) NoteUse(ctx context.Context) (int64, error) {
	g.mu.Lock()
	used, sessions := g.used, g.usedSessions
	g.used, g.usedSessions = map[string]time.Time{}, map[ipam.UID]time.Time{}
	g.mu.Unlock()
	if len(used)+len(sessions) == 0 {
		return 0, nil
	}
	err := g.k.Work(ctx, "tokens", func(tx *store.Tx) error {
		var all []error
		for id, at := range used {
			all = append(all, tx.UseToken(id, at))
		}
		for id, at := range sessions {
			all = append(all, tx.UseSession(id, at))
		}
		return errors.Join(all...)
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	for hash, s := range g.signed { // they know of an older use
		s.at = time.Time{}
		g.signed[hash] = s
	}
	if err != nil {
		for id, at := range used {
			if g.used[id].Before(at) {
				g.used[id] = at
			}
		}
		for id, at := range sessions {
			if g.usedSessions[id].Before(at) {
				g.usedSessions[id] = at
			}
		}
	}
	return 0, err // nothing that a log should tell of each minute
}
