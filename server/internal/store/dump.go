package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
)

// A dump is all that a database holds, in a form that no engine has of its own: lines of JSON. The first is a dumpHead. A dumpTable
// stands before the rows of each table, which are arrays by primary key, with bytes in base64. The last is a dumpEnd. Two databases that
// hold the same have the same dump, to the byte.

type dumpHead struct {
	Dump   string `json:"dump"` // dumpFormat
	Schema int64  `json:"schema"`
}

const dumpFormat = "cloudpam/1"

type dumpTable struct {
	Table   string       `json:"table"`
	Columns []dumpColumn `json:"columns"`
	key     []string
}

type dumpColumn struct {
	Name string `json:"name"`
	Type string `json:"type"` // bigint, boolean, text or blob
}

type dumpEnd struct {
	Rows int64  `json:"rows"`
	Sum  string `json:"sha256"` // of all lines before
}

// undumped are the tables that belong to a database and not to what it holds.
var undumped = []string{"schema_info", migrationTable, "goose_lock"}

// Dumped tells how much a dump has.
type Dumped struct {
	Schema, Tables, Rows int64
}

// Dump writes all that a database holds at one moment, for Load; servers go on meanwhile. It has the hashes of tokens and the secrets
// of webhooks. The schema must be this build's.
func Dump(ctx context.Context, url string, to io.Writer) (done Dumped, err error) {
	db, err := Open(ctx, url, Options{ReadOnly: true})
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Start(ctx); err != nil {
		return done, err
	}
	status, err := db.SchemaStatus(ctx)
	if err != nil {
		return done, err
	}
	tables, err := db.tables(ctx)
	if err != nil {
		return done, err
	}
	moment := &sql.TxOptions{ReadOnly: true}
	if db.engine == Postgres {
		moment.Isolation = sql.LevelRepeatableRead
	}
	tx, err := db.handle.BeginTx(ctx, moment)
	if err != nil {
		return done, fmt.Errorf("read the database: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	out := &dumper{to: bufio.NewWriter(to), sum: sha256.New()}
	out.line(dumpHead{dumpFormat, status.Current})
	for _, t := range tables {
		out.line(t)
		if err := out.rows(ctx, tx, t, db.engine); err != nil {
			return done, fmt.Errorf("read %s: %w", t.Table, err)
		}
	}
	out.line(dumpEnd{out.n, fmt.Sprintf("%x", out.sum.Sum(nil))})
	if err := errors.Join(out.err, out.to.Flush()); err != nil {
		return done, fmt.Errorf("write the dump: %w", err)
	}
	return Dumped{status.Current, int64(len(tables)), out.n}, nil
}

type dumper struct {
	to  *bufio.Writer
	sum hash.Hash
	n   int64
	err error // the first of writing
}

func (d *dumper) line(v any) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		d.err = errors.Join(d.err, err)
		return
	}
	d.sum.Write(text.Bytes())
	if _, err := d.to.Write(text.Bytes()); d.err == nil {
		d.err = err
	}
}

func (d *dumper) rows(ctx context.Context, tx *sql.Tx, t dumpTable, engine Engine) (err error) {
	rows, err := tx.QueryContext(ctx, t.query(engine))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]any, len(t.Columns))
	into := make([]any, len(t.Columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() && d.err == nil {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			if values[i], err = t.Columns[i].written(v); err != nil {
				return err
			}
		}
		d.line(values)
		d.n++
	}
	return rows.Err()
}

// query reads a table by its key, as bytes compare.
func (t dumpTable) query(engine Engine) string {
	order := slices.Clone(t.key)
	for i, name := range order {
		if at := slices.IndexFunc(t.Columns, func(c dumpColumn) bool { return c.Name == name }); t.Columns[at].Type == "text" && engine == Postgres {
			order[i] += ` COLLATE "C"`
		}
	}
	return "SELECT " + t.columns() + " FROM " + t.Table + " ORDER BY " + strings.Join(order, ", ")
}

func (t dumpTable) columns() string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// written is a value as a dump has it. SQLite has no booleans of its own.
func (c dumpColumn) written(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case int64:
		if c.Type == "boolean" {
			return v != 0, nil
		}
		return v, nil
	case string:
		if c.Type == "text" {
			return v, nil
		}
	case []byte:
		if c.Type == "blob" {
			return base64.StdEncoding.EncodeToString(v), nil
		}
		return string(v), nil
	}
	return nil, fmt.Errorf("%s is %s, and has a %T", c.Name, c.Type, v)
}

// read is a value of a dump as a database takes it.
func (c dumpColumn) read(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if c.Type == "boolean" {
			return v, nil
		}
	case json.Number:
		if n, err := v.Int64(); err == nil && c.Type == "bigint" {
			return n, nil
		}
	case string:
		switch c.Type {
		case "text":
			return v, nil
		case "blob":
			return base64.StdEncoding.DecodeString(v)
		}
	}
	return nil, fmt.Errorf("%s is %s, not %v", c.Name, c.Type, v)
}

// catalog reads: table, column, type, its place in the primary key or 0; by table and place.
var catalog = map[Engine]string{
	SQLite: `SELECT m.name, c.name, replace(lower(c.type), 'integer', 'bigint'), c.pk
		FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`,
	Postgres: `SELECT t.relname, a.attname, CASE format_type(a.atttypid, NULL) WHEN 'bytea' THEN 'blob' ELSE format_type(a.atttypid, NULL) END,
			coalesce((SELECT k.n FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (col, n) WHERE i.indrelid = t.oid AND i.indisprimary AND k.col = a.attnum AND k.n <= i.indnkeyatts), 0)
		FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
		WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY t.relname COLLATE "C", a.attnum`,
}

// tables are those that a dump has, by name.
func (db *DB) tables(ctx context.Context) (all []dumpTable, err error) {
	rows, err := db.handle.QueryContext(ctx, catalog[db.engine])
	if err != nil {
		return nil, fmt.Errorf("read the tables: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var table string
		var c dumpColumn
		var key int
		if err := rows.Scan(&table, &c.Name, &c.Type, &key); err != nil {
			return nil, err
		}
		if slices.Contains(undumped, table) {
			continue
		}
		if len(all) == 0 || all[len(all)-1].Table != table {
			all = append(all, dumpTable{Table: table})
		}
		t := &all[len(all)-1]
		t.Columns = append(t.Columns, c)
		if key > 0 {
			for len(t.key) < key {
				t.key = append(t.key, "")
			}
			t.key[key-1] = c.Name
		}
	}
	for _, t := range all {
		if len(t.key) == 0 || slices.Contains(t.key, "") {
			return nil, fmt.Errorf("the table %s has no primary key", t.Table)
		}
	}
	return all, rows.Err()
}
