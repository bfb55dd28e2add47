package store

import (
	"cmp"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// InsertBinding adds a binding.
func (tx *Tx) InsertBinding(b ipam.Binding) error {
	return tx.rows.InsertBinding(tx.ctx, query.InsertBindingParams{
		ID: ipam.KeyOf(bindingKey, b.ID), PrincipalID: b.Principal.Key(), Role: string(b.Role), ScopeID: keyOrNull(b.ScopeUID), PoolID: keyOrNull(b.PoolUID),
		Largest: int64(b.Largest), Labels: encodeLabels(b.Labels), CreatedAt: micros(b.CreatedAt),
	})
}

// BindingsOf lists up to limit bindings of a principal, the oldest first.
func (tx *Tx) BindingsOf(principal ipam.UID, limit int) ([]ipam.Binding, error) {
	rows, err := tx.rows.BindingsOf(tx.ctx, query.BindingsOfParams{PrincipalID: principal.Key(), MaxRows: int32(limit)})
	return all(rows, err, binding)
}

func binding(row query.NamedBinding) (ipam.Binding, error) {
	labels, err := decodeLabels(row.Labels)
	b := ipam.Binding{
		ID: id(bindingKey, row.ID), Principal: uid(principalKey, row.PrincipalID), Actor: actor(row.Actor), Issuer: row.Issuer, Subject: row.Subject, Role: ipam.Role(row.Role),
		Largest: int(row.Largest), Labels: labels, CreatedAt: moment(row.CreatedAt),
	}
	if row.ScopeID != nil {
		b.In = ipam.In{Scope: row.ScopeName, ScopeUID: uid(scopeKey, *row.ScopeID)}
	}
	if row.PoolID != nil {
		b.PoolUID = uid(poolKey, *row.PoolID)
		if row.PoolName != "" {
			b.Pool = ipam.PoolID(row.ScopeName, row.PoolName)
		}
	}
	return b, err
}

// Bindings lists a page of bindings by age.
func (tx *Tx) Bindings(see ipam.Visible, f ipam.BindingFilter, p ipam.Page) ([]ipam.Binding, error) {
	s := tx.from("named_bindings", "id, principal_id, actor, issuer, subject, role, scope_id, scope_name, pool_id, pool_name, largest, labels, created_at")
	s.sees(see, "scope_id", "pool_id")
	s.key("id", bindingKey, f.ID)
	if len(f.Principals) > 0 {
		s.text.WriteString(" AND principal_id IN " + s.oneOfUIDs(f.Principals))
	}
	s.inScope("scope_id", f.Scope)
	s.inPool("pool_id", f.Pool)
	s.page(p, bindingKey, false)
	return list(tx, s, func(r *query.NamedBinding) []any {
		return []any{&r.ID, &r.PrincipalID, &r.Actor, &r.Issuer, &r.Subject, &r.Role, &r.ScopeID, &r.ScopeName, &r.PoolID, &r.PoolName, &r.Largest, &r.Labels, &r.CreatedAt}
	}, binding)
}

// Binding reads a binding; CodeNotFound when there is none to see.
func (tx *Tx) Binding(see ipam.Visible, id string) (ipam.Binding, error) {
	if ipam.KeyOf(bindingKey, id) == 0 {
		return ipam.Binding{}, ipam.NoSuch("binding", id)
	}
	found, err := tx.Bindings(see, ipam.BindingFilter{ID: id}, ipam.Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return ipam.Binding{}, cmp.Or(err, error(ipam.NoSuch("binding", id)))
	}
	return found[0], nil
}

// CountBindings counts the bindings of a principal.
func (tx *Tx) CountBindings(principal ipam.UID) (int64, error) {
	return tx.rows.CountBindings(tx.ctx, principal.Key())
}

// DeleteBinding removes a binding.
func (tx *Tx) DeleteBinding(id string) error {
	_, err := tx.rows.DeleteBinding(tx.ctx, ipam.KeyOf(bindingKey, id))
	return err
}
