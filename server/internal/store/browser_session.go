package store

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// InsertSession adds a session of a browser by its keyed hash.
func (tx *Tx) InsertSession(s ipam.Session, hash []byte) error {
	return tx.rows.InsertSession(tx.ctx, query.InsertSessionParams{
		ID: s.ID.Key(), PrincipalID: s.Principal.UID.Key(), TokenID: keyOrNull(s.Token), Hash: hash, Claims: string(s.Claims), CreatedAt: micros(s.CreatedAt), EndsAt: micros(s.EndsAt),
	})
}

// SessionByHash reads a session; CodeNotFound when there is none.
func (tx *Tx) SessionByHash(hash []byte) (ipam.Session, error) {
	row, err := tx.rows.SessionByHash(tx.ctx, hash)
	if err != nil {
		return ipam.Session{}, absent(err, "session", "with this secret")
	}
	return browserSession(row)
}

// Sessions lists a page of sessions by age.
func (tx *Tx) Sessions(f ipam.SessionFilter, p ipam.Page) ([]ipam.Session, error) {
	s := tx.from("named_sessions", "id, principal_id, token_id, created_at, ends_at, used_at, kind, name, issuer, subject")
	s.key("id", sessionKey, f.ID)
	if f.Principal != "" {
		s.and("principal_id = ?", f.Principal.Key())
	}
	s.page(p, sessionKey, false)
	return list(tx, s, func(r *query.NamedSession) []any {
		return []any{&r.ID, &r.PrincipalID, &r.TokenID, &r.CreatedAt, &r.EndsAt, &r.UsedAt, &r.Kind, &r.Name, &r.Issuer, &r.Subject}
	}, browserSession)
}

// OverSessions lists up to limit sessions that are over: at a time, or because nobody used them since another.
func (tx *Tx) OverSessions(now, idleSince time.Time, limit int) ([]ipam.Session, error) {
	rows, err := tx.rows.OverSessions(tx.ctx, query.OverSessionsParams{Now: micros(now), IdleSince: micros(idleSince), MaxRows: int32(limit)})
	return all(rows, err, browserSession)
}

// UseSession notes when a session was used last.
func (tx *Tx) UseSession(id ipam.UID, at time.Time) error {
	return tx.rows.UseSession(tx.ctx, query.UseSessionParams{ID: id.Key(), At: micros(at)})
}

// DeleteSession removes a session; false when there is none.
func (tx *Tx) DeleteSession(id ipam.UID) (bool, error) {
	n, err := tx.rows.DeleteSession(tx.ctx, id.Key())
	return n > 0, err
}

// CountSessions counts the sessions of a principal.
func (tx *Tx) CountSessions(principal ipam.UID) (int64, error) {
	return tx.rows.CountSessions(tx.ctx, principal.Key())
}

func browserSession(row query.NamedSession) (ipam.Session, error) {
	return ipam.Session{
		ID:        uid(sessionKey, row.ID),
		Principal: ipam.Principal{UID: uid(principalKey, row.PrincipalID), Kind: row.Kind, Name: row.Name, Issuer: row.Issuer, Subject: row.Subject},
		Token:     optionalUID(tokenKey, row.TokenID), CreatedAt: moment(row.CreatedAt), EndsAt: moment(row.EndsAt), UsedAt: moment(row.UsedAt), Claims: []byte(row.Claims),
	}, nil
}
