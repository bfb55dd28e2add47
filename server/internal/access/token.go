package access

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Token is a token with what it may do.
type Token struct {
	ipam.Token
	Bindings []ipam.Binding
}

// tokenObject is a token in the system's chain: who may do what belongs to no scope.
func tokenObject(t ipam.Token) change.Object { return change.Object{Kind: "token", ID: t.ID} }

// SetUp readies a new installation: the default scope, the key of the tokens' hashes, and a first token with the given
// secret, or a fresh one when it is empty. It returns that secret, or "" when the installation is set up already.
// Several replicas may call it at once: one of them does it.
func (g *Gate) SetUp(ctx context.Context, secret string) (string, error) {
	return change.Write(ctx, g.k, ipam.System("setup"), "system", func(c change.Change) (string, error) {
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
		t := ipam.Token{ID: change.NewID("token"), Name: ipam.Bootstrap}
		if secret == "" {
			secret = ipam.NewSecret(t.ID)
		}
		_, err = addToken(c, ipam.HashSecret(key, secret), t, []ipam.NewBinding{{Role: ipam.Admin}})
		return secret, err
	})
}

// CreateToken adds a token with its bindings and returns its secret, which is shown this once: a repeat of the request answers the
// token that it made and "". Nobody makes one that may do more than its maker. Errors: CodeInvalid, CodeNotFound (a scope, a pool),
// CodeForbidden, CodeNameTaken.
func (g *Gate) CreateToken(ctx context.Context, by ipam.Caller, in ipam.NewToken) (t Token, secret string, err error) {
	if err := in.CheckIn(g.k.Now()); err != nil {
		return t, "", err
	}
	id := change.NewID("token")
	secret = ipam.NewSecret(id) // not of the transaction, whose answer is stored
	t, err = change.Write(ctx, g.k, by, "system", func(c change.Change) (Token, error) {
		if err := c.Tx.LockSystem(); err != nil {
			return Token{}, err
		}
		key, err := c.Tx.TokenKey()
		if err != nil {
			return Token{}, err
		}
		return addToken(c, ipam.HashSecret(key, secret), ipam.Token{ID: id, Name: in.Name, ExpiresAt: in.ExpiresAt}, in.Bindings)
	})
	if err != nil || t.ID != id { // made by this very request before
		return t, "", err
	}
	return t, secret, nil
}

func addToken(c change.Change, hash []byte, t ipam.Token, bindings []ipam.NewBinding) (made Token, err error) {
	t.CreatedAt = c.At
	for i, n := range bindings {
		b, err := placed(c, t.Principal(), n)
		if err != nil {
			return made, ipam.Below(fmt.Sprintf("/bindings/%d", i), err)
		}
		made.Bindings = append(made.Bindings, b)
	}
	t.ScopeUID = ipam.Home(made.Bindings)
	made.Token = t
	taken, err := c.Tx.TokenNamed(t.ScopeUID, t.Name, c.At)
	if err == nil && taken {
		err = ipam.NameTaken("token", t.Name)
	}
	if err != nil {
		return made, err
	}
	if err := c.Tx.InsertPrincipal(t.Principal(), c.At); err != nil {
		return made, err
	}
	if err := c.Tx.InsertToken(t, hash); err != nil {
		return made, err
	}
	if err := c.Record(tokenObject(t), "created", nil, t); err != nil {
		return made, err
	}
	for _, b := range made.Bindings {
		if err := add(c, b); err != nil {
			return made, err
		}
	}
	return made, nil
}

// Tokens lists a page of tokens by age: those that may do nothing beyond what is visible.
func (g *Gate) Tokens(ctx context.Context, see ipam.Visible, living *bool, p ipam.Page) ([]Token, error) {
	return change.Read(ctx, g.k, func(tx *store.Tx) ([]Token, error) {
		found, err := tx.Tokens(see, ipam.TokenFilter{Living: living, At: g.k.Now()}, p)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		tokens := make([]Token, len(found))
		at, principals := map[ipam.UID]*Token{}, make([]ipam.UID, len(found))
		for i, t := range found {
			tokens[i].Token, principals[i] = t, t.Principal().UID
			at[principals[i]] = &tokens[i]
		}
		bindings, err := tx.Bindings(ipam.Everything, ipam.BindingFilter{Principals: principals}, ipam.Page{Limit: len(found) * ipam.MaxBindings})
		for _, b := range bindings {
			t := at[b.Principal]
			t.Bindings = append(t.Bindings, b)
		}
		return tokens, err
	})
}

// RevokeToken ends a token at once. Errors: CodeNotFound, also of one that has ended or that may do more than the caller.
func (g *Gate) RevokeToken(ctx context.Context, by ipam.Caller, id string) error {
	_, err := change.Write(ctx, g.k, by, "system", func(c change.Change) (struct{}, error) {
		none := struct{}{}
		if err := c.Tx.LockSystem(); err != nil {
			return none, err
		}
		missing := ipam.Errorf(ipam.CodeNotFound, "there is no token %q that still lets anyone in", id)
		if ipam.KeyOf("token", id) == 0 {
			return none, missing
		}
		seen, err := c.Tx.Tokens(c.By.Reaches(), ipam.TokenFilter{ID: id}, ipam.Page{Limit: 1})
		if err != nil {
			return none, err
		}
		if len(seen) == 0 {
			return none, missing
		}
		ended, err := c.Tx.RevokeToken(id, c.At)
		if err != nil {
			return none, err
		}
		if !ended {
			return none, missing
		}
		return none, c.Record(tokenObject(seen[0]), "revoked", nil, nil)
	})
	g.forgetAll()
	return err
}
