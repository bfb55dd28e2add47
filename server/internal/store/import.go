package store

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// InsertImport adds an import.
func (tx *Tx) InsertImport(i ipam.Import) error {
	return tx.rows.InsertImport(tx.ctx, query.InsertImportParams{
		ID: i.ID.Key(), PrincipalID: i.Principal.UID.Key(), Kind: string(i.Kind), Digest: i.Digest,
		Created: int64(i.Created), Updated: int64(i.Updated), Unchanged: int64(i.Unchanged), Reason: i.Reason, CreatedAt: micros(i.CreatedAt),
	})
}

// InsertImportRow adds a row of an import by the event of what it made or changed.
func (tx *Tx) InsertImportRow(of ipam.UID, number int, event string) error {
	return tx.rows.InsertImportRow(tx.ctx, query.InsertImportRowParams{ID: ipam.KeyOf(eventKey, event), ImportID: of.Key(), Number: int64(number)})
}

// EndImport notes that an import was undone; false when it was before.
func (tx *Tx) EndImport(id ipam.UID, by ipam.Principal, at time.Time) (bool, error) {
	n, err := tx.rows.EndImport(tx.ctx, query.EndImportParams{ID: id.Key(), UndoneAt: optionalMicros(&at), UndoneBy: keyOrNull(by.UID)})
	return n > 0, err
}

// Imports lists a page of imports by age: those of a principal, and all to who sees everything.
func (tx *Tx) Imports(see ipam.Visible, of, id ipam.UID, p ipam.Page) ([]ipam.Import, error) {
	s := tx.from("named_imports", "id, principal_id, kind, digest, created, updated, unchanged, reason, created_at, undone_at, undone_by, actor, undoer")
	if !see.All() {
		s.and("principal_id = ?", of.Key())
	}
	s.key("id", importKey, string(id))
	s.page(p, importKey, false)
	return list(tx, s, func(r *query.NamedImport) []any {
		return []any{&r.ID, &r.PrincipalID, &r.Kind, &r.Digest, &r.Created, &r.Updated, &r.Unchanged, &r.Reason, &r.CreatedAt, &r.UndoneAt, &r.UndoneBy, &r.Actor, &r.Undoer}
	}, imported)
}

// Import reads an import; CodeNotFound when there is none to see.
func (tx *Tx) Import(see ipam.Visible, of, id ipam.UID) (ipam.Import, error) {
	found, err := tx.Imports(see, of, id, ipam.Page{Limit: 1})
	switch {
	case err != nil:
		return ipam.Import{}, err
	case id == "" || len(found) == 0:
		return ipam.Import{}, ipam.NoSuch("import", string(id))
	}
	return found[0], nil
}

// ImportRow is a row of a file and the event of what it made or changed.
type ImportRow struct {
	Number int
	Event  ipam.Event
}

// ImportRows lists up to limit rows of an import after an event, in the order in which they were done.
func (tx *Tx) ImportRows(of ipam.UID, after string, limit int) ([]ImportRow, error) {
	rows, err := tx.rows.ImportRows(tx.ctx, query.ImportRowsParams{ImportID: of.Key(), ID: ipam.KeyOf(eventKey, after), MaxRows: int32(limit)})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	keys, numbers := make([]int64, len(rows)), map[string]int{}
	for i, r := range rows {
		keys[i] = r.ID
		numbers[id(eventKey, r.ID)] = int(r.Number)
	}
	s := tx.from("events", eventColumns(""))
	s.text.WriteString(" AND id IN " + oneOf(s, keys) + " ORDER BY id")
	events, err := list(tx, s, eventFields, event)
	out := make([]ImportRow, len(events))
	for i, e := range events {
		out[i] = ImportRow{numbers[e.ID], e}
	}
	return out, err
}

func imported(r query.NamedImport) (ipam.Import, error) {
	i := ipam.Import{
		ID: uid(importKey, r.ID), Kind: ipam.ImportKind(r.Kind), Principal: ipam.Principal{UID: uid(principalKey, r.PrincipalID)}, Actor: actor(r.Actor), Digest: r.Digest,
		Created: int(r.Created), Updated: int(r.Updated), Unchanged: int(r.Unchanged), Reason: r.Reason, CreatedAt: moment(r.CreatedAt), UndoneAt: optionalMoment(r.UndoneAt),
	}
	if r.UndoneBy != nil {
		i.UndoneBy, i.Undoer = uid(principalKey, *r.UndoneBy), actor(r.Undoer)
	}
	return i, nil
}
