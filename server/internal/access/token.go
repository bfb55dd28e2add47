package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// tokenObject is a token in the system's chain: who may do what belongs to no scope.
func tokenObject(t ipam.Token) change.Object { return change.Object{Kind: "token", ID: t.ID} }

// SetUp readies a new installation: the default scope, the key of the tokens' hashes, and a first token with the given
// secret, or a fresh one when it is empty. It returns that secret, or "" when the installation is set up already.
// Several replicas may call it at once: one of them does it.
func (g *Gate) SetUp(ctx context.Context, secret string) (string, error) {
	by := ipam.System("setup")
	return change.Write(ctx, g.k, by, "system", func(c change.Change) (string, error) {
		if err := c.Tx.LockSystem(); err != nil {
			return "", err
		}
		_, err := c.Tx.TokenKey()
		if ipam.CodeOf(err) != ipam.CodeNotFound {
			return "", err // set up already, or the database failed
		}
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		if err := c.Tx.InsertInstance(key, c.At); err != nil {
			return "", err
		}
		scope := ipam.Scope{ID: ipam.DefaultScope, UID: ipam.NewUID("scope"), Description: "The scope that always exists.", Version: 1, CreatedAt: c.At, UpdatedAt: c.At}
		if err := c.Tx.InsertScope(scope); err != nil {
			return "", err
		}
		if err := c.Record(change.ScopeObject(scope), "created", nil, scope); err != nil {
			return "", err
		}
		return addToken(c, key, ipam.NewToken{Name: "bootstrap", Bindings: []ipam.NewBinding{{Role: ipam.Admin}}}, secret)
	})
}

// CreateToken adds a token with its bindings and returns its secret, which is shown this once. Nobody makes one that may do more than
// its maker. Errors: CodeInvalid, CodeNotFound (a scope, a pool), CodeForbidden, CodeNameTaken.
func (g *Gate) CreateToken(ctx context.Context, by ipam.Caller, in ipam.NewToken) (string, error) {
	if err := in.Check(); err != nil {
		return "", err
	}
	return change.Write(ctx, g.k, by, "system", func(c change.Change) (string, error) {
		if err := c.Tx.LockSystem(); err != nil {
			return "", err
		}
		key, err := c.Tx.TokenKey()
		if err != nil {
			return "", err
		}
		return addToken(c, key, in, "")
	})
}

func addToken(c change.Change, key []byte, in ipam.NewToken, secret string) (string, error) {
	t := ipam.Token{ID: change.NewID("token"), Name: in.Name, CreatedAt: c.At, ExpiresAt: in.ExpiresAt}
	if secret == "" {
		secret = ipam.NewSecret(t.ID)
	}
	if err := c.Tx.InsertPrincipal(t.Principal(), c.At); err != nil {
		return "", err
	}
	if err := c.Tx.InsertToken(t, ipam.HashSecret(key, secret)); err != nil {
		return "", err
	}
	if err := c.Record(tokenObject(t), "created", nil, t); err != nil {
		return "", err
	}
	for i, n := range in.Bindings {
		n.Principal = t.Principal().UID
		if _, err := bind(c, t.Principal(), n); err != nil {
			return "", ipam.Below(fmt.Sprintf("/bindings/%d", i), err)
		}
	}
	return secret, nil
}

// Tokens lists up to 1,000 tokens, the oldest first.
func (g *Gate) Tokens(ctx context.Context) ([]ipam.Token, error) {
	return change.Read(ctx, g.k, func(tx *store.Tx) ([]ipam.Token, error) { return tx.Tokens(1000) })
}

// RevokeToken ends a token at once. Errors: CodeNotFound.
func (g *Gate) RevokeToken(ctx context.Context, by ipam.Caller, id string) error {
	_, err := change.Write(ctx, g.k, by, "system", func(c change.Change) (struct{}, error) {
		if err := c.Tx.LockSystem(); err != nil {
			return struct{}{}, err
		}
		if err := c.Tx.RevokeToken(id, c.At); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.Record(tokenObject(ipam.Token{ID: id}), "revoked", nil, nil)
	})
	g.forgetAll()
	return err
}

// Authenticate tells whom a secret stands for, with its bindings. Both are read at most once a second; what is revoked is refused
// within that. Errors: CodeUnauthenticated.
func (g *Gate) Authenticate(ctx context.Context, secret string) (ipam.Caller, error) {
	s, err := g.token(ctx, secret)
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
func (g *Gate) token(ctx context.Context, secret string) (seen, error) {
	if key := g.tokenKey.Load(); key != nil {
		if s, known := g.recall(ipam.HashSecret(*key, secret)); known {
			return s, nil
		}
	}
	s := seen{at: time.Now()}
	return change.Glance(ctx, g.k, func(tx *store.Tx) (seen, error) {
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
