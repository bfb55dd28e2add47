package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

const (
	maxBatch   = 128  // past about 64 the bound is the engine's processor time, not the disk
	maxWaiting = 1024 // writes in all lanes; more are refused, so that a slow disk does not fill the memory
	maxTries   = 8    // of a write that the engine asks to repeat
)

// Stats counts what the committer did, for metrics.
type Stats struct {
	Writes  uint64 // bodies that were committed
	Commits uint64 // transactions they shared
	Waiting int    // writes in the queue now
}

type committer struct {
	mu      sync.Mutex
	lanes   map[string]*lane
	waiting int
	stopped bool
	drains  sync.WaitGroup
	stats   Stats
}

// lane is the queue of the writes that may share a batch. It exists while it has work.
type lane struct{ queue []*write }

type write struct {
	ctx  context.Context
	body func(*Tx) error
	err  error
	done chan struct{}
}

// Write runs the body in a transaction of the space's lane and returns once it is durable or undone. Writes of one lane
// share transactions. The body may run more than once, and its statements are not cancelled by ctx: an interrupted
// statement would make SQLite roll back the whole batch.
// Errors: what the body returned, CodeOverloaded when too many wait, CodeUnavailable when the database does not answer.
func (db *DB) Write(ctx context.Context, space string, body func(*Tx) error) error {
	if db.readOnly {
		return errors.New("the database was opened to be read only")
	}
	if db.engine == SQLite {
		space = ""
	}
	w := &write{ctx: ctx, body: body, done: make(chan struct{})}
	if err := db.enqueue(space, w); err != nil {
		return err
	}
	<-w.done
	return w.err
}

// Stats returns the counts so far.
func (db *DB) Stats() Stats {
	db.commits.mu.Lock()
	defer db.commits.mu.Unlock()
	s := db.commits.stats
	s.Waiting = db.commits.waiting
	return s
}

func (db *DB) enqueue(space string, w *write) error {
	c := &db.commits
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return ipam.Errorf(ipam.CodeUnavailable, "the server is shutting down")
	}
	if c.waiting >= maxWaiting {
		return overloaded(c.waiting)
	}
	c.waiting++
	l := c.lanes[space]
	if l == nil {
		l = &lane{}
		c.lanes[space] = l
		c.drains.Add(1)
		go db.drain(space, l)
	}
	l.queue = append(l.queue, w)
	return nil
}

// drain commits a lane's writes, batch after batch, until there are none.
func (db *DB) drain(space string, l *lane) {
	c := &db.commits
	defer c.drains.Done()
	for {
		// Let the callers that were just answered come back: a batch then holds nearly all of them, not half.
		for seen := -1; ; runtime.Gosched() {
			c.mu.Lock()
			n := len(l.queue)
			c.mu.Unlock()
			if n == seen || n >= maxBatch {
				break
			}
			seen = n
		}
		c.mu.Lock()
		n := min(len(l.queue), maxBatch)
		if n == 0 {
			delete(c.lanes, space)
			c.mu.Unlock()
			return
		}
		batch := l.queue[:n:n]
		l.queue = l.queue[n:]
		c.mu.Unlock()

		db.commit(batch)

		c.mu.Lock()
		c.waiting -= n
		c.mu.Unlock()
		for _, w := range batch {
			w.err = db.answer(w.err)
			close(w.done)
		}
	}
}

func (c *committer) stop() {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.drains.Wait()
}

// commit runs a batch in one transaction. What the engine asks to repeat, and every write of a batch that was rolled back
// as a whole, runs again alone, so that one bad write never fails its neighbours.
func (db *DB) commit(batch []*write) {
	again := db.attempt(batch)
	for _, w := range again {
		for try := 1; ; try++ {
			if len(db.attempt([]*write{w})) == 0 || try == maxTries {
				break
			}
			time.Sleep(time.Duration(rand.IntN(1<<try)) * time.Millisecond)
		}
	}
}

// attempt returns the writes to run again, each with its last error set.
func (db *DB) attempt(batch []*write) (again []*write) {
	ctx := context.Background()
	fail := func(err error) []*write {
		for _, w := range batch {
			w.err = err
		}
		if len(batch) > 1 || repeatable(err) {
			return batch
		}
		return nil
	}
	if fault := db.fault.Load(); fault != nil {
		for _, w := range batch {
			w.err = fault
		}
		return nil
	}
	waitCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	s, err := db.writers.take(waitCtx)
	if err != nil {
		for _, w := range batch {
			w.err = fmt.Errorf("wait for a connection: %w", err)
		}
		return nil
	}
	defer db.writers.give(s)
	if err := s.exec(ctx, db.beginWrite()); err != nil {
		for _, w := range batch {
			w.err = fmt.Errorf("begin: %w", err)
		}
		return nil
	}
	rollback := func() { _ = s.exec(ctx, "ROLLBACK") } // fails when the engine has rolled back by itself, which is as good
	tx := &Tx{ctx: ctx, conn: s, rows: query.New(s), engine: db.engine}
	done := 0
	for _, w := range batch {
		w.err = nil
		if w.err = w.ctx.Err(); w.err != nil {
			continue // nobody waits for it any more, and it has not begun
		}
		if len(batch) == 1 {
			// Alone it needs no savepoint: two statements less, on PostgreSQL two round trips.
			if w.err = db.run(tx, w.body); w.err != nil {
				rollback()
				if repeatable(w.err) {
					return batch
				}
				return nil
			}
			done++
			continue
		}
		if err := s.exec(ctx, "SAVEPOINT w"); err != nil {
			rollback()
			return fail(err)
		}
		if w.err = db.run(tx, w.body); w.err != nil {
			if err := s.exec(ctx, "ROLLBACK TO SAVEPOINT w"); err != nil {
				rollback()
				return fail(errors.Join(w.err, err))
			}
			if repeatable(w.err) {
				again = append(again, w)
			}
		} else {
			done++
		}
		if err := s.exec(ctx, "RELEASE SAVEPOINT w"); err != nil {
			rollback()
			return fail(err)
		}
	}
	// Before the commit, so that nothing is done; and after it, so that nobody is told of what went into a file without a name.
	if err := db.usable(); err != nil {
		rollback()
		for _, w := range batch {
			w.err = err
		}
		return nil
	}
	if err := s.exec(ctx, "COMMIT"); err != nil {
		rollback()
		if lostContact(err) {
			// It may or may not be durable. Saying so is the only honest answer; a retry with the same key finds out.
			for _, w := range batch {
				if w.err == nil {
					w.err = fmt.Errorf("commit: %w", err)
				}
			}
			return nil
		}
		return fail(fmt.Errorf("commit: %w", err))
	}
	if err := db.usable(); err != nil {
		for _, w := range batch {
			w.err = err
		}
		return nil
	}
	db.commits.mu.Lock()
	db.commits.stats.Writes += uint64(done)
	db.commits.stats.Commits++
	db.commits.mu.Unlock()
	return again
}

// run turns a panic of a body into its error: the other writes of the batch are not at fault. A damaged page that it met is
// the end of the whole batch.
func (db *DB) run(tx *Tx, body func(*Tx) error) (err error) {
	defer func() {
		if damaged(err) {
			err = db.condemn(damagedDetail, err)
		}
	}()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", r, debug.Stack())
		}
	}()
	tx.heads = map[ipam.UID]Chain{}
	if err := body(tx); err != nil {
		return err
	}
	return tx.writeHeads()
}
