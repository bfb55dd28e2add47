// Package account keeps the accounts of clouds: where networks live, who owns them, and what CloudPAM may do there.
package account

import (
	"cmp"
	"context"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Book serves the accounts. It is safe for concurrent use.
type Book struct{ k *change.Kernel }

// New makes a Book.
func New(k *change.Kernel) *Book { return &Book{k} }

// object is an account in the chain of the scope that it is or was in, whose lock every change of an account holds.
func object(a, in ipam.Account) change.Object {
	return change.Object{Kind: "account", ID: string(a.UID), Space: in.ScopeUID, Scope: in.Scope, ScopeUID: in.ScopeUID}
}

// Accounts lists a page of accounts by age.
func (b *Book) Accounts(ctx context.Context, see ipam.Visible, f ipam.AccountFilter, p ipam.Page) ([]ipam.Account, error) {
	return change.Get(ctx, b.k, func(tx *store.Tx) ([]ipam.Account, error) { return tx.Accounts(see, f, p) })
}

// Account reads an account; CodeNotFound when there is none.
func (b *Book) Account(ctx context.Context, see ipam.Visible, id string) (ipam.Account, error) {
	return change.Get(ctx, b.k, func(tx *store.Tx) (ipam.Account, error) { return tx.Account(see, id) })
}

// CreateAccount registers an account, which takes a role everywhere: it is registered once, in whatever scope. Errors: CodeInvalid, also
// for a scope that is not there, and CodeNameTaken.
func (b *Book) CreateAccount(ctx context.Context, by ipam.Caller, in ipam.Account) (ipam.Account, error) {
	in = in.Filled()
	if err := in.Check(); err != nil {
		return ipam.Account{}, err
	}
	return change.Write(ctx, b.k, by, ipam.ScopeLane(in.Scope), func(c change.Change) (ipam.Account, error) {
		a := in
		if err := c.May(ipam.In{}); err != nil {
			return a, err
		}
		scope, err := ipam.RealScope(c.Tx.LockScope(ipam.Everything, a.Scope))
		if err != nil {
			return a, ipam.NoScope(err)
		}
		a.UID, a.Scope, a.ScopeUID = ipam.NewUID("account"), scope.ID, scope.UID
		known, err := c.Tx.Account(ipam.Everything, a.ID)
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
		return a, c.Record(object(a, a), "created", nil, a)
	})
}

// UpdateAccount changes what is known of an account, and its scope. Errors: CodeNotFound, CodeInvalid,
// CodePreconditionFailed, CodePreconditionRequired.
func (b *Book) UpdateAccount(ctx context.Context, by ipam.Caller, id string, m ipam.Match, patch ipam.AccountPatch) (ipam.Account, error) {
	known, err := b.Account(ctx, by.Sees(), id)
	if err != nil {
		return change.OrReplay[ipam.Account](ctx, b.k, by, err) // changed by this very request, and deleted since
	}
	return change.Write(ctx, b.k, by, ipam.ScopeLane(known.Scope), func(c change.Change) (ipam.Account, error) {
		before, to, err := lock(c, known, patch.Scope)
		if err != nil {
			return before, err
		}
		if to.UID != "" { // it leaves one place for another
			err = c.May(to.Root())
		}
		if err = cmp.Or(c.May(before.In()), err); err != nil {
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
			return after, c.Record(object(after, after), "updated", before, after)
		}
		// Told in both scopes: who reads one of them learns that it left, or came.
		if err := c.Record(object(after, before), "moved_out", before, after); err != nil {
			return before, err
		}
		return after, c.Record(object(after, after), "moved_in", before, after)
	})
}

// lock reads an account under the lock of its scope, which is where its changes queue, and locks the scope that it moves
// to: by key, so that two accounts that change places never wait in a circle.
func lock(c change.Change, known ipam.Account, to *string) (a ipam.Account, into ipam.Scope, err error) {
	scopes := []ipam.UID{known.ScopeUID}
	if to != nil {
		if into, err = ipam.RealScope(c.Tx.Scope(c.By.Sees(), *to)); err != nil {
			return known, into, ipam.NoScope(err)
		}
		scopes = append(scopes, into.UID)
	}
	slices.Sort(scopes)
	for _, s := range slices.Compact(scopes) {
		if _, err := ipam.RealScope(c.Tx.LockScope(ipam.Everything, string(s))); err != nil {
			return known, into, ipam.NoScope(err)
		}
	}
	a, err = c.Tx.Account(ipam.Everything, known.ID)
	if err == nil && a.ScopeUID != known.ScopeUID {
		// It moved since the lane was chosen.
		return a, into, ipam.Errorf(ipam.CodePreconditionFailed, "account %q has changed; read it again", a.ID)
	}
	return a, into, err
}

// DeleteAccount forgets an account. Errors: CodeNotFound, CodePreconditionFailed, CodePreconditionRequired.
func (b *Book) DeleteAccount(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	known, err := b.Account(ctx, by.Sees(), id)
	if err != nil {
		return change.OrReplayMissing(ctx, b.k, by, err)
	}
	_, err = change.Write(ctx, b.k, by, ipam.ScopeLane(known.Scope), func(c change.Change) (struct{}, error) {
		none := struct{}{}
		a, _, err := lock(c, known, nil)
		if err != nil {
			return none, err
		}
		if err := c.May(a.In()); err != nil {
			return none, err
		}
		if err := m.Require("account", id, a.ETag()); err != nil {
			return none, err
		}
		if err := c.Tx.DeleteAccount(a, c.At); err != nil {
			return none, err
		}
		return none, c.Record(object(a, a), "deleted", a, nil)
	})
	return err
}
