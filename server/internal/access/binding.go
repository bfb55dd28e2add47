package access

import (
	"context"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// bindingObject is a binding in the system's chain, as a token.
func bindingObject(b ipam.Binding) change.Object { return change.Object{Kind: "binding", ID: b.ID} }

// Bindings lists a page of bindings by age.
func (g *Gate) Bindings(ctx context.Context, see ipam.Visible, f ipam.BindingFilter, p ipam.Page) ([]ipam.Binding, error) {
	return change.Get(ctx, g.k, func(tx *store.Tx) ([]ipam.Binding, error) { return tx.Bindings(see, f, p) })
}

// Binding reads a binding; CodeNotFound when there is none to see.
func (g *Gate) Binding(ctx context.Context, see ipam.Visible, id string) (ipam.Binding, error) {
	return change.Get(ctx, g.k, func(tx *store.Tx) (ipam.Binding, error) { return tx.Binding(see, id) })
}

// Bind gives a principal a role in a place, in which the caller must be admin. Errors: CodeInvalid, CodeNotFound (the principal, the
// scope, the pool), CodeForbidden.
func (g *Gate) Bind(ctx context.Context, by ipam.Caller, in ipam.NewBinding) (ipam.Binding, error) {
	if err := in.Check(); err != nil {
		return ipam.Binding{}, err
	}
	defer g.forgetAll()
	return change.Write(ctx, g.k, by, "system", func(c change.Change) (ipam.Binding, error) {
		if err := c.Tx.LockSystem(); err != nil {
			return ipam.Binding{}, err
		}
		to, err := g.whom(c, in)
		if err != nil {
			return ipam.Binding{}, err
		}
		b, err := placed(c, to, in)
		if err != nil {
			return b, err
		}
		n, err := c.Tx.CountBindings(to.UID)
		if err == nil && n >= ipam.MaxBindings {
			err = ipam.Invalid("/principal", "%s has %d bindings, and no principal has more; delete one first", to, n)
		}
		if err != nil {
			return b, err
		}
		return b, add(c, b)
	})
}

// Unbind takes a role away. Errors: CodeNotFound, also where the caller is not admin in its place; CodeInvalid for that of the first token.
func (g *Gate) Unbind(ctx context.Context, by ipam.Caller, id string) error {
	defer g.forgetAll()
	_, err := change.Write(ctx, g.k, by, "system", func(c change.Change) (struct{}, error) {
		none := struct{}{}
		if err := c.Tx.LockSystem(); err != nil {
			return none, err
		}
		b, err := c.Tx.Binding(c.By.Reaches(), id)
		if err != nil {
			return none, err
		}
		if b.Actor == (ipam.Principal{Kind: "token", Name: ipam.Bootstrap}).String() {
			return none, ipam.Invalid("path:binding", "the first token always may do everything, so that somebody can; revoke it where you do not want it")
		}
		if err := c.Tx.DeleteBinding(id); err != nil {
			return none, err
		}
		return none, c.Record(bindingObject(b), "deleted", b, nil)
	})
	return err
}

// whom is who gets a role: a principal, or whom an issuer vouches for, who may never have come in yet. Errors: CodeInvalid, CodeNotFound,
// CodeForbidden.
func (g *Gate) whom(c change.Change, in ipam.NewBinding) (ipam.Principal, error) {
	if in.Issuer == "" && in.Subject == "" {
		to, err := principal(c, in.Principal)
		return to, ipam.At("/principal", err)
	}
	switch {
	case in.Principal != "":
		return ipam.Principal{}, ipam.Invalid("/principal", "it names a principal and the subject of an issuer; leave one of them out")
	case in.Issuer == "" || in.Subject == "":
		return ipam.Principal{}, ipam.Invalid("/subject", "an issuer and its subject name somebody together; give both")
	case !c.By.Everywhere():
		return ipam.Principal{}, ipam.At("/issuer", ipam.Errorf(ipam.CodeForbidden, "to name somebody by his issuer takes the role %s everywhere, which %s has not", ipam.Admin, c.By))
	}
	url, kind, err := g.trust.Known(in.Issuer)
	if err != nil {
		return ipam.Principal{}, ipam.At("/issuer", err)
	}
	known, err := c.Tx.PrincipalOf(url, in.Subject)
	if err == nil || ipam.CodeOf(err) != ipam.CodeNotFound {
		return known.Principal, err
	}
	return introduce(c, ipam.Principal{Kind: kind, Name: issuer.NameOf(in.Subject), Issuer: url, Subject: in.Subject})
}

// principal reads whom a role is to be given to: of who is not admin everywhere, a token that may do nothing beyond where he is.
func principal(c change.Change, id ipam.UID) (ipam.Principal, error) {
	p, err := c.Tx.Principal(id)
	if err != nil || c.By.Reaches().All() {
		return p, err
	}
	seen, err := c.Tx.Tokens(c.By.Reaches(), ipam.TokenFilter{ID: string(ipam.KeyUID("token", id.Key()))}, ipam.Page{Limit: 1})
	if err == nil && len(seen) == 0 {
		err = ipam.NoSuch("principal", string(id))
	}
	return p, err
}

// placed is a binding that is asked for, in its place, in which the caller must be admin. Errors: CodeNotFound, CodeForbidden.
func placed(c change.Change, to ipam.Principal, in ipam.NewBinding) (ipam.Binding, error) {
	b := ipam.Binding{ID: change.NewID("binding"), Principal: to.UID, Actor: to.String(), Issuer: to.Issuer, Subject: to.Subject, Role: in.Role, Labels: in.Labels, CreatedAt: c.At}
	if in.Largest != nil {
		b.Largest = *in.Largest
	}
	var above []ipam.UID
	switch {
	case in.Pool != "":
		pool, err := ipam.RealPool(c.Tx.Pool(c.By.Sees(), in.Pool))
		if err != nil {
			return b, ipam.At("/pool", err)
		}
		b.In = pool.Inside()
		if above, err = c.Tx.PoolsAbove(pool.UID); err != nil {
			return b, err
		}
	case in.Scope != "":
		scope, err := ipam.RealScope(c.Tx.Scope(c.By.Sees(), in.Scope))
		if err != nil {
			return b, ipam.At("/scope", err)
		}
		b.In = scope.Root()
	}
	return b, c.By.BindingOver(b, above)
}

func add(c change.Change, b ipam.Binding) error {
	if err := c.Tx.InsertBinding(b); err != nil {
		return err
	}
	return c.Record(bindingObject(b), "created", nil, b)
}
