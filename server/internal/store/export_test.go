package store

import (
	"context"
	"errors"
	"time"
)

// Exec runs a statement as hands in the database would.
func (tx *Tx) Exec(statement string) error {
	return errors.Join(tx.conn.exec(tx.ctx, statement), tx.conn.flush(tx.ctx))
}

// Later runs a statement whose answer nobody asks for, as most that write are.
func (tx *Tx) Later(statement string) error { return tx.conn.exec(tx.ctx, statement) }

// Ahead are the looks of many writes at once, which are PostgreSQL's alone.
var Ahead = map[string]string{"answersAhead": answersAhead, "namesAhead": namesAhead}

// Asked tells of each list that is asked for from now on.
func (tx *Tx) Asked(tell func(text string, args []any)) { tx.asked = tell }

// Pragma reads a setting of this connection.
func (tx *Tx) Pragma(name string) (value string, err error) {
	err = tx.conn.QueryRowContext(tx.ctx, "PRAGMA "+name).Scan(&value)
	return value, err
}

// OldSQLite reports whether this build refuses a version of SQLite.
func OldSQLite(version string) bool { return olderThan(version, oldestSQLite) }

// Guards lists what a schema must have.
func Guards(e Engine) []string { return guards[e] }

// MigrationExec runs a statement as a migration would.
func (db *DB) MigrationExec(ctx context.Context, statement string) error {
	tx, err := db.handle.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, statement); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Text reads one value.
func (tx *Tx) Text(query string) (value string, err error) {
	err = tx.conn.QueryRowContext(tx.ctx, query).Scan(&value)
	return value, err
}

// Bounds of the store that tests reach.
const (
	MaxQueued      = maxQueued
	MaxSavepoints  = maxBatchPostgres
	ConnectionWait = connectionWait
)

// BoundOf is how long a connection of the default settings waits for an answer.
func BoundOf() time.Duration { return defaultLimits.silence() }

// Translate is what callers are told of an error of a driver.
func Translate(err error) error { return translate(err) }
