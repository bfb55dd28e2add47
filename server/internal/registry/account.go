package registry

import (
	"context"
	"errors"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// accountObject is an account in the chain of the scope that it is or was in, whose lock every change of an account holds.
func accountObject(a, in ipam.Account) change.Object {
	return change.Object{Kind: "account", ID: string(a.UID), Space: in.ScopeUID, Scope: in.Scope, ScopeUID: in.ScopeUID}
}

// Accounts lists a page of accounts by age.
func (r *Registry) Accounts(ctx context.Context, f ipam.AccountFilter, p ipam.Page) ([]ipam.Account, error) {
	return change.Get(ctx, r.k, func(tx *store.Tx) ([]ipam.Account, error) { return tx.Accounts(f, p) })
}

// Account reads an account; CodeNotFound when there is none.
func (r *Registry) Account(ctx context.Context, id string) (ipam.Account, error) {
	return change.Get(ctx, r.k, func(tx *store.Tx) (ipam.Account, error) { return tx.Account(id) })
}

// CreateAccount registers an account. Errors: CodeInvalid, also for a scope that is not there, and CodeNameTaken.
func (r *Registry) CreateAccount(ctx context.Context, by ipam.Caller, in ipam.Account) (ipam.Account, error) {
	in = in.Filled()
	if err := in.Check(); err != nil {
		return ipam.Account{}, err
	}
	return write(ctx, r, by, scopeLane(in.Scope), func(c edit) (ipam.Account, error) {
		a := in
		scope, err := ipam.RealScope(c.Tx.LockScope(a.Scope))
		if err != nil {
			return a, noScope(err, a.Scope)
		}
		a.UID, a.Scope, a.ScopeUID = ipam.NewUID("account"), scope.ID, scope.UID
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
		return a, c.Record(accountObject(a, a), "created", nil, a)
	})
}

// noScope says that a scope named in a body is not there.
func noScope(err error, scope string) error {
	if e, ok := errors.AsType[*ipam.Error](err); ok && e.Code == ipam.CodeNotFound {
		return ipam.Invalid("/scope", "%s", e.Detail)
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
	return write(ctx, r, by, scopeLane(known.Scope), func(c edit) (ipam.Account, error) {
		before, to, err := c.lockAccount(known, patch.Scope)
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
		if to.UID != "" {
			after.Scope, after.ScopeUID = to.ID, to.UID
		}
		after.Version, after.UpdatedAt = before.Version+1, c.At
		if err := c.Tx.UpdateAccount(after, c.At); err != nil {
			return before, err
		}
		if after.ScopeUID == before.ScopeUID {
			return after, c.Record(accountObject(after, after), "updated", before, after)
		}
		// Told in both scopes: who reads one of them learns that it left, or came.
		if err := c.Record(accountObject(after, before), "moved_out", before, after); err != nil {
			return before, err
		}
		return after, c.Record(accountObject(after, after), "moved_in", before, after)
	})
}

// lockAccount reads an account under the lock of its scope, which is where its changes queue, and locks the scope that it moves
// to: by key, so that two accounts that change places never wait in a circle.
func (c edit) lockAccount(known ipam.Account, to *string) (a ipam.Account, into ipam.Scope, err error) {
	scopes := []ipam.UID{known.ScopeUID}
	if to != nil {
		if into, err = ipam.RealScope(c.Tx.Scope(*to)); err != nil {
			return known, into, noScope(err, *to)
		}
		scopes = append(scopes, into.UID)
	}
	slices.Sort(scopes)
	for _, s := range slices.Compact(scopes) {
		if _, err := ipam.RealScope(c.Tx.LockScope(string(s))); err != nil {
			return known, into, noScope(err, string(s))
		}
	}
	a, err = c.Tx.Account(known.ID)
	if err == nil && a.ScopeUID != known.ScopeUID {
		// It moved since the lane was chosen.
		return a, into, ipam.Errorf(ipam.CodePreconditionFailed, "account %q has changed; read it again", a.ID)
	}
	return a, into, err
}

// DeleteAccount forgets an account. Errors: CodeNotFound, CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) DeleteAccount(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	known, err := r.Account(ctx, id)
	if err != nil {
		return change.OrReplayMissing(ctx, r.k, by, err)
	}
	_, err = write(ctx, r, by, scopeLane(known.Scope), func(c edit) (struct{}, error) {
		none := struct{}{}
		a, _, err := c.lockAccount(known, nil)
		if err != nil {
			return none, err
		}
		if err := m.Require("account", id, a.ETag()); err != nil {
			return none, err
		}
		if err := c.Tx.DeleteAccount(a, c.At); err != nil {
			return none, err
		}
		return none, c.Record(accountObject(a, a), "deleted", a, nil)
	})
	return err
}
