package store

import (
	"github.com/jackc/pgx/v5"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Look is what a write will ask for first. Of a batch all is read at once, where a question costs a round trip: on PostgreSQL.
type Look struct {
	Principal ipam.UID // of an Idempotency-Key
	Key       string   // "": it has none
	Name      string   // of an allocation in the space of the lane; "": it asks for none
}

// answersAhead and namesAhead are query.IdempotentAnswer and query.Name of many. No EXISTS: PostgreSQL may answer that of many rows by
// reading all that a pool has.
const (
	answersAhead = `SELECT k.digest, k.fingerprint, COALESCE((SELECT e.after FROM events e WHERE e.id = k.event_id), k.answer), k.refused
FROM idempotency_keys k WHERE k.digest = ANY($1)`
	namesAhead = `SELECT n.name, (SELECT a.id FROM allocations a WHERE a.pool_id = $1 AND a.name = n.name),
  COALESCE((SELECT true FROM holds h WHERE h.pool_id = $1 AND h.name = n.name LIMIT 1), false),
  COALESCE((SELECT true FROM last_blocks b WHERE b.space_id = $1 AND b.kind = 'allocation' AND b.name = n.name LIMIT 1), false)
FROM unnest(CAST($2 AS text[])) AS n (name)`
)

// ahead is what the looks of a batch have found.
type ahead struct {
	writes  []*write
	turn    int               // of the write that is under way: what those before it asked is past
	answers map[string]Answer // by digest; a zero one was not there
	names   map[nameIn]nameLook
	asOf    int // statements that had written when the names were read, and those since that concern no name
}

type nameIn struct {
	pool ipam.UID
	name string
}

// newAhead is nil where each look may as well be asked by itself.
func (db *DB) newAhead(writes []*write) *ahead {
	if db.engine != Postgres || len(writes) == 1 {
		return nil
	}
	return &ahead{writes: writes, answers: map[string]Answer{}, names: map[nameIn]nameLook{}}
}

// answerAhead is the stored answer to a digest, or the zero one; false where it must be asked for.
func (tx *Tx) answerAhead(digest []byte) (Answer, bool, error) {
	a := tx.ahead
	if a == nil {
		return Answer{}, false, nil
	}
	if known, ok := a.answers[string(digest)]; ok {
		return known, true, nil
	}
	var digests [][]byte
	asked := false
	for _, w := range a.writes[a.turn:] {
		if w.look.Key != "" {
			d := answerDigest(w.look.Principal, w.look.Key)
			digests, asked = append(digests, d), asked || string(d) == string(digest)
		}
	}
	if !asked {
		return Answer{}, false, nil
	}
	found := map[string]Answer{}
	err := tx.conn.askAll(tx.ctx, answersAhead, []any{digests}, func(rows pgx.Rows) error {
		var d []byte
		var answer Answer
		err := rows.Scan(&d, &answer.Fingerprint, &answer.Body, &answer.Refused)
		found[string(d)] = answer
		return err
	})
	if err != nil {
		return Answer{}, false, err
	}
	for _, d := range digests {
		a.answers[string(d)] = found[string(d)]
	}
	return found[string(digest)], true, nil
}

// nameAhead is what a pool, whose lock is held, knows of a name; false where it must be asked for.
func (tx *Tx) nameAhead(pool ipam.UID, name string) (nameLook, bool, error) {
	a := tx.ahead
	if a == nil || !tx.hasLocked(pool) {
		return nameLook{}, false, nil
	}
	if len(a.names) > 0 && a.asOf != tx.conn.written {
		a.names = nil // this is a batch that changes what is known of names: from here on each asks for its own
	}
	if a.names == nil {
		return nameLook{}, false, nil
	}
	if known, ok := a.names[nameIn{pool, name}]; ok {
		return known, true, nil
	}
	var names []string
	asked := false
	for _, w := range a.writes[a.turn:] {
		if w.look.Name != "" {
			names, asked = append(names, w.look.Name), asked || w.look.Name == name
		}
	}
	if !asked {
		return nameLook{}, false, nil
	}
	a.asOf = tx.conn.written
	err := tx.conn.askAll(tx.ctx, namesAhead, []any{pool.Key(), names}, func(rows pgx.Rows) error {
		k := nameLook{pool: pool}
		err := rows.Scan(&k.name, &k.allocation, &k.held, &k.left)
		a.names[nameIn{pool, k.name}] = k
		return err
	})
	return a.names[nameIn{pool, name}], err == nil, err
}

// forgetSpaces is for what undoes a part of a transaction, and with it perhaps the locks under which something was read.
func (tx *Tx) forgetSpaces() {
	clear(tx.windows)
	if tx.ahead != nil {
		clear(tx.ahead.names)
	}
}

// namesStay is for statements that concern no name, when so many had written before them: what was read ahead stays true.
func (tx *Tx) namesStay(before int) {
	if tx.ahead != nil {
		tx.ahead.asOf += tx.conn.written - before
	}
}

// nameTaken is for an allocation that has a name by now.
func (tx *Tx) nameTaken(pool ipam.UID, name string) {
	if tx.ahead != nil {
		delete(tx.ahead.names, nameIn{pool, name})
	}
}
