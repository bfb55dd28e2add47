package store

import (
	"context"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Scope reads a scope or a draft of one by its id or its UID. Errors: CodeNotFound, with its present name when it has left this one.
func (tx *Tx) Scope(see ipam.Visible, id string) (ipam.Scope, error) {
	return tx.scope(see, id, tx.rows.Scope, tx.rows.ScopeNamed)
}

// LockScope reads a scope or a draft of one and holds its root space until the transaction ends. Errors: those of Scope.
func (tx *Tx) LockScope(see ipam.Visible, id string) (ipam.Scope, error) {
	return tx.scope(see, id, tx.rows.LockScope, tx.rows.LockScopeNamed)
}

func (tx *Tx) scope(see ipam.Visible, id string, byKey func(context.Context, int64) (query.Scope, error), byName func(context.Context, string) (query.Scope, error)) (ipam.Scope, error) {
	var row query.Scope
	var err error
	key := ipam.KeyOf(scopeKey, id)
	if key != 0 {
		row, err = byKey(tx.ctx, key)
	} else {
		row, err = byName(tx.ctx, id)
	}
	missing := ipam.NoSuch("scope", id)
	switch {
	case noRows(err) && key == 0:
		return ipam.Scope{}, tx.formerScope(see, id, missing)
	case err != nil:
		return ipam.Scope{}, absent(err, "scope", id)
	}
	s, err := scope(row)
	if err == nil && !see.All() && !slices.Contains(see.ScopesRead(), s.UID) {
		return ipam.Scope{}, missing
	}
	return s, err
}

// Scopes lists a page of scopes by age, and drafts of scopes where they are wanted.
func (tx *Tx) Scopes(see ipam.Visible, drafts bool, page ipam.Page) ([]ipam.Scope, error) {
	return tx.scopes(see, drafts, "", page)
}

func (tx *Tx) scopes(see ipam.Visible, drafts bool, text string, page ipam.Page) ([]ipam.Scope, error) {
	s := tx.from("scopes", "id, name, description, labels, version, draft_until, created_at, updated_at")
	if !see.All() {
		s.and("id IN " + s.oneOfUIDs(append(see.ScopesRead(), ""))) // the empty key is no scope's
	}
	if !drafts {
		s.and("draft_until IS NULL")
	}
	s.contains(text, "name", "description", "labels")
	s.page(page, scopeKey, false)
	return list(tx, s, func(r *query.Scope) []any {
		return []any{&r.ID, &r.Name, &r.Description, &r.Labels, &r.Version, &r.DraftUntil, &r.CreatedAt, &r.UpdatedAt}
	}, scope)
}

// InsertScope adds a scope or a draft of one.
func (tx *Tx) InsertScope(s ipam.Scope) error {
	if err := tx.takeScopeName(s, true); err != nil {
		return err
	}
	return tx.rows.InsertScope(tx.ctx, query.InsertScopeParams{
		ID: s.UID.Key(), Name: s.ID, Description: s.Description, Labels: encodeLabels(s.Labels),
		CreatedAt: micros(s.CreatedAt), DraftUntil: optionalMicros(s.DraftUntil),
	})
}

// UpdateScope writes a scope's name and settings, and whether it is a draft, and moves its version.
func (tx *Tx) UpdateScope(s ipam.Scope, at time.Time) error {
	if err := tx.takeScopeName(s, false); err != nil {
		return err
	}
	tx.forgetPools()
	_, err := tx.rows.UpdateScope(tx.ctx, query.UpdateScopeParams{
		ID: s.UID.Key(), Name: s.ID, Description: s.Description, Labels: encodeLabels(s.Labels), DraftUntil: optionalMicros(s.DraftUntil), UpdatedAt: micros(at),
	})
	return err
}

// RenewScopeDraft moves the end of a draft.
func (tx *Tx) RenewScopeDraft(u ipam.UID, until time.Time) error {
	return tx.rows.RenewScopeDraft(tx.ctx, query.RenewScopeDraftParams{ID: u.Key(), DraftUntil: new(micros(until))})
}

// StaleScopeDrafts lists drafts of scopes that expired before a time and have nothing in them any more.
func (tx *Tx) StaleScopeDrafts(before time.Time, limit int) ([]ipam.Scope, error) {
	rows, err := tx.rows.StaleScopeDrafts(tx.ctx, query.StaleScopeDraftsParams{DraftUntil: new(micros(before)), MaxRows: int32(limit)})
	return all(rows, err, scope)
}

// DeleteScope removes a scope that holds nothing.
func (tx *Tx) DeleteScope(s ipam.Scope, at time.Time) error {
	if err := tx.LeaveScopeName(s, at); err != nil {
		return err
	}
	_, err := tx.rows.DeleteScope(tx.ctx, s.UID.Key())
	return err
}

func scope(row query.Scope) (ipam.Scope, error) {
	labels, err := decodeLabels(row.Labels)
	return ipam.Scope{
		ID: row.Name, UID: uid(scopeKey, row.ID), Description: row.Description, Labels: labels, Version: row.Version,
		CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt), DraftUntil: optionalMoment(row.DraftUntil),
	}, err
}
