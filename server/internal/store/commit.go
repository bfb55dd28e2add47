package store

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

const (
	maxQueued  = 1024     // writes in one lane; more are refused, so that a slow disk does not fill the memory
	maxWaiting = 8 * 1024 // writes in all lanes; far more than one lane's, so that one which is stuck refuses its own only
)

// Stats counts what the committer did, for metrics.
type Stats struct {
	Writes  uint64 // bodies that were committed
	Commits uint64 // transactions they shared
	Waiting int    // writes in the queue now
}

type committer struct {
	mu       sync.Mutex
	lanes    map[string]*lane
	waiting  int
	stopped  bool
	drains   sync.WaitGroup
	stats    Stats
	patience chan struct{} // PostgreSQL: as full as lanes take connections although a lock kept them waiting before
}

// write is one call of Write, from its lane's queue to its answer.
type write struct {
	ctx   context.Context
	body  func(*Tx) error
	err   error
	done  chan struct{}
	stage atomic.Int32

	since time.Time // when it came
	held  time.Time // since when locks of others have kept it waiting; zero: they have not
	tries int       // runs that came to nothing through no fault of its own
	alone bool      // it runs in a batch of its own, since the one it was in was undone as a whole

	look   Look
	undoes bool      // it will fail after it has written
	next   time.Time // not before
}

// The stages of a write. A caller may leave one that waits, and then it never begins.
const (
	waits int32 = iota
	begun
	left
)

// Write runs the body in a transaction of the space's lane and returns once it is durable or undone. Writes of one lane
// share transactions. The body may run more than once, and its statements are not cancelled by ctx: an interrupted
// statement would make SQLite roll back the whole batch. A caller whose ctx ends is answered at once, and the body may then
// still run: it must not touch what its caller looks at after an error.
// Errors: what the body returned, CodeOverloaded when too many wait or a lock is kept for too long, CodeUnavailable when the
// database does not answer.
func (db *DB) Write(ctx context.Context, space string, body func(*Tx) error) error {
	return db.write(ctx, space, &write{body: body})
}

// WriteAfter is Write of a body that asks for what the look says, and is told sooner.
func (db *DB) WriteAfter(ctx context.Context, space string, look Look, body func(*Tx) error) error {
	return db.write(ctx, space, &write{body: body, look: look})
}

// Undo is Write for a body that fails in any case, whose answer is all that is wanted: it spares the others of its batch a
// second run.
func (db *DB) Undo(ctx context.Context, space string, body func(*Tx) error) error {
	return db.write(ctx, space, &write{body: body, undoes: true})
}

func (db *DB) write(ctx context.Context, space string, w *write) error {
	if db.readOnly {
		return errors.New("the database was opened to be read only")
	}
	if db.engine == SQLite {
		space = ""
	}
	w.ctx, w.done, w.since = ctx, make(chan struct{}), time.Now()
	if err := db.enqueue(space, w); err != nil {
		return err
	}
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
	}
	if w.stage.CompareAndSwap(waits, left) {
		return translate(context.Canceled)
	}
	select {
	case <-w.done:
		return w.err
	default:
		return ambiguous(ctx.Err())
	}
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
	l := c.lanes[space]
	if l == nil {
		l = &lane{space: space, wake: make(chan struct{}, 1)}
		c.lanes[space] = l
	}
	if waiting := l.waiting(); waiting >= maxQueued || c.waiting >= maxWaiting {
		return overloaded(max(waiting, c.waiting))
	}
	c.waiting++
	l.queue = append(l.queue, w)
	if !l.drained {
		l.drained = true
		c.drains.Add(1)
		go db.drain(l)
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return nil
}

// drain commits a lane's writes, batch after batch, until there are none.
func (db *DB) drain(l *lane) {
	c := &db.commits
	defer c.drains.Done()
	for {
		db.gather(l)
		c.mu.Lock()
		over := l.giveUp(time.Now(), db.limits.lock)
		batch, pause := l.batch(time.Now(), db.maxBatch())
		ended := batch == nil && pause == 0
		if ended {
			l.drained = false
			if l.stuck.IsZero() {
				delete(c.lanes, l.space)
			}
		}
		c.mu.Unlock()
		db.settle(over)
		switch {
		case ended:
			return
		case batch == nil:
			l.rest(pause)
		default:
			db.settle(db.serve(l, batch))
			db.moveLog()
		}
	}
}

// gather lets the callers that were just answered come back: a batch then holds nearly all of them, not half.
func (db *DB) gather(l *lane) {
	for seen := -1; ; runtime.Gosched() {
		db.commits.mu.Lock()
		n := len(l.queue)
		db.commits.mu.Unlock()
		if n == seen || n >= maxBatch {
			return
		}
		seen = n
	}
}

// serve runs a batch, puts back into the lane what is to run again, and returns what has its answer.
func (db *DB) serve(l *lane, batch []*write) []*write {
	if stuck := !l.stuck.IsZero(); stuck && db.commits.patience != nil {
		db.commits.patience <- struct{}{}
		defer func() { <-db.commits.patience }()
	}
	b := db.attempt(batch)
	db.commits.mu.Lock()
	defer db.commits.mu.Unlock()
	db.commits.stats.Writes += uint64(b.done)
	if b.done > 0 {
		db.commits.stats.Commits++
	}
	l.takeBack(b)
	return b.answered
}

// settle tells callers what became of their writes.
func (db *DB) settle(all []*write) {
	db.commits.mu.Lock()
	db.commits.waiting -= len(all)
	db.commits.mu.Unlock()
	for _, w := range all {
		w.err = db.answer(w.err)
		close(w.done)
	}
}

func (c *committer) stop() {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.drains.Wait()
}

// overloaded is what a write gets when too many wait.
func overloaded(waiting int) error {
	return ipam.Errorf(ipam.CodeOverloaded, "%d writes are waiting already; try again in a second", waiting)
}

// errHeld is the cause of a refusal after the last attempt met a lock.
var errHeld = errors.New("a lock was not free in time")
