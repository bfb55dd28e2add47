package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// sessions hands out connections: a fixed set that keeps its prepared statements (SQLite), or as many as there are slots from
// database/sql's own pool (PostgreSQL, where pgx keeps prepared statements by itself).
type sessions struct {
	handle *sql.DB
	idle   chan *session // SQLite's
	filled int           // sessions there are, idle or taken
	slots  chan struct{} // PostgreSQL's: as full as connections are taken
	use    string        // what PostgreSQL's are for, as the settings name it
}

// begin takes a connection and begins a transaction on it.
func (p *sessions) begin(ctx context.Context, text string) (*session, error) {
	if p.idle == nil {
		return p.beginAnywhere(ctx, text)
	}
	s, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.exec(ctx, text); err != nil {
		p.give(s)
		return nil, err
	}
	return s, nil
}

// beginAnywhere begins on the first connection that works. A BEGIN that fails has done nothing, so it may run again on
// another. Waiting a little is better than a refusal: for a free connection, for a database that has too many of them, and
// for one that starts or switches over.
func (p *sessions) beginAnywhere(ctx context.Context, text string) (*session, error) {
	wait, cancel := context.WithTimeout(ctx, connectionWait)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
	case <-wait.Done():
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, ipam.Errorf(ipam.CodeOverloaded, "the server's %d connections to the database for this (CLOUDPAM_POSTGRES_%s_CONNECTIONS) have been busy for %s; try again",
			cap(p.slots), strings.ToUpper(p.use), connectionWait)
	}
	var s *session
	err := insist(wait, func() (err error) {
		s, err = p.beginOn(wait, text)
		return err
	})
	if err != nil {
		<-p.slots
		if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
			err = fmt.Errorf("%w while the database could not be reached: %w", ctx.Err(), err)
		}
		return nil, err
	}
	return s, nil
}

func (p *sessions) beginOn(ctx context.Context, text string) (*session, error) {
	conn, err := p.handle.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn}
	limited, cancel := context.WithTimeout(ctx, beginWait)
	defer cancel()
	if err := s.begin(limited, text); err != nil {
		s.spoilt = true
		s.leave()
		if ctx.Err() == nil {
			p.forget() // what broke this one has most often broken all
		}
		return nil, err
	}
	return s, nil
}

// insist tries again what may soon work, until the context ends; then the last failure counts, not the end of the wait.
func insist(ctx context.Context, try func() error) error {
	var last error
	for n := 0; ; n++ {
		err := try()
		if err == nil || !soonBetter(err) {
			return err
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		pause := time.NewTimer(time.Millisecond << min(n, 8) * time.Duration(4+rand.IntN(4)) / 8)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return last
		}
	}
}

func (p *sessions) take(ctx context.Context) (*session, error) {
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
	if p.idle != nil {
		p.idle <- s
		return
	}
	s.leave()
	<-p.slots
}

// leave gives a connection back to database/sql, which closes a bad one.
func (s *session) leave() {
	if s.spoilt {
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = s.conn.Close()
}

// forget closes the connections that nobody uses now, so that the next ones are new.
func (p *sessions) forget() {
	if p.idle == nil && p.handle != nil {
		p.handle.SetMaxIdleConns(0)
		p.handle.SetMaxIdleConns(cap(p.slots))
	}
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
