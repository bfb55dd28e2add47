package store

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// TokenKey is the key of the tokens' hashes; CodeNotFound before the first start.
func (tx *Tx) TokenKey() ([]byte, error) {
	row, err := tx.rows.Instance(tx.ctx)
	return row.TokenKey, absent(err, "instance", "1")
}

// InsertInstance records a new installation with the key of its tokens' hashes.
func (tx *Tx) InsertInstance(key []byte, at time.Time) error {
	return tx.rows.InsertInstance(tx.ctx, query.InsertInstanceParams{TokenKey: key, CreatedAt: micros(at)})
}

// InsertToken adds a token by its keyed hash.
func (tx *Tx) InsertToken(t ipam.Token, hash []byte) error {
	var expires *int64
	if t.ExpiresAt != nil {
		at := micros(*t.ExpiresAt)
		expires = &at
	}
	return tx.rows.InsertToken(tx.ctx, query.InsertTokenParams{ID: ipam.KeyOf(tokenKey, t.ID), Hash: hash, CreatedAt: micros(t.CreatedAt), ExpiresAt: expires, ScopeID: keyOrNull(t.ScopeUID)})
}

// TokenByHash reads a token, revoked and expired ones too; CodeNotFound when there is none.
func (tx *Tx) TokenByHash(hash []byte) (ipam.Token, error) {
	row, err := tx.rows.TokenByHash(tx.ctx, hash)
	if err != nil {
		return ipam.Token{}, absent(err, "token", "with this secret")
	}
	return token(row)
}

// Tokens lists a page of tokens by age: of who does not see everything, those that have bindings in what he sees, and no others.
func (tx *Tx) Tokens(see ipam.Visible, f ipam.TokenFilter, p ipam.Page) ([]ipam.Token, error) {
	s := tx.from("named_tokens", "id, name, created_at, expires_at, revoked_at, scope_id, used_at")
	if !see.All() {
		s.text.WriteString(" AND EXISTS (SELECT 1 FROM bindings b WHERE b.principal_id = named_tokens.id)" +
			" AND NOT EXISTS (SELECT 1 FROM bindings b WHERE b.principal_id = named_tokens.id AND COALESCE(" + s.visible(see, "b.scope_id", "b.pool_id") + ", FALSE) = FALSE)")
	}
	s.key("id", tokenKey, f.ID)
	if f.Living != nil {
		is := map[bool]string{true: "", false: "NOT "}[*f.Living]
		s.and(is+"(revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?))", micros(f.At))
	}
	s.page(p, tokenKey, false)
	return list(tx, s, func(r *query.NamedToken) []any {
		return []any{&r.ID, &r.Name, &r.CreatedAt, &r.ExpiresAt, &r.RevokedAt, &r.ScopeID, &r.UsedAt}
	}, token)
}

// TokenNamed reports whether a token of a scope, or one of more than a scope (""), has a name and lets somebody in.
func (tx *Tx) TokenNamed(scope ipam.UID, name string, now time.Time) (bool, error) {
	_, err := tx.rows.TokenNamed(tx.ctx, query.TokenNamedParams{Name: name, ScopeID: scope.Key(), Now: micros(now)})
	return err == nil, orMissing(err, nil)
}

// UseToken notes when a token was used last.
func (tx *Tx) UseToken(id string, at time.Time) error {
	return tx.rows.UseToken(tx.ctx, query.UseTokenParams{ID: ipam.KeyOf(tokenKey, id), At: micros(at)})
}

// RevokeToken ends a token; false when there is none or it has ended.
func (tx *Tx) RevokeToken(id string, at time.Time) (bool, error) {
	now := micros(at)
	n, err := tx.rows.RevokeToken(tx.ctx, query.RevokeTokenParams{ID: ipam.KeyOf(tokenKey, id), RevokedAt: &now})
	return n > 0, err
}

func token(row query.NamedToken) (ipam.Token, error) {
	return ipam.Token{
		ID: id(tokenKey, row.ID), Name: row.Name, CreatedAt: moment(row.CreatedAt), ScopeUID: optionalUID(scopeKey, row.ScopeID),
		ExpiresAt: optionalMoment(row.ExpiresAt), RevokedAt: optionalMoment(row.RevokedAt), UsedAt: optionalMoment(row.UsedAt),
	}, nil
}

// Answer is the stored answer of a request that carried an Idempotency-Key.
type Answer struct {
	Fingerprint []byte
	Body        string
	Refused     bool // the body is an error that must be told again
}

// Answer reads the answer given to a principal's key; false when there is none.
func (tx *Tx) Answer(principal ipam.UID, key string) (Answer, bool, error) {
	digest := answerDigest(principal, key)
	a, known, err := tx.answerAhead(digest)
	if known || err != nil {
		return a, len(a.Fingerprint) > 0, err
	}
	err = tx.conn.one(tx.ctx, query.IdempotentAnswer, []any{digest}, []any{&a.Fingerprint, &a.Body, &a.Refused})
	if noRows(err) {
		return Answer{}, false, nil
	}
	return a, err == nil, err
}

// answerDigest is what an answer is found by. The index of all answers has it instead of the key, which may be 16 times as long.
func answerDigest(principal ipam.UID, key string) []byte {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(make([]byte, 0, 64), uint64(principal.Key())), key...))
	return sum[:16]
}

// InsertAnswer keeps the answer given to a principal's key.
func (tx *Tx) InsertAnswer(principal ipam.UID, key string, a Answer, at time.Time) error {
	row := query.InsertIdempotentAnswerParams{
		ID: ipam.NewUID("answer").Key(), Digest: answerDigest(principal, key), Fingerprint: a.Fingerprint, Answer: a.Body, Refused: a.Refused, CreatedAt: micros(at),
	}
	if last := tx.fresh.event; a.Body == string(last.After) && last.ID != "" {
		key := ipam.KeyOf(eventKey, last.ID)
		row.EventID, row.Answer = &key, ""
	}
	if tx.ahead != nil {
		delete(tx.ahead.answers, string(row.Digest))
	}
	defer tx.namesStay(tx.conn.written)
	return tx.rows.InsertIdempotentAnswer(tx.ctx, row)
}

// ForgetAnswers drops up to limit answers given before a time, and reports how many.
func (tx *Tx) ForgetAnswers(before time.Time, limit int) (int64, error) {
	return tx.rows.ForgetAnswers(tx.ctx, query.ForgetAnswersParams{CreatedAt: micros(before), MaxRows: int32(limit)})
}
