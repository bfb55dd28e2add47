package registry

import (
	"context"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

func scopeObject(id string) object {
	return object{kind: "scope", id: id, chain: ipam.RootSpace(id), scope: id}
}

// Scopes lists a page of scopes by id.
func (r *Registry) Scopes(ctx context.Context, p ipam.Page) ([]ipam.Scope, error) {
	return read(ctx, r, func(tx *store.Tx) ([]ipam.Scope, error) { return tx.Scopes(p) })
}

// Scope reads a scope; CodeNotFound when there is none.
func (r *Registry) Scope(ctx context.Context, id string) (ipam.Scope, error) {
	return read(ctx, r, func(tx *store.Tx) (ipam.Scope, error) { return tx.Scope(id) })
}

// CreateScope adds a scope. Errors: CodeInvalid, CodeNameTaken.
func (r *Registry) CreateScope(ctx context.Context, by ipam.Caller, s ipam.Scope) (ipam.Scope, error) {
	if err := ipam.CheckSlug("/name", s.ID); err != nil {
		return ipam.Scope{}, err
	}
	if err := ipam.CheckLabels(s.Labels); err != nil {
		return ipam.Scope{}, err
	}
	return write(ctx, r, by, ipam.RootSpace(s.ID), func(c change) (ipam.Scope, error) {
		if _, err := c.Scope(s.ID); err == nil {
			return s, nameTaken("scope", s.ID, "")
		} else if ipam.CodeOf(err) != ipam.CodeNotFound {
			return s, err
		}
		s.Version, s.CreatedAt, s.UpdatedAt = 1, c.at, c.at
		if err := c.InsertScope(s); err != nil {
			return s, err
		}
		return s, c.record(scopeObject(s.ID), "created", nil, s)
	})
}

// UpdateScope changes a scope. Errors: CodeNotFound, CodeInvalid, CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) UpdateScope(ctx context.Context, by ipam.Caller, id string, v Version, patch ipam.ScopePatch) (ipam.Scope, error) {
	return write(ctx, r, by, ipam.RootSpace(id), func(c change) (ipam.Scope, error) {
		before, err := c.LockScope(id)
		if err != nil {
			return before, err
		}
		if err := v.require("scope", id, before.Version); err != nil {
			return before, err
		}
		after := before.Apply(patch)
		if err := ipam.CheckLabels(after.Labels); err != nil {
			return before, err
		}
		after.Version, after.UpdatedAt = before.Version+1, c.at
		if err := c.UpdateScope(after, c.at); err != nil {
			return before, err
		}
		return after, c.record(scopeObject(id), "updated", before, after)
	})
}

// DeleteScope removes a scope without pools and accounts. Errors: CodeNotFound, CodeScopeNotEmpty, CodeInvalid for the default scope,
// CodePreconditionFailed, CodePreconditionRequired.
func (r *Registry) DeleteScope(ctx context.Context, by ipam.Caller, id string, v Version) error {
	_, err := write(ctx, r, by, ipam.RootSpace(id), func(c change) (struct{}, error) {
		none := struct{}{}
		s, err := c.LockScope(id)
		if err != nil {
			return none, err
		}
		if err := v.require("scope", id, s.Version); err != nil {
			return none, err
		}
		if id == ipam.DefaultScope {
			return none, ipam.Invalid("path:scope", "the scope %q always exists and cannot be deleted", id)
		}
		if err := c.dropRootDrafts(id); err != nil {
			return none, err
		}
		pools, err := c.Pools(ipam.PoolFilter{Scope: id}, ipam.Page{Limit: 5})
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
		accounts, err := c.Accounts(ipam.AccountFilter{Scope: id}, ipam.Page{Limit: 1})
		if err != nil {
			return none, err
		}
		if len(accounts) > 0 {
			return none, ipam.Errorf(ipam.CodeScopeNotEmpty, "scope %q has accounts, among them %s; delete them or move them to another scope first", id, accounts[0].ID)
		}
		if err := c.DeleteScope(id); err != nil {
			return none, err
		}
		return none, c.record(scopeObject(id), "deleted", s, nil)
	})
	return err
}

func nameTaken(kind, name, in string) error {
	if in != "" {
		in = " in pool " + in
	}
	e := ipam.Errorf(ipam.CodeNameTaken, "there is already a %s %q%s", kind, name, in)
	e.Fields = []ipam.FieldError{{Pointer: "/name", Detail: e.Detail}}
	return e
}
