package store

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Scope reads a scope or a draft of one; CodeNotFound when there is none.
func (tx *Tx) Scope(id string) (ipam.Scope, error) {
	row, err := tx.rows.Scope(tx.ctx, id)
	if err != nil {
		return ipam.Scope{}, absent(err, "scope", id)
	}
	return scope(row)
}

// LockScope reads a scope or a draft of one and holds its root space until the transaction ends.
func (tx *Tx) LockScope(id string) (ipam.Scope, error) {
	row, err := tx.rows.LockScope(tx.ctx, id)
	if err != nil {
		return ipam.Scope{}, absent(err, "scope", id)
	}
	return scope(row)
}

// Scopes lists a page of scopes by id, and drafts of scopes where they are wanted.
func (tx *Tx) Scopes(drafts bool, page ipam.Page) ([]ipam.Scope, error) {
	rows, err := tx.rows.Scopes(tx.ctx, query.ScopesParams{After: page.After.ID, Drafts: drafts, MaxRows: int32(page.Limit)})
	return all(rows, err, scope)
}

// InsertScope adds a scope or a draft of one.
func (tx *Tx) InsertScope(s ipam.Scope) error {
	return tx.rows.InsertScope(tx.ctx, query.InsertScopeParams{
		ID: s.ID, Description: s.Description, Labels: encodeLabels(s.Labels), CreatedAt: micros(s.CreatedAt), DraftUntil: optionalMicros(s.DraftUntil),
	})
}

// UpdateScope writes a scope's settings, and whether it is a draft, and moves its version.
func (tx *Tx) UpdateScope(s ipam.Scope, at time.Time) error {
	_, err := tx.rows.UpdateScope(tx.ctx, query.UpdateScopeParams{
		ID: s.ID, Description: s.Description, Labels: encodeLabels(s.Labels), DraftUntil: optionalMicros(s.DraftUntil), UpdatedAt: micros(at),
	})
	return err
}

// RenewScopeDraft moves the end of a draft.
func (tx *Tx) RenewScopeDraft(id string, until time.Time) error {
	return tx.rows.RenewScopeDraft(tx.ctx, query.RenewScopeDraftParams{ID: id, DraftUntil: new(micros(until))})
}

// StaleScopeDrafts lists drafts of scopes that expired before a time and have nothing in them any more.
func (tx *Tx) StaleScopeDrafts(before time.Time, limit int) ([]ipam.Scope, error) {
	rows, err := tx.rows.StaleScopeDrafts(tx.ctx, query.StaleScopeDraftsParams{DraftUntil: new(micros(before)), MaxRows: int32(limit)})
	return all(rows, err, scope)
}

// DeleteScope removes a scope that holds nothing.
func (tx *Tx) DeleteScope(id string) error {
	_, err := tx.rows.DeleteScope(tx.ctx, id)
	return err
}

func scope(row query.Scope) (ipam.Scope, error) {
	labels, err := decodeLabels(row.Labels)
	return ipam.Scope{
		ID: row.ID, Description: row.Description, Labels: labels, Version: row.Version,
		CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt), DraftUntil: optionalMoment(row.DraftUntil),
	}, err
}
