package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
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
	handle  *sql.DB
	readers sessions
	writers sessions
	commits committer
	log     *slog.Logger
	closers []func() error

	files    identity                   // what a SQLite database consists of, to see when it is gone
	readOnly bool                       // opened so
	fault    atomic.Pointer[ipam.Error] // why nothing is written any more
}

// Options are what Open needs besides the address. Without any of them Open makes a SQLite database where there is none, and
// keeps a second server away from it.
type Options struct {
	Log *slog.Logger
	// Beside opens an existing SQLite file without the lock that keeps a second server away: for short commands next to a
	// running one.
	Beside bool
	// Existing refuses to make a SQLite file that is not there.
	Existing bool
	// ReadOnly opens an existing SQLite file without the lock, and writes neither to it nor next to it.
	ReadOnly bool
}

// Open opens the database at a URL: sqlite:///absolute/path, sqlite://relative/path or postgres://…. It does not migrate.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	db := &DB{log: o.Log}
	db.commits.lanes = map[string]*lane{}
	var err error
	switch {
	case strings.HasPrefix(url, "sqlite://"):
		err = db.openSQLite(ctx, strings.TrimPrefix(url, "sqlite://"), o)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		err = db.openPostgres(ctx, url)
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

// Ping returns why the database cannot be used, or nil.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.usable(); err != nil {
		return err
	}
	return db.Read(ctx, func(tx *Tx) error {
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
	ctx    context.Context
	conn   *session
	rows   *query.Queries
	engine Engine
	heads  map[ipam.UID]Chain // of chains that this write has moved
}

// Read runs the body on one snapshot of the database, which never sees half of a write.
func (db *DB) Read(ctx context.Context, body func(*Tx) error) error {
	s, err := db.readers.take(ctx)
	if err != nil {
		return db.answer(err)
	}
	defer db.readers.give(s)
	if err := s.exec(ctx, db.beginRead()); err != nil {
		return db.answer(err)
	}
	// A cancelled caller must not leave the connection inside a transaction.
	defer func() { _ = s.exec(context.WithoutCancel(ctx), "ROLLBACK") }()
	return db.answer(body(&Tx{ctx: ctx, conn: s, rows: query.New(s), engine: db.engine}))
}

func (db *DB) beginRead() string {
	if db.engine == Postgres {
		return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	}
	return "BEGIN"
}

func (db *DB) beginWrite() string {
	if db.engine == Postgres {
		return "BEGIN ISOLATION LEVEL READ COMMITTED" // each statement after a lock sees what the lock waited for
	}
	return "BEGIN IMMEDIATE"
}

// sessions hands out connections: a fixed set that keeps its prepared statements (SQLite), or database/sql's own pool,
// which replaces the broken ones (PostgreSQL, where pgx keeps prepared statements by itself).
type sessions struct {
	handle *sql.DB
	idle   chan *session
	filled int // sessions there are, idle or taken
}

func (p *sessions) take(ctx context.Context) (*session, error) {
	if p.idle == nil {
		conn, err := p.handle.Conn(ctx)
		return &session{conn: conn}, err
	}
	select {
	case s, open := <-p.idle:
		return s, closedUnless(open)
	default:
	}
	select {
	case s, open := <-p.idle:
		return s, closedUnless(open)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *sessions) give(s *session) {
	if p.idle == nil {
		_ = s.conn.Close()
		return
	}
	p.idle <- s
}

func (p *sessions) fill(ctx context.Context, handle *sql.DB, n int) error {
	p.handle, p.idle = handle, make(chan *session, n)
	for range n {
		conn, err := handle.Conn(ctx)
		if err != nil {
			return fmt.Errorf("open a connection: %w", err)
		}
		p.idle <- &session{conn: conn, prepared: map[string]*sql.Stmt{}}
		p.filled++
	}
	return nil
}

// empty takes every session out of use, since database/sql closes no connection that is taken. One that does not come back
// is left to the end of the process: SQLite recovers from that, and a server that never stops is worse.
func (p *sessions) empty() error {
	if p.filled == 0 {
		return nil
	}
	var errs []error
	limit := time.After(10 * time.Second)
	for ; p.filled > 0; p.filled-- {
		select {
		case s := <-p.idle:
			errs = append(errs, s.close())
		case <-limit:
			return errors.Join(append(errs, errors.New("a query does not end; its connection stays open"))...)
		}
	}
	close(p.idle)
	return errors.Join(errs...)
}

func closedUnless(open bool) error {
	if open {
		return nil
	}
	return ipam.Errorf(ipam.CodeUnavailable, "the server is shutting down")
}

// session is one connection. It implements query.DBTX.
type session struct {
	conn     *sql.Conn
	mu       sync.Mutex
	prepared map[string]*sql.Stmt // nil where the driver caches; the texts are ours, so their number is bounded
}

// close ends the statements first: database/sql forgets those of a single connection, and SQLite would stay open for them.
func (s *session) close() error {
	var errs []error
	for _, st := range s.prepared {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, s.conn.Close())...)
}

func (s *session) exec(ctx context.Context, text string) error {
	_, err := s.ExecContext(ctx, text)
	return err
}

// PrepareContext returns the statement for a text, prepared once for the life of the connection.
func (s *session) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.prepared[text]; ok {
		return st, nil
	}
	st, err := s.conn.PrepareContext(context.WithoutCancel(ctx), text)
	if err == nil {
		s.prepared[text] = st
	}
	return st, err
}

func (s *session) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if s.prepared == nil {
		return s.conn.ExecContext(ctx, text, args...)
	}
	st, err := s.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (s *session) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if s.prepared == nil {
		return s.conn.QueryContext(ctx, text, args...)
	}
	st, err := s.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

func (s *session) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	if s.prepared != nil {
		if st, err := s.PrepareContext(ctx, text); err == nil {
			return st.QueryRowContext(ctx, args...)
		}
	}
	return s.conn.QueryRowContext(ctx, text, args...)
}

// overloaded is what a write gets when too many wait.
func overloaded(waiting int) error {
	return ipam.Errorf(ipam.CodeOverloaded, "%d writes are waiting already; try again in a second", waiting)
}
