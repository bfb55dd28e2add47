package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// reading is what the database's clock said, and when that was by a counter that nobody sets. SQLite has no clock: zero.
type reading struct {
	at   time.Time
	read time.Time
}

// askClock is PostgreSQL's clock in microseconds, at this moment: now() is when the transaction began.
const askClock = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"

// begin begins a transaction, and on PostgreSQL reads the clock in the same round trip where the text ends with askClock.
func (s *session) begin(ctx context.Context, text string) error {
	if s.prepared != nil {
		return s.exec(ctx, text)
	}
	s.clock = reading{}
	return s.conn.Raw(func(conn any) error {
		pg := conn.(*stdlib.Conn).Conn()
		if pg.IsClosed() {
			return driver.ErrBadConn
		}
		results, err := pg.PgConn().Exec(ctx, text).ReadAll()
		if err != nil {
			return err
		}
		if last := results[len(results)-1].Rows; len(last) == 1 {
			s.clock, err = readClock(string(last[0][0]))
		}
		return err
	})
}

func readClock(micros string) (reading, error) {
	at, err := strconv.ParseInt(micros, 10, 64)
	if err != nil {
		return reading{}, fmt.Errorf("read the database's clock: %w", err)
	}
	return reading{at: moment(at), read: time.Now()}, nil
}

// Clock is what the database's clock said when the transaction of a write began, and how long ago that was. SQLite has none:
// the zero time.
func (tx *Tx) Clock() (at time.Time, ago time.Duration) {
	if tx.conn.clock.at.IsZero() {
		return at, 0
	}
	return tx.conn.clock.at, time.Since(tx.conn.clock.read)
}

// ReadClock asks the database for its clock and says how long ago that was answered; the zero time on SQLite.
func (tx *Tx) ReadClock() (at time.Time, ago time.Duration, err error) {
	if tx.engine == SQLite {
		return at, 0, nil
	}
	var micros string
	if err := tx.conn.QueryRowContext(tx.ctx, askClock).Scan(&micros); err != nil {
		return at, 0, err
	}
	tx.conn.clock, err = readClock(micros)
	at, ago = tx.Clock()
	return at, ago, err
}

// KnownTimes are the latest time of a server that is known, by an event or by SeeTime, and the latest of SeeTime. Zero before the
// first start.
func (tx *Tx) KnownTimes() (latest, seen time.Time, err error) {
	row, err := tx.rows.Instance(tx.ctx)
	if noRows(err) {
		return latest, seen, nil
	}
	if err != nil {
		return latest, seen, err
	}
	seen = moment(row.SeenAt)
	latest, err = tx.LastMoment()
	if latest.Before(seen) {
		latest = seen
	}
	return latest, seen, err
}

// SeeTime keeps the latest time that a server has believed in.
func (tx *Tx) SeeTime(at time.Time) error {
	return tx.rows.SeeTime(tx.ctx, micros(at))
}
