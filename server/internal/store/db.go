package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Engine names a database engine.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// DB is an open database, safe for concurrent use.
type DB struct {
	engine  Engine
	handle  *sql.DB // of migrations
	readers sessions
	writers sessions
	auth    sessions // PostgreSQL's own for Glance
	begins  struct{ read, write string }
	limits  limits
	commits committer
	log     *slog.Logger
	closers []func() error
}

// Options are what Open needs beside the address.
type Options struct {
	Log *slog.Logger
	// Beside opens a SQLite file without the lock that keeps a second server away: for short commands beside a running one.
	Beside bool
	// Connections are PostgreSQL's; none is DefaultConnections.
	Connections Connections
}

// Open opens the database at a URL: sqlite:///absolute/path, sqlite://relative/path or postgres://…. It does not migrate.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	db := &DB{log: o.Log}
	db.begins.read, db.begins.write = "BEGIN", "BEGIN IMMEDIATE"
	db.commits.lanes = map[string]*lane{}
	var err error
	switch {
	case strings.HasPrefix(url, "sqlite://"):
		err = db.openSQLite(ctx, strings.TrimPrefix(url, "sqlite://"), o.Beside)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		err = db.openPostgres(ctx, url, o.Connections)
	default:
		err = errors.New("a database URL starts with sqlite:// or postgres://")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Engine tells which engine is open.
func (db *DB) Engine() Engine { return db.engine }

// Close waits for what is under way and closes the database. A SQLite file then is whole by itself: the last connection
// moves the log into it.
func (db *DB) Close() error {
	db.commits.stop()
	errs := []error{db.readers.empty(), db.writers.empty()}
	for i := len(db.closers) - 1; i >= 0; i-- {
		errs = append(errs, db.closers[i]())
	}
	db.closers = nil
	return errors.Join(errs...)
}

// Ping says whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	return db.Glance(ctx, func(tx *Tx) error {
		var one int
		return tx.conn.QueryRowContext(ctx, "SELECT 1").Scan(&one)
	})
}

// Tx is one transaction. It is valid only inside the body it was given to, and not for concurrent use.
type Tx struct {
	ctx    context.Context
	conn   *session
	rows   *query.Queries
	engine Engine
}

// Read runs the body on one snapshot of the database, which never sees half of a write.
func (db *DB) Read(ctx context.Context, body func(*Tx) error) error {
	return db.read(ctx, &db.readers, body)
}

// Glance is a Read of a row or two that every request waits for: who calls, and whether the database answers. On PostgreSQL
// it has connections that nothing else takes.
func (db *DB) Glance(ctx context.Context, body func(*Tx) error) error {
	if db.engine == SQLite {
		return db.Read(ctx, body)
	}
	return db.read(ctx, &db.auth, body)
}

func (db *DB) read(ctx context.Context, p *sessions, body func(*Tx) error) error {
	s, err := p.begin(ctx, db.begins.read)
	if err != nil {
		return translate(err)
	}
	defer p.give(s)
	// A cancelled caller must not leave the connection inside a transaction.
	defer s.rollback(context.WithoutCancel(ctx))
	err = body(&Tx{ctx: ctx, conn: s, rows: query.New(s), engine: db.engine})
	s.blame(err)
	return translate(err)
}
