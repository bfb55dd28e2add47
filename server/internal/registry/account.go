package registry

import (
	"context"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// accountObject is an account in the chain of a scope, whose lock every change of an account holds.
func accountObject(a ipam.Account, scope string) change.Object {
	return change.Object{Kind: "account", ID: a.ID, Chain: ipam.RootSpace(scope), Scope: scope}
}

// Accounts lists a page of accounts by id.
func (r *Registry) Accounts(ctx context.Context, f ipam.AccountFilter, p ipam.Page) ([]ipam.Account, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.Account, error) { return tx.Accounts(f, p) })
}

// Account reads an account; CodeNotFound when there is none.
func (r *Registry) Account(ctx context.Context, id string) (ipam.Account, error) {
	return read(ctx, r, func(tx *store.Tx) (ipam.Account, error) { return tx.Account(id) })
}

// CreateAccount registers an account. Errors: CodeInvalid, also for a scope that is not there, and CodeNameTaken.
func (r *Registry) CreateAccount(ctx context.Context, by ipam.Caller, in ipam.Account) (ipam.Account, error) {
	in = in.Filled()
	if err := in.Check(); err != nil {
		return ipam.Account{}, err
	}
	return write(ctx, r, by, ipam.RootSpace(in.Scope), func(c edit) (ipam.Account, error) {
		a := in
		if _, err := ipam.RealScope(c.Tx.LockScope(a.Scope)); err != nil {
			return a, noScope(err, a.Scope)
		}
		known, err := c.Tx.Account(a.ID)
		if err == nil {
			e := ipam.Errorf(ipam.CodeNameTaken, "there is already an account %s: %q in scope %s", known.ID, known.Name, known.Scope)
			e.Fields = []ipam.FieldError{{Pointer: "/external_id", Detail: e.Detail}}
			return a, e
		}
		if ipam.CodeOf(err) != ipam.CodeNotFound {
			return a, err
		}
		a.Version, a.CreatedAt, a.UpdatedAt = 1, c.At, c.At
		if err := c.Tx.InsertAccount(a); err != nil {
			return a, err
		}
		return a, c.Record(accountObject(a, a.Scope), "created", nil, a)
	})
}

// noScope tells that a scope named in a body is not there.
func noScope(err error, scope string) error {
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return ipam.Invalid("/scope", "there is no scope %q", scope)
	}
	return err
}

// UpdateAccount changes what is known of an account, and its scope. Errors: CodeNotFound, CodeInvalid,
// CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) UpdateAccount(ctx context.Context, by ipam.Caller, id string, m ipam.Match, patch ipam.AccountPatch) (ipam.Account, error) {
	known, err := r.Account(ctx, id)
	if err != nil {
		return change.OrReplay[ipam.Account](ctx, r.k, by, err) // changed by this very request, and deleted since
	}
	return write(ctx, r, by, ipam.RootSpace(known.Scope), func(c edit) (ipam.Account, error) {
		before, err := c.lockAccount(known)
		if err != nil {
			return before, err
		}
		if err := m.Require("account", id, before.ETag()); err != nil {
			return before, err
		}
		after := before.Apply(patch)
		if err := after.Check(); err != nil {
			return before, err
		}
		if after.Scope != before.Scope {
			if _, err := ipam.RealScope(c.Tx.Scope(after.Scope)); err != nil {
				return before, noScope(err, after.Scope)
			}
		}
		after.Version, after.UpdatedAt = before.Version+1, c.At
		if err := c.Tx.UpdateAccount(after, c.At); err != nil {
			return before, err
		}
		// In the chain of the scope that it leaves, whose lock is held.
		return after, c.Record(accountObject(after, before.Scope), "updated", before, after)
	})
}

// lockAccount reads an account under the lock of its scope, which is where its changes queue.
func (c edit) lockAccount(known ipam.Account) (ipam.Account, error) {
	if _, err := c.Tx.LockScope(known.Scope); err != nil {
		return known, err
	}
	a, err := c.Tx.Account(known.ID)
	if err == nil && a.Scope != known.Scope {
		// It moved since the lane was chosen.
		return a, ipam.Errorf(ipam.CodePreconditionFailed, "account %q has changed; read it again", a.ID)
	}
	return a, err
}

// DeleteAccount forgets an account. Errors: CodeNotFound, CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) DeleteAccount(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	known, err := r.Account(ctx, id)
	if err != nil {
		return change.OrReplayMissing(ctx, r.k, by, err)
	}
	_, err = write(ctx, r, by, ipam.RootSpace(known.Scope), func(c edit) (struct{}, error) {
		none := struct{}{}
		a, err := c.lockAccount(known)
		if err != nil {
			return none, err
		}
		if err := m.Require("account", id, a.ETag()); err != nil {
			return none, err
		}
		if err := c.Tx.DeleteAccount(id); err != nil {
			return none, err
		}
		return none, c.Record(accountObject(a, a.Scope), "deleted", a, nil)
	})
	return err
}
