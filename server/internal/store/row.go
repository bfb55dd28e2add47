package store

import (
	"fmt"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// What follows is for a look at what is stored, whatever it is: a noun cannot say of a row that it is damaged.

// Row is one row as it is stored, by column. A value is nil, an int64, a bool, a string or bytes.
type Row map[string]any

// Int is a value that should be a number, and 0 when it is none.
func (r Row) Int(column string) int64 {
	n, _ := r[column].(int64)
	return n
}

// Key is the key of the row of an object.
func (r Row) Key() int64 { return r.Int("id") }

// RowsAfter lists up to limit rows of a table behind a key, in the order of their keys.
func (tx *Tx) RowsAfter(table string, key int64, limit int) ([]Row, error) {
	return tx.rowsOf("SELECT * FROM "+table+" WHERE id > $1 ORDER BY id LIMIT $2", key, limit)
}

// RowsWhere lists the rows of a table in which a column has one of some values, in no order.
func (tx *Tx) RowsWhere(table, column string, values []int64) ([]Row, error) {
	if len(values) == 0 {
		return nil, nil
	}
	s := tx.from(table, "*")
	s.text.WriteString(" AND " + column + " IN " + oneOf(s, values))
	return tx.rowsOf(s.String(), s.args...)
}

// Present is which of some keys a table has.
func (tx *Tx) Present(table string, keys []int64) (map[int64]bool, error) {
	present := map[int64]bool{}
	if len(keys) == 0 {
		return present, nil
	}
	s := tx.from(table, "id")
	s.text.WriteString(" AND id IN " + oneOf(s, keys))
	rows, err := tx.rowsOf(s.String(), s.args...)
	for _, r := range rows {
		present[r.Key()] = true
	}
	return present, err
}

// NextValue is the smallest value of a column above one; false when there is none. It is one step in an index that begins with
// the column, however many rows have the same.
func (tx *Tx) NextValue(table, column string, above int64) (int64, bool, error) {
	rows, err := tx.rowsOf(fmt.Sprintf("SELECT min(%s) AS id FROM %s WHERE %s > $1", column, table, column), above)
	if err != nil || len(rows) == 0 || rows[0]["id"] == nil {
		return 0, false, err
	}
	return rows[0].Key(), true, nil
}

// Place is where a prefix is in the order of its space.
type Place struct {
	Family int64
	First  []byte
	Length int64
	Key    int64
}

// PlacesAfter lists up to limit prefixes of a space behind a place, by family, first address and key. It goes on by what is stored
// and not by what that means, so it ends, whatever is stored. The zero Place is the start.
func (tx *Tx) PlacesAfter(space int64, after Place, limit int) ([]Place, error) {
	if after.First == nil {
		after.First = []byte{}
	}
	s := &listQuery{engine: tx.engine, head: "SELECT family, first_ip, length, id FROM ", table: "prefixes", args: []any{space, after.Family, after.First, after.Key, limit}}
	s.text.WriteString(" WHERE space_id = $1 AND (family, first_ip, id) > ($2, $3, $4) ORDER BY family, first_ip, id LIMIT $5")
	return list(tx, s, func(p *Place) []any { return []any{&p.Family, &p.First, &p.Length, &p.Key} }, func(p Place) (Place, error) { return p, nil })
}

// FreeAfter lists up to limit free blocks of a pool behind a first address, in the order of addresses; their keys are 0.
func (tx *Tx) FreeAfter(pool int64, after []byte, limit int) ([]Place, error) {
	if after == nil {
		after = []byte{}
	}
	s := &listQuery{engine: tx.engine, head: "SELECT first_ip, length FROM ", table: "free_blocks", args: []any{pool, after, limit}}
	s.text.WriteString(" WHERE pool_id = $1 AND first_ip > $2 ORDER BY first_ip LIMIT $3")
	return list(tx, s, func(p *Place) []any { return []any{&p.First, &p.Length} }, func(p Place) (Place, error) { return p, nil })
}

// FormerName is a name that a pool or a scope has left. Scope is 0 for a scope's.
type FormerName struct {
	Kind   string
	Scope  int64
	Name   string
	Object int64
	LeftAt int64
}

// FormerNamesAfter lists up to limit names that were left, behind one, by kind, scope and name.
func (tx *Tx) FormerNamesAfter(after FormerName, limit int) ([]FormerName, error) {
	s := &listQuery{engine: tx.engine, head: "SELECT kind, scope_id, name, object_id, left_at FROM ", table: "former_names", args: []any{after.Kind, after.Scope, after.Name, limit}}
	s.text.WriteString(" WHERE (kind, scope_id, name) > ($1, $2, $3) ORDER BY kind, scope_id, name LIMIT $4")
	return list(tx, s, func(f *FormerName) []any { return []any{&f.Kind, &f.Scope, &f.Name, &f.Object, &f.LeftAt} }, func(f FormerName) (FormerName, error) { return f, nil })
}

// History is what the events say of an object: the one with the highest key, and how many of all tell what it became.
type History struct {
	Last  ipam.Event
	After int64
}

// Histories are those of objects, by their keys. An object without events has none.
func (tx *Tx) Histories(objects []int64) (map[int64]History, error) {
	found := map[int64]History{}
	if len(objects) == 0 {
		return found, nil
	}
	s := &listQuery{engine: tx.engine}
	in := oneOf(s, objects)
	// An account that moves is told of in both scopes, and changes once.
	s.text.WriteString("SELECT " + eventColumns("e.") + ", h.told FROM (SELECT object_id, max(id) AS newest," +
		" sum(CASE WHEN after = '' OR action = 'account.moved_out' THEN 0 ELSE 1 END) AS told FROM events WHERE object_id IN " + in +
		" GROUP BY object_id) h JOIN events e ON e.id = h.newest")
	type row struct {
		query.Event
		told int64
	}
	_, err := list(tx, s, func(r *row) []any { return append(eventFields(&r.Event), &r.told) }, func(r row) (struct{}, error) {
		e, err := event(r.Event)
		found[r.ObjectID] = History{e, r.told}
		return struct{}{}, err
	})
	return found, err
}

// Told is what the newest event of an object says of it: whether it exists.
type Told struct {
	Object int64
	Kind   string
	Exists bool
}

// ToldAfter lists up to limit objects that have events, behind a key, in the order of their keys.
func (tx *Tx) ToldAfter(object int64, limit int) ([]Told, error) {
	s := &listQuery{engine: tx.engine, args: []any{object, limit}}
	s.text.WriteString("SELECT h.object_id, e.object_kind, e.after <> '' FROM (SELECT object_id, max(id) AS newest FROM events WHERE object_id > $1" +
		" GROUP BY object_id ORDER BY object_id LIMIT $2) h JOIN events e ON e.id = h.newest ORDER BY h.object_id")
	return list(tx, s, func(t *Told) []any { return []any{&t.Object, &t.Kind, &t.Exists} }, func(t Told) (Told, error) { return t, nil })
}

// EventsOf lists up to limit events of an object behind a key, by key.
func (tx *Tx) EventsOf(object, after int64, limit int) ([]ipam.Event, error) {
	s := tx.from("events", eventColumns(""))
	s.and("object_id = ? AND id > ?", object, after)
	s.text.WriteString(" ORDER BY id LIMIT " + s.arg(limit))
	return list(tx, s, eventFields, event)
}

// FileFaults lists up to limit faults that SQLite finds in its file, and rows that refer to none. PostgreSQL looks after its own.
func (tx *Tx) FileFaults(limit int) ([]string, error) {
	if tx.engine != SQLite {
		return nil, nil
	}
	var faults []string
	rows, err := tx.rowsOf(fmt.Sprintf("PRAGMA integrity_check(%d)", limit))
	for _, r := range rows {
		if text, _ := r["integrity_check"].(string); text != "ok" {
			faults = append(faults, text)
		}
	}
	if err != nil {
		return append(faults, err.Error()), nil // so damaged that it cannot be checked
	}
	rows, err = tx.rowsOf("SELECT * FROM pragma_foreign_key_check LIMIT $1", limit)
	for _, r := range rows {
		faults = append(faults, fmt.Sprintf("row %v of %v refers to a row of %v that is not there", r["rowid"], r["table"], r["parent"]))
	}
	return faults, err
}

// rowsOf runs a query whatever its columns are.
func (tx *Tx) rowsOf(text string, args ...any) ([]Row, error) {
	rows, err := tx.conn.QueryContext(tx.ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all []Row
	values, at := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		at[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(at...); err != nil {
			return all, err
		}
		row := make(Row, len(columns))
		for i, c := range columns {
			row[c] = values[i]
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

func eventColumns(of string) string {
	columns := []string{"id", "chain_id", "seq", "scope_id", "scope", "at", "principal_id", "actor", "action", "object_kind", "object_id", "request_id", "before", "after", "hash", "source", "address", "reason", "family", "first_ip", "length"}
	return of + strings.Join(columns, ", "+of)
}

func eventFields(r *query.Event) []any {
	return []any{&r.ID, &r.ChainID, &r.Seq, &r.ScopeID, &r.Scope, &r.At, &r.PrincipalID, &r.Actor, &r.Action, &r.ObjectKind, &r.ObjectID, &r.RequestID, &r.Before, &r.After, &r.Hash, &r.Source, &r.Address, &r.Reason, &r.Family, &r.FirstIp, &r.Length}
}
