package registry

import (
	"context"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Scopes lists a page of scopes by id.
func (r *Registry) Scopes(ctx context.Context, p ipam.Page) ([]ipam.Scope, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.Scope, error) { return tx.Scopes(false, p) })
}

// Scope reads a scope; CodeNotFound when there is none.
func (r *Registry) Scope(ctx context.Context, id string) (ipam.Scope, error) {
	return read(ctx, r, func(tx *store.Tx) (ipam.Scope, error) { return ipam.RealScope(tx.Scope(id)) })
}

// CreateScope adds a scope. Errors: CodeInvalid, CodeNameTaken.
func (r *Registry) CreateScope(ctx context.Context, by ipam.Caller, s ipam.Scope) (ipam.Scope, error) {
	if err := ipam.CheckSlug("/name", s.ID); err != nil {
		return ipam.Scope{}, err
	}
	if err := ipam.CheckLabels(s.Labels); err != nil {
		return ipam.Scope{}, err
	}
	return write(ctx, r, by, ipam.RootSpace(s.ID), func(c edit) (ipam.Scope, error) {
		draft, err := c.Tx.LockScope(s.ID)
		switch {
		case ipam.CodeOf(err) == ipam.CodeNotFound:
			s.Version, s.CreatedAt, s.UpdatedAt = 1, c.At, c.At
			if err := c.Tx.InsertScope(s); err != nil {
				return s, err
			}
			return s, c.Record(change.ScopeObject(s.ID), "created", nil, s)
		case err != nil:
			return s, err
		case draft.DraftUntil == nil:
			return s, nameTaken("scope", s.ID, "")
		}
		s.Version, s.CreatedAt, s.UpdatedAt = draft.Version+1, draft.CreatedAt, c.At
		if err := c.Tx.UpdateScope(s, c.At); err != nil {
			return s, err
		}
		return s, c.Record(change.ScopeObject(s.ID), "created", draft, s)
	})
}

// UpdateScope changes a scope. Errors: CodeNotFound, CodeInvalid, CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) UpdateScope(ctx context.Context, by ipam.Caller, id string, m ipam.Match, patch ipam.ScopePatch) (ipam.Scope, error) {
	return write(ctx, r, by, ipam.RootSpace(id), func(c edit) (ipam.Scope, error) {
		before, err := ipam.RealScope(c.Tx.LockScope(id))
		if err != nil {
			return before, err
		}
		if err := m.Require("scope", id, before.ETag()); err != nil {
			return before, err
		}
		after := before.Apply(patch)
		if err := ipam.CheckLabels(after.Labels); err != nil {
			return before, err
		}
		after.Version, after.UpdatedAt = before.Version+1, c.At
		if err := c.Tx.UpdateScope(after, c.At); err != nil {
			return before, err
		}
		return after, c.Record(change.ScopeObject(id), "updated", before, after)
	})
}

// DeleteScope removes a scope without pools and accounts. Errors: CodeNotFound, CodeScopeNotEmpty, CodeInvalid for the default scope,
// CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) DeleteScope(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	_, err := write(ctx, r, by, ipam.RootSpace(id), func(c edit) (struct{}, error) {
		none := struct{}{}
		s, err := ipam.RealScope(c.Tx.LockScope(id))
		if err != nil {
			return none, err
		}
		if err := m.Require("scope", id, s.ETag()); err != nil {
			return none, err
		}
		if id == ipam.DefaultScope {
			return none, ipam.Invalid("path:scope", "the scope %q always exists and cannot be deleted", id)
		}
		if err := c.dropRootDrafts(id); err != nil {
			return none, err
		}
		pools, err := c.Tx.Pools(ipam.PoolFilter{Scope: id}, ipam.Page{Limit: 5})
		if err != nil {
			return none, err
		}
		if len(pools) > 0 {
			e := ipam.Errorf(ipam.CodeScopeNotEmpty, "scope %q holds pools, among them %s; delete them first", id, pools[0].ID)
			for _, p := range pools {
				e.Holders = append(e.Holders, ipam.Holder{Kind: ipam.KindPool, ID: p.ID, Name: p.Name, CIDR: p.CIDR})
			}
			return none, e
		}
		accounts, err := c.Tx.Accounts(ipam.AccountFilter{Scope: id}, ipam.Page{Limit: 1})
		if err != nil {
			return none, err
		}
		if len(accounts) > 0 {
			return none, ipam.Errorf(ipam.CodeScopeNotEmpty, "scope %q has accounts, among them %s; delete them or move them to another scope first", id, accounts[0].ID)
		}
		if err := c.Tx.DeleteScope(id); err != nil {
			return none, err
		}
		return none, c.Record(change.ScopeObject(id), "deleted", s, nil)
	})
	return err
}

// draftScope makes or renews the draft of a scope that a plan creates, under whose root a pool is drafted. A scope that is
// there will do: the plan is being applied, or somebody was faster, which the plan's apply will say.
func (c edit) draftScope(id string, until time.Time) error {
	known, err := c.Tx.LockScope(id)
	switch {
	case ipam.CodeOf(err) == ipam.CodeNotFound:
		s := ipam.Scope{ID: id, Labels: ipam.Labels{}, Version: 1, CreatedAt: c.At, UpdatedAt: c.At, DraftUntil: &until}
		if err := c.Tx.InsertScope(s); err != nil {
			return err
		}
		return c.Record(change.ScopeObject(id), "drafted", nil, s)
	case err != nil || known.DraftUntil == nil || !known.DraftUntil.Before(until):
		return err
	}
	return c.Tx.RenewScopeDraft(id, until)
}

// forgetScopeDrafts drops drafts of scopes a day after they expired, once no draft of a pool is left in them.
func (r *Registry) forgetScopeDrafts(ctx context.Context, by ipam.Caller, before time.Time) error {
	drafts, err := read(ctx, r, func(tx *store.Tx) ([]ipam.Scope, error) { return tx.StaleScopeDrafts(before, 1000) })
	if err != nil {
		return err
	}
	for _, d := range drafts {
		_, err := write(ctx, r, by, ipam.RootSpace(d.ID), func(c edit) (struct{}, error) {
			draft, err := c.Tx.LockScope(d.ID)
			if err != nil || draft.DraftUntil == nil || !draft.DraftUntil.Before(before) {
				return struct{}{}, err // created or renewed meanwhile
			}
			inside, err := c.Tx.Pools(ipam.PoolFilter{Scope: d.ID, Drafts: true}, ipam.Page{Limit: 1})
			if err != nil || len(inside) > 0 {
				return struct{}{}, err
			}
			if err := c.Tx.DeleteScope(d.ID); err != nil {
				return struct{}{}, err
			}
			return struct{}{}, c.Record(change.ScopeObject(d.ID), "draft_dropped", draft, nil)
		})
		if err != nil && ipam.CodeOf(err) != ipam.CodeNotFound {
			return err
		}
	}
	return nil
}

func nameTaken(kind, name, in string) error {
	if in != "" {
		in = " in pool " + in
	}
	e := ipam.Errorf(ipam.CodeNameTaken, "there is already a %s %q%s", kind, name, in)
	e.Fields = []ipam.FieldError{{Pointer: "/name", Detail: e.Detail}}
	return e
}
