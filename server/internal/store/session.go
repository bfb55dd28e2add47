package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cloudpam/cloudpam/server/internal/store/lite"
)

// maxPrepared bounds the statements that a connection keeps: ours are some hundred, the filters of lists make any number.
const maxPrepared = 512

// session is one connection. It implements query.DBTX.
type session struct {
	conn     *sql.Conn
	written  int  // statements that may have changed something; a lock is a query here
	spoilt   bool // it is of no more use, and is closed instead of given back
	clock    reading
	pipe     *pipeline // of PostgreSQL's writes; nil: each statement is sent at once
	mu       sync.Mutex
	direct   *lite.Conn           // of SQLite's writer
	prepared map[string]*sql.Stmt // nil where the driver caches; lists have many texts, so old ones go
	order    []string             // the texts as they came
}

// close ends the statements first: database/sql forgets those of a single connection, and SQLite would stay open for them.
func (s *session) close() error {
	var errs []error
	if s.direct != nil {
		s.direct.Close()
	}
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
	if err != nil {
		return nil, err
	}
	if len(s.order) == maxPrepared {
		_ = s.prepared[s.order[0]].Close()
		delete(s.prepared, s.order[0])
		s.order = s.order[1:]
	}
	s.prepared[text], s.order = st, append(s.order, text)
	return st, nil
}

func (s *session) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	s.written++
	if s.direct != nil {
		return s.direct.Exec(text, args)
	}
	if s.pipe != nil {
		return s.put(ctx, text, args, nil), nil
	}
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
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
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
	_ = s.flush(ctx) // whose failure fails the query, too, and is the one that is told
	if s.prepared != nil {
		if st, err := s.PrepareContext(ctx, text); err == nil {
			return st.QueryRowContext(ctx, args...)
		}
	}
	return s.conn.QueryRowContext(ctx, text, args...)
}

// must is exec of a statement that fails with none where it changes no row.
func (s *session) must(ctx context.Context, none error, text string, args ...any) error {
	if s.pipe != nil {
		s.written++
		s.put(ctx, text, args, none)
		return nil
	}
	result, err := s.ExecContext(ctx, text, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return none
}

// one reads the first row of a query into places of what its columns are; sql.ErrNoRows when there is none.
func (s *session) one(ctx context.Context, text string, args, into []any) error {
	if s.direct != nil {
		return s.direct.One(text, args, into)
	}
	if s.pipe != nil {
		return s.ask(ctx, text, args, into)
	}
	return s.QueryRowContext(ctx, text, args...).Scan(into...)
}

// rollback undoes what the session began. It fails when the engine has rolled back by itself, which is as good, or when the
// connection is dead, which is then closed.
func (s *session) rollback(ctx context.Context) {
	s.pipe = nil
	if s.prepared != nil {
		_ = s.exec(ctx, "ROLLBACK")
		return
	}
	if s.spoilt {
		return // closing it rolls back
	}
	ctx, cancel := context.WithTimeout(ctx, beginWait)
	defer cancel()
	s.spoilt = s.exec(ctx, "ROLLBACK") != nil
}

// commit ends a transaction. A COMMIT of a transaction that has failed is a ROLLBACK, which PostgreSQL says in its answer only.
func (s *session) commit(ctx context.Context) error {
	if s.prepared != nil {
		return s.exec(ctx, "COMMIT")
	}
	return s.conn.Raw(func(conn any) error {
		tag, err := conn.(*stdlib.Conn).Conn().Exec(ctx, "COMMIT")
		if err == nil && tag.String() != "COMMIT" {
			return &pgconn.PgError{Severity: "ERROR", Code: "25P02", Message: "a statement had failed, so the transaction was rolled back"}
		}
		return err
	})
}

// blame looks at what became of the work on a session, and reports whether its connection is to blame, which PostgreSQL's is
// when it is of no more use.
func (s *session) blame(err error) bool {
	if s.prepared == nil && spoils(err) {
		s.spoilt = true
	}
	return s.spoilt
}
