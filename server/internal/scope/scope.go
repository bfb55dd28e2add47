// Package scope keeps the scopes: address spaces side by side, each with pools of its own, which may overlap those of others.
package scope

import (
	"context"
	"errors"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/quarantine"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Book serves the scopes. It is safe for concurrent use.
type Book struct {
	k     *change.Kernel
	clear func(change.Change, ipam.Scope) error
}

// New makes a Book. Clear ends what only plans know at the root of a scope that is to be deleted, whose lock the change holds.
func New(k *change.Kernel, clear func(change.Change, ipam.Scope) error) *Book { return &Book{k, clear} }

// Scopes lists a page of scopes by age.
func (b *Book) Scopes(ctx context.Context, see ipam.Visible, p ipam.Page) ([]ipam.Scope, error) {
	return change.Get(ctx, b.k, func(tx *store.Tx) ([]ipam.Scope, error) { return tx.Scopes(see, false, p) })
}

// Scope reads a scope; CodeNotFound when there is none.
func (b *Book) Scope(ctx context.Context, see ipam.Visible, id string) (ipam.Scope, error) {
	return change.Get(ctx, b.k, func(tx *store.Tx) (ipam.Scope, error) { return ipam.RealScope(tx.Scope(see, id)) })
}

// CreateScope adds a scope, which takes a role everywhere: its name is one of all scopes. Errors: CodeInvalid, CodeNameTaken.
func (b *Book) CreateScope(ctx context.Context, by ipam.Caller, s ipam.Scope) (ipam.Scope, error) {
	if err := ipam.CheckSlug("/name", s.ID); err != nil {
		return ipam.Scope{}, err
	}
	if err := ipam.CheckLabels(s.Labels); err != nil {
		return ipam.Scope{}, err
	}
	return change.Write(ctx, b.k, by, ipam.ScopeLane(s.ID), func(c change.Change) (ipam.Scope, error) {
		if err := c.May(ipam.In{}); err != nil {
			return s, err
		}
		draft, err := c.Tx.LockScope(ipam.Everything, s.ID)
		switch {
		case ipam.CodeOf(err) == ipam.CodeNotFound:
			s.UID, s.Version, s.CreatedAt, s.UpdatedAt = ipam.NewUID("scope"), 1, c.At, c.At
			if err := c.Tx.InsertScope(s); err != nil {
				return s, err
			}
			return s, c.Record(change.ScopeObject(s), "created", nil, s)
		case err != nil:
			return s, err
		case draft.DraftUntil == nil:
			return s, ipam.NameTaken("scope", s.ID)
		}
		s.UID, s.Version, s.CreatedAt, s.UpdatedAt = draft.UID, draft.Version+1, draft.CreatedAt, c.At
		if err := c.Tx.UpdateScope(s, c.At); err != nil {
			return s, err
		}
		return s, c.Record(change.ScopeObject(s), "created", draft, s)
	})
}

// UpdateScope changes a scope, or renames it, which takes a role everywhere. Errors: CodeNotFound, CodeNameTaken, CodeInvalid, CodePreconditionFailed, CodePreconditionRequired.
func (b *Book) UpdateScope(ctx context.Context, by ipam.Caller, id string, m ipam.Match, patch ipam.ScopePatch) (ipam.Scope, error) {
	return change.Write(ctx, b.k, by, ipam.ScopeLane(id), func(c change.Change) (ipam.Scope, error) {
		before, err := ipam.RealScope(c.Tx.LockScope(c.By.Sees(), id))
		if err != nil {
			return before, err
		}
		if err := c.May(before.Root()); err != nil {
			return before, err
		}
		if err := m.Require("scope", before.ID, before.ETag()); err != nil {
			return before, err
		}
		after := before.Apply(patch)
		if err := ipam.CheckLabels(after.Labels); err != nil {
			return before, err
		}
		if after.ID != before.ID {
			if err := c.May(ipam.In{}); err != nil {
				return before, err
			}
			if err := rename(c, before, after.ID); err != nil {
				return before, err
			}
		}
		after.Version, after.UpdatedAt = before.Version+1, c.At
		if err := c.Tx.UpdateScope(after, c.At); err != nil {
			return before, err
		}
		return after, c.Record(change.ScopeObject(after), "updated", before, after)
	})
}

// rename makes a scope leave its name for another. The ids of its pools follow: rows refer to keys.
func rename(c change.Change, s ipam.Scope, name string) error {
	if s.ID == ipam.DefaultScope {
		return ipam.Invalid("/name", "the scope %q keeps its name: pools without a scope in their id are in it", s.ID)
	}
	if err := ipam.CheckSlug("/name", name); err != nil {
		return err
	}
	other, err := c.Tx.Scope(ipam.Everything, name)
	switch {
	case err == nil && other.DraftUntil == nil:
		return ipam.NameTaken("scope", name)
	case err == nil:
		return ipam.Errorf(ipam.CodeNameTaken, "scope %q is planned by somebody; choose another name", name)
	case ipam.CodeOf(err) != ipam.CodeNotFound:
		return err
	}
	return c.Tx.LeaveScopeName(s, c.At)
}

// DeleteScope removes a scope without pools and accounts, which takes a role everywhere. Errors: CodeNotFound, CodeScopeNotEmpty, CodeInvalid for the default scope,
// CodePreconditionFailed, CodePreconditionRequired.
func (b *Book) DeleteScope(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	_, err := change.Write(ctx, b.k, by, ipam.ScopeLane(id), func(c change.Change) (struct{}, error) {
		none := struct{}{}
		s, err := ipam.RealScope(c.Tx.LockScope(c.By.Sees(), id))
		if err != nil {
			return none, err
		}
		if err := c.May(ipam.In{}); err != nil {
			return none, err
		}
		if err := m.Require("scope", s.ID, s.ETag()); err != nil {
			return none, err
		}
		if s.ID == ipam.DefaultScope {
			return none, ipam.Invalid("path:scope", "the scope %q always exists and cannot be deleted", s.ID)
		}
		if err := b.clear(c, s); err != nil {
			return none, err
		}
		pools, err := c.Tx.Pools(ipam.Everything, ipam.PoolFilter{Scope: string(s.UID)}, ipam.Page{Limit: 5})
		if err != nil {
			return none, err
		}
		if len(pools) > 0 {
			return none, ipam.ScopeNotEmpty(s, pools)
		}
		if err := quarantine.Clear(c, s); err != nil {
			return none, err
		}
		accounts, err := c.Tx.Accounts(ipam.Everything, ipam.AccountFilter{Scope: string(s.UID)}, ipam.Page{Limit: 1})
		if err != nil {
			return none, err
		}
		if len(accounts) > 0 {
			return none, ipam.Errorf(ipam.CodeScopeNotEmpty, "scope %q has accounts, among them %s; delete them or move them to another scope first", s.ID, accounts[0].ID)
		}
		ignores, err := c.Tx.DriftIgnores(s)
		if err != nil {
			return none, err
		}
		for _, i := range ignores { // what somebody ignored in it has no meaning any more
			if err := errors.Join(c.Tx.DeleteDriftIgnore(i), c.Record(change.IgnoreObject(i), "ended", i, nil)); err != nil {
				return none, err
			}
		}
		if err := c.Tx.DeleteScope(s, c.At); err != nil {
			return none, err
		}
		return none, c.Record(change.ScopeObject(s), "deleted", s, nil)
	})
	return err
}

// Draft makes or renews the draft of a scope that a plan creates, under whose root a pool is drafted. A scope that is
// there will do: the plan is being applied, or somebody was faster, which the plan's apply will say. It takes a role everywhere, as the
// scope itself will, unless the caller sees the scope.
func Draft(c change.Change, id string, until time.Time) error {
	if _, err := c.Tx.Scope(c.By.Sees(), id); ipam.CodeOf(err) == ipam.CodeNotFound {
		err = c.May(ipam.In{})
		if err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	known, err := c.Tx.LockScope(ipam.Everything, id)
	switch {
	case ipam.CodeOf(err) == ipam.CodeNotFound:
		s := ipam.Scope{ID: id, UID: ipam.NewUID("scope"), Labels: ipam.Labels{}, Version: 1, CreatedAt: c.At, UpdatedAt: c.At, DraftUntil: &until}
		if err := c.Tx.InsertScope(s); err != nil {
			return err
		}
		return c.Record(change.ScopeObject(s), "drafted", nil, s)
	case err != nil || known.DraftUntil == nil || !known.DraftUntil.Before(until):
		return err
	}
	return c.Tx.RenewScopeDraft(known.UID, until)
}

// DropDraft drops a draft that expired before a time, and reports whether it did: not one that has been created, renewed,
// or got something in it meanwhile.
func DropDraft(ctx context.Context, k *change.Kernel, by ipam.Caller, d ipam.Scope, before time.Time) (dropped bool, err error) {
	_, err = change.Write(ctx, k, by, ipam.ScopeLane(d.ID), func(c change.Change) (struct{}, error) {
		none := struct{}{}
		draft, err := c.Tx.LockScope(ipam.Everything, string(d.UID))
		if err != nil || draft.DraftUntil == nil || !draft.DraftUntil.Before(before) {
			return none, err
		}
		inside, err := c.Tx.Pools(ipam.Everything, ipam.PoolFilter{Scope: string(d.UID), Drafts: true}, ipam.Page{Limit: 1})
		if err != nil || len(inside) > 0 {
			return none, err
		}
		if err := c.Tx.DeleteScope(draft, c.At); err != nil {
			return none, err
		}
		dropped = true
		return none, c.Record(change.ScopeObject(draft), "draft_dropped", draft, nil)
	})
	return dropped && err == nil, err
}
