package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
	"github.com/cloudpam/cloudpam/server/internal/trace"
)

// Engine names a database engine.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// dbSystem is what OpenTelemetry calls the engine of a span.
const dbSystem = "db.system.name"

func (e Engine) system() string {
	if e == Postgres {
		return "postgresql"
	}
	return string(e)
}

// DB is an open database, safe for concurrent use.
type DB struct {
	engine  Engine
	handle  *sql.DB // of migrations
	readers sessions
	writers sessions
	auth    sessions // of Glance alone
	begins  struct{ read, write string }
	limits  limits
	commits committer
	log     *slog.Logger
	closers []func() error

	checkpoints checkpoints

	path     string                     // SQLite's
	reads    readings                   // that are under way
	files    identity                   // what a SQLite database consists of, to see when it is gone
	readOnly bool                       // opened so
	fault    atomic.Pointer[ipam.Error] // why nothing is written any more
}

// Options are what Open needs besides the address. Without any of them Open makes a SQLite database where there is none, and
// keeps a second server away from it.
type Options struct {
	Log *slog.Logger
	// NoServerLock opens an existing SQLite file without the lock that keeps a second server away: for short commands next to a
	// running one.
	NoServerLock bool
	// Existing refuses to make a SQLite file that is not there.
	Existing bool
	// ReadOnly opens an existing SQLite file without the lock, and writes neither to it nor next to it.
	ReadOnly bool
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
	db.commits.lanes, db.reads.since = map[string]*lane{}, map[*session]time.Time{}
	var err error
	switch {
	case strings.HasPrefix(url, "sqlite://"):
		err = db.openSQLite(ctx, strings.TrimPrefix(url, "sqlite://"), o)
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
	errs := []error{db.readers.empty(), db.auth.empty(), db.writers.empty()}
	for i := len(db.closers) - 1; i >= 0; i-- {
		errs = append(errs, db.closers[i]())
	}
	db.closers = nil
	return errors.Join(errs...)
}

// Ping returns why the database cannot be used, or nil.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.usable(); err != nil {
		return err
	}
	return db.Glance(ctx, func(tx *Tx) error {
		var one int
		return tx.conn.QueryRowContext(ctx, "SELECT 1").Scan(&one)
	})
}

// names runs a query of one text column past the sessions.
func (db *DB) names(ctx context.Context, query string) (all []string, err error) {
	rows, err := db.handle.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}

// Tx is one transaction. It is valid only inside the body it was given to, and not for concurrent use.
type Tx struct {
	ctx     context.Context
	conn    *session
	rows    *query.Queries
	engine  Engine
	asked   func(text string, args []any) // told of each list; nil but in tests
	known   memory                        // of a write: what those before it in its transaction have read and written,
	fresh   memory                        // and what it has itself
	looked  nameLook
	shown   map[ipam.UID]shown // what there is to say of clouds in scopes, as it was when first asked
	windows map[int64]*window  // of a write: of the pools that its transaction has locked
	ahead   *ahead             // nil: each look is asked by itself
}

// Read runs the body on one snapshot of the database, which never sees half of a write.
func (db *DB) Read(ctx context.Context, body func(*Tx) error) error {
	return db.read(ctx, "read", &db.readers, body)
}

// Glance is a Read of a row or two that every request waits for: who calls, and whether the database answers. It has
// connections that nothing else takes.
func (db *DB) Glance(ctx context.Context, body func(*Tx) error) error {
	return db.read(ctx, "glance", &db.auth, body)
}

// Get is a Read whose body asks one question: it needs no transaction around that.
func (db *DB) Get(ctx context.Context, body func(*Tx) error) (err error) {
	if db.engine != SQLite {
		return db.Read(ctx, body)
	}
	ctx, span := db.trace(ctx, "read")
	defer func() { span.End(err) }()
	s, err := db.readers.take(ctx)
	if err != nil {
		return db.answer(err)
	}
	defer db.readers.give(s)
	return db.answer(body(&Tx{ctx: ctx, conn: s, rows: query.New(s), engine: db.engine}))
}

// trace begins a span of one transaction.
func (db *DB) trace(ctx context.Context, name string) (context.Context, trace.Span) {
	ctx, span := trace.Start(ctx, name)
	span.Say(dbSystem, db.engine.system())
	return ctx, span
}

func (db *DB) read(ctx context.Context, name string, p *sessions, body func(*Tx) error) (err error) {
	ctx, span := db.trace(ctx, name)
	defer func() { span.End(err) }()
	s, err := p.begin(ctx, db.begins.read)
	if err != nil {
		return db.answer(err)
	}
	defer p.give(s)
	db.reads.begin(s)
	defer db.reads.end(s)
	// A cancelled caller must not leave the connection inside a transaction.
	defer s.rollback(context.WithoutCancel(ctx))
	err = body(&Tx{ctx: ctx, conn: s, rows: query.New(s), engine: db.engine})
	s.blame(err)
	return db.answer(err)
}
