package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// made is what a migration itself leaves in a database: how many rows of which table.
var made = map[string]int64{"principals": 1, "chains": 1}

// Load puts a dump into a database of either engine that "cloudpam migrate up" has just made, all of it or nothing. Keys, versions and
// events are those of the database that was dumped. Its errors say what is wrong with the file or the database.
func Load(ctx context.Context, url string, from io.Reader) (done Dumped, err error) {
	db, err := Open(ctx, url, Options{Existing: true})
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	status, err := db.SchemaStatus(ctx)
	switch {
	case err != nil:
		return done, err
	case status.Current != status.Target:
		return done, fmt.Errorf("the database has schema %d, this build knows %d: run \"cloudpam migrate up\"", status.Current, status.Target)
	}
	tables, err := db.tables(ctx)
	if err != nil {
		return done, err
	}
	tx, err := db.handle.BeginTx(ctx, nil)
	if err != nil {
		return done, fmt.Errorf("write the database: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	l := &loader{ctx: ctx, tx: tx, engine: db.engine, from: bufio.NewReaderSize(from, 1<<20), sum: sha256.New()}
	if err := l.all(status.Current, tables); err != nil {
		return done, err
	}
	if err := tx.Commit(); err != nil {
		return done, fmt.Errorf("write the database: %w", err)
	}
	if db.engine == Postgres {
		if _, err := db.handle.ExecContext(ctx, "ANALYZE"); err != nil {
			return done, fmt.Errorf("count the rows for the planner: %w", err)
		}
	}
	return Dumped{status.Current, int64(len(tables)), l.n}, nil
}

type loader struct {
	ctx    context.Context //nolint:containedctx // of one load
	tx     *sql.Tx
	engine Engine
	from   *bufio.Reader
	sum    hash.Hash
	lines  int64
	n      int64
}

func (l *loader) all(schema int64, tables []dumpTable) error {
	var head dumpHead
	if err := l.next(&head); err != nil {
		return err
	}
	switch {
	case head.Dump != dumpFormat:
		return errors.New("this is no dump of CloudPAM: the first line says nothing of " + dumpFormat)
	case head.Schema != schema:
		return fmt.Errorf("the dump has schema %d, this build knows %d: dump and load with the same version of CloudPAM", head.Schema, schema)
	}
	if err := l.fresh(tables); err != nil {
		return err
	}
	again, err := l.unbound()
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := l.table(t); err != nil {
			return err
		}
	}
	sum := fmt.Sprintf("%x", l.sum.Sum(nil))
	var end dumpEnd
	if err := l.next(&end); err != nil {
		return err
	}
	if end.Rows != l.n || end.Sum != sum {
		return errors.New("the file is not as it was written: its checksum is another; dump again")
	}
	if _, err := l.from.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.New("the file goes on behind its end: is it two dumps?")
	}
	for _, statement := range again {
		if _, err := l.tx.ExecContext(l.ctx, statement); err != nil {
			return fmt.Errorf("what the file has does not fit together: %w", err)
		}
	}
	return nil
}

// fresh refuses a database that has something, and takes out what the migrations left.
func (l *loader) fresh(tables []dumpTable) error {
	for _, t := range tables {
		var n int64
		if err := l.tx.QueryRowContext(l.ctx, "SELECT count(*) FROM "+t.Table).Scan(&n); err != nil {
			return fmt.Errorf("read %s: %w", t.Table, err)
		}
		if n != made[t.Table] {
			return fmt.Errorf("the database has been used, %s has %d rows: load into one that \"cloudpam migrate up\" has just made", t.Table, n)
		}
	}
	for table := range made {
		if _, err := l.tx.ExecContext(l.ctx, "DELETE FROM "+table); err != nil { //nolint:gosec // a name of ours
			return fmt.Errorf("empty %s: %w", table, err)
		}
	}
	return nil
}

// unbound lets rows come before those that they refer to, and answers what makes sure at the end that those have come.
func (l *loader) unbound() (again []string, err error) {
	if l.engine == SQLite {
		_, err := l.tx.ExecContext(l.ctx, "PRAGMA defer_foreign_keys = ON") // until the end of the transaction, which they can refuse
		return nil, err
	}
	rows, err := l.tx.QueryContext(l.ctx, `SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
		WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY conname`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var drop []string
	for rows.Next() {
		var table, name, text string
		if err := rows.Scan(&table, &name, &text); err != nil {
			return nil, err
		}
		drop = append(drop, "ALTER TABLE "+table+" DROP CONSTRAINT "+name)
		again = append(again, "ALTER TABLE "+table+" ADD CONSTRAINT "+name+" "+text)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, statement := range drop {
		if _, err := l.tx.ExecContext(l.ctx, statement); err != nil {
			return nil, err
		}
	}
	return again, nil
}

// table loads the rows of a table, up to the line that is no row.
func (l *loader) table(t dumpTable) error {
	var found dumpTable
	if err := l.next(&found); err != nil {
		return err
	}
	if found.Table != t.Table || !reflect.DeepEqual(found.Columns, t.Columns) {
		return fmt.Errorf("line %d: the table %s with its columns is expected here; the file was made by another build", l.lines, t.Table)
	}
	most := max(1, min(500, 30_000/len(t.Columns))) // of rows in a statement, which takes so many values
	var values []any
	for n := 0; ; n++ {
		first, err := l.from.Peek(1)
		row := err == nil && first[0] == '['
		if n > 0 && (!row || n%most == 0) {
			if _, err := l.tx.ExecContext(l.ctx, l.insert(t, len(values)/len(t.Columns)), values...); err != nil {
				return fmt.Errorf("line %d and before: %w", l.lines, err)
			}
			values = values[:0]
		}
		if !row {
			return nil
		}
		var cells []any
		if err := l.next(&cells); err != nil {
			return err
		}
		if len(cells) != len(t.Columns) {
			return fmt.Errorf("line %d: %s has %d columns, not %d", l.lines, t.Table, len(t.Columns), len(cells))
		}
		for i, cell := range cells {
			v, err := t.Columns[i].read(cell)
			if err != nil {
				return fmt.Errorf("line %d: %w", l.lines, err)
			}
			values = append(values, v)
		}
		l.n++
	}
}

func (l *loader) insert(t dumpTable, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + t.Table + " (" + t.columns() + ") VALUES ")
	for n := range rows * len(t.Columns) {
		switch {
		case n == 0:
			b.WriteString("(")
		case n%len(t.Columns) == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		if l.engine == Postgres {
			b.WriteString("$" + strconv.Itoa(n+1))
		} else {
			b.WriteString("?")
		}
	}
	return b.String() + ")"
}

// next reads a line.
func (l *loader) next(into any) error {
	line, err := l.from.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return errors.New("the file ends early: it was cut short; dump again")
	}
	if err != nil {
		return fmt.Errorf("read the dump: %w", err)
	}
	l.lines++
	l.sum.Write(line)
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("line %d is not one of a dump: %w", l.lines, err)
	}
	return nil
}
