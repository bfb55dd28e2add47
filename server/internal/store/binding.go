package store

import (
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
		ID: id(bindingKey, row.ID), Principal: uid(principalKey, row.PrincipalID), Actor: actor(row.Actor), Role: ipam.Role(row.Role),
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
