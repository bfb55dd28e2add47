package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// pipeline are the statements of a transaction of writes that PostgreSQL has not been sent yet. A statement waits until an answer is
// asked for, its own or that of a later one: all are sent then, and answered in one round trip. So a statement that fails may be found
// out by a later write of the batch, and the pipeline knows whose it was.
type pipeline struct {
	unsent  []*later
	turn    int   // of the write that is under way, by its place in the batch
	failure error // the first: the transaction has failed with it
	culprit int   // whose statement that was
}

// batchsOwn is the turn of the statements that are of no write.
const batchsOwn = -1

// later is a statement and, once it is answered, how many rows it changed.
type later struct {
	s    *session
	ctx  context.Context
	text string
	args []any
	turn int
	none error // its failure where it changes no row; nil: it need not change any
	rows int64
	sent bool
}

// RowsAffected waits for the answer.
func (l *later) RowsAffected() (int64, error) {
	if !l.sent {
		if err := l.s.flush(l.ctx); err != nil {
			return 0, err
		}
	}
	return l.rows, l.s.pipe.failure
}

// LastInsertId is none of PostgreSQL's.
func (l *later) LastInsertId() (int64, error) {
	return 0, errors.New("PostgreSQL has no last inserted id")
}

// put adds a statement.
func (s *session) put(ctx context.Context, text string, args []any, none error) *later {
	l := &later{s: s, ctx: ctx, text: text, args: args, turn: s.pipe.turn, none: none}
	s.pipe.unsent = append(s.pipe.unsent, l)
	return l
}

// flush sends what waits and returns the first failure of the transaction.
func (s *session) flush(ctx context.Context) error {
	switch {
	case s.pipe == nil:
		return nil
	case len(s.pipe.unsent) == 0:
		return s.pipe.failure
	}
	return s.send(ctx, nil)
}

// undo goes back to a savepoint, whatever has failed or waits since.
func (s *session) undo(ctx context.Context, savepoint string) error {
	if s.pipe != nil {
		s.pipe.unsent, s.pipe.failure = nil, nil
	}
	return errors.Join(s.exec(ctx, "ROLLBACK TO SAVEPOINT "+savepoint), s.flush(ctx))
}

// save makes a savepoint. It is there, and what waited before is answered, once this returns.
func (s *session) save(ctx context.Context, savepoint string) error {
	return errors.Join(s.exec(ctx, "SAVEPOINT "+savepoint), s.flush(ctx))
}

// ask sends what waits and a query, and reads the first row of its answer.
func (s *session) ask(ctx context.Context, text string, args, into []any) error {
	last := &pgx.QueuedQuery{SQL: text, Arguments: args}
	missing := false
	last.QueryRow(func(row pgx.Row) error {
		err := row.Scan(into...)
		if errors.Is(err, pgx.ErrNoRows) {
			missing, err = true, nil
		}
		return err
	})
	err := s.send(ctx, last)
	if err == nil && missing {
		return sql.ErrNoRows
	}
	return err
}

// askAll is ask of all rows.
func (s *session) askAll(ctx context.Context, text string, args []any, row func(pgx.Rows) error) error {
	last := &pgx.QueuedQuery{SQL: text, Arguments: args}
	last.Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := row(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return s.send(ctx, last)
}

// send sends what waits, and a query behind it that is answered last.
func (s *session) send(ctx context.Context, last *pgx.QueuedQuery) error {
	p := s.pipe
	if p.failure != nil {
		return p.failure
	}
	all, answered := &pgx.Batch{}, 0
	for _, l := range p.unsent {
		all.Queue(l.text, l.args...).Exec(func(tag pgconn.CommandTag) error {
			l.sent, l.rows = true, tag.RowsAffected()
			if l.rows == 0 && l.none != nil {
				return l.none
			}
			answered++
			return nil
		})
	}
	if last != nil {
		all.QueuedQueries = append(all.QueuedQueries, last)
	}
	err := s.conn.Raw(func(conn any) error { return conn.(*stdlib.Conn).Conn().SendBatch(ctx, all).Close() })
	if err != nil {
		p.failure, p.culprit = err, p.turn
		if answered < len(p.unsent) {
			p.culprit = p.unsent[answered].turn
		}
	}
	p.unsent = nil
	return err
}
