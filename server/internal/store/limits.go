package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// limits are how long PostgreSQL may take, by its own names. 0 is no limit. They are set inside each transaction, in the
// round trip of its BEGIN: poolers refuse them at the start of a connection, and would leak them from one client to another.
type limits struct {
	statement time.Duration // statement_timeout: one statement, and what waits for its answer
	lock      time.Duration // lock_timeout: how long a write is kept waiting by locks of others
	idle      time.Duration // idle_in_transaction_session_timeout: after which a frozen server's locks are freed
}

// defaultLimits. idle is less than lock: what a frozen server holds is free before those who wait for it give up.
var defaultLimits = limits{statement: 10 * time.Second, lock: 8 * time.Second, idle: 5 * time.Second}

const (
	// lockSlice is how long a write waits for a lock with a connection in hand. Then it makes room for others and comes again, at
	// the end of PostgreSQL's queue: so it is longer than what several busy servers take for a turn each.
	lockSlice = 600 * time.Millisecond
	// grace is what an answer may take on its way after PostgreSQL should have ended the statement.
	grace = 2 * time.Second
	// beginWait is how long a BEGIN may take, which does nothing; a longer one tells that the connection is dead.
	beginWait = 3 * time.Second
	// connectionWait is how long a request waits for a connection, and for a database that refuses new ones.
	connectionWait = 6 * time.Second
)

// takeLimits reads the limits of a URL, and takes them out of what is sent at the start of a connection.
func takeLimits(params map[string]string) (limits, error) {
	l := defaultLimits
	for name, limit := range map[string]*time.Duration{
		"statement_timeout": &l.statement, "lock_timeout": &l.lock, "idle_in_transaction_session_timeout": &l.idle,
	} {
		text, given := params[name]
		if !given {
			continue
		}
		delete(params, name)
		var err error
		if *limit, err = parseTimeout(text); err != nil {
			return l, fmt.Errorf("%s is %q; write 10s, 500ms or 0 for no limit", name, text)
		}
	}
	return l, nil
}

// parseTimeout reads what PostgreSQL reads: a number of milliseconds, or one with a unit.
func parseTimeout(text string) (time.Duration, error) {
	text = strings.ReplaceAll(strings.Trim(text, " '"), " ", "")
	if ms, err := strconv.Atoi(text); err == nil && ms >= 0 {
		return time.Duration(ms) * time.Millisecond, nil
	}
	d, err := time.ParseDuration(strings.Replace(text, "min", "m", 1))
	if err == nil && d < 0 {
		err = strconv.ErrRange
	}
	return d, err
}

func (l limits) beginRead() string {
	return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" + setLocal("statement_timeout", l.statement) +
		setLocal("idle_in_transaction_session_timeout", l.idle)
}

// beginWrite reads what is committed: each statement after a lock sees what the lock waited for. It reads the clock too, which
// is the time of all that is written in the transaction.
func (l limits) beginWrite() string {
	slice := lockSlice
	if l.lock > 0 {
		slice = min(slice, l.lock)
	}
	return "BEGIN ISOLATION LEVEL READ COMMITTED" + setLocal("statement_timeout", l.statement) + setLocal("lock_timeout", slice) +
		setLocal("idle_in_transaction_session_timeout", l.idle) + "; " + askClock
}

func setLocal(name string, limit time.Duration) string {
	return fmt.Sprintf("; SET LOCAL %s = %d", name, (limit+time.Millisecond-1)/time.Millisecond)
}

// silence is how long a connection may wait for an answer.
func (l limits) silence() time.Duration {
	if l.statement == 0 {
		return 0
	}
	return l.statement + grace
}

// batch is how long a transaction of writes may take from its BEGIN to its end.
func (l limits) batch() time.Duration { return 3 * l.silence() }

type patienceKey struct{}

// Patient is the context of a write that may take longer than others do: it has a lane of its own.
func Patient(ctx context.Context, most time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, most)
}

// unhurried connects for migrations, which take as long as they take, whatever the database sets for everybody else.
type unhurried struct{ driver.Connector }

func (u unhurried) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := u.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return unhurriedConn{conn.(*stdlib.Conn)}, nil
}

type unhurriedConn struct{ *stdlib.Conn }

// BeginTx lifts the limits for this transaction only: behind a pooler the connection is somebody else's next.
func (c unhurriedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	lift := setLocal("statement_timeout", 0) + setLocal("lock_timeout", 0) + setLocal("idle_in_transaction_session_timeout", 0)
	if _, err := c.ExecContext(ctx, strings.TrimPrefix(lift, "; "), nil); err != nil {
		_ = tx.Rollback()
		return nil, fmt.Errorf("lift the time limits for a migration: %w", err)
	}
	return tx, nil
}
