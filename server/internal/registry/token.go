package registry

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

func tokenObject(t ipam.Token) object {
	return object{kind: "token", id: t.ID, chain: ipam.RootSpace(ipam.DefaultScope), scope: ipam.DefaultScope}
}

// SetUp readies a new installation: the default scope, the key of the tokens' hashes, and a first token with the given
// secret, or a fresh one when it is empty. It returns that secret, or "" when the installation is set up already.
// Several replicas may call it at once: one of them does it.
func (r *Registry) SetUp(ctx context.Context, secret string) (string, error) {
	by := ipam.Caller{Actor: "system", RequestID: "setup"}
	return write(ctx, r, by, ipam.RootSpace(ipam.DefaultScope), func(c change) (string, error) {
		_, err := c.TokenKey()
		if ipam.CodeOf(err) != ipam.CodeNotFound {
			return "", err // set up already, or the database failed
		}
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		if err := c.InsertInstance(key, c.at); err != nil {
			return "", err
		}
		scope := ipam.Scope{ID: ipam.DefaultScope, Description: "The scope that always exists.", Version: 1, CreatedAt: c.at, UpdatedAt: c.at}
		if err := c.InsertScope(scope); err != nil {
			return "", err
		}
		if err := c.record(scopeObject(scope.ID), "created", nil, scope); err != nil {
			return "", err
		}
		return c.addToken(key, "bootstrap", nil, secret)
	})
}

// CreateToken adds a token and returns its secret, which is shown this once. A nil expiry is never.
func (r *Registry) CreateToken(ctx context.Context, by ipam.Caller, name string, expires *time.Time) (string, error) {
	if err := ipam.CheckSlug("/name", name); err != nil {
		return "", err
	}
	return write(ctx, r, by, ipam.RootSpace(ipam.DefaultScope), func(c change) (string, error) {
		if _, err := c.LockScope(ipam.DefaultScope); err != nil {
			return "", err
		}
		key, err := c.TokenKey()
		if err != nil {
			return "", err
		}
		return c.addToken(key, name, expires, "")
	})
}

func (c change) addToken(key []byte, name string, expires *time.Time, secret string) (string, error) {
	t := ipam.Token{ID: c.r.newID("token"), Name: name, CreatedAt: c.at, ExpiresAt: expires}
	if secret == "" {
		secret = ipam.NewSecret(t.ID)
	}
	if err := c.InsertToken(t, ipam.HashSecret(key, secret)); err != nil {
		return "", err
	}
	return secret, c.record(tokenObject(t), "created", nil, t)
}

// Tokens lists up to 1,000 tokens, the oldest first.
func (r *Registry) Tokens(ctx context.Context) ([]ipam.Token, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.Token, error) { return tx.Tokens(1000) })
}

// RevokeToken ends a token at once. Errors: CodeNotFound.
func (r *Registry) RevokeToken(ctx context.Context, by ipam.Caller, id string) error {
	_, err := write(ctx, r, by, ipam.RootSpace(ipam.DefaultScope), func(c change) (struct{}, error) {
		if _, err := c.LockScope(ipam.DefaultScope); err != nil {
			return struct{}{}, err
		}
		if err := c.RevokeToken(id, c.at); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.record(tokenObject(ipam.Token{ID: id}), "revoked", nil, nil)
	})
	return err
}

// Authenticate names the actor that a secret stands for. Errors: CodeUnauthenticated.
func (r *Registry) Authenticate(ctx context.Context, secret string) (string, error) {
	var actor string
	err := r.db.Glance(ctx, func(tx *store.Tx) error {
		key, err := r.keyOfTokens(tx)
		if err != nil {
			return err
		}
		// Looked up by keyed hash: how long it takes says nothing about the secret.
		t, err := tx.TokenByHash(ipam.HashSecret(key, secret))
		switch {
		case ipam.CodeOf(err) == ipam.CodeNotFound:
			return ipam.Errorf(ipam.CodeUnauthenticated, "the token is not known to this server; check CLOUDPAM_TOKEN, or make one with \"cloudpam token create\"")
		case err != nil:
			return err
		case !t.Living(r.now()):
			return ipam.Errorf(ipam.CodeUnauthenticated, "the token %q has expired or was revoked", t.Name)
		}
		actor = "token:" + t.Name
		return nil
	})
	return actor, err
}

// keyOfTokens reads the key once: it is needed by every request.
func (r *Registry) keyOfTokens(tx *store.Tx) ([]byte, error) {
	if known := r.tokenKey.Load(); known != nil {
		return *known, nil
	}
	key, err := tx.TokenKey()
	if err == nil {
		r.tokenKey.Store(&key)
	}
	return key, err
}

// ForgetAnswers drops the stored answers of requests that are older than a week, after which a retry is a new request.
func (r *Registry) ForgetAnswers(ctx context.Context) (int64, error) {
	var dropped int64
	err := r.db.Write(ctx, "/answers", func(tx *store.Tx) (err error) {
		dropped, err = tx.ForgetAnswers(r.now().Add(-7 * 24 * time.Hour))
		return err
	})
	if err != nil {
		return 0, err
	}
	return dropped, nil
}
