package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
	"github.com/cloudpam/cloudpam/server/internal/trace"
)

const (
	maxBatch         = 128                   // past about 64 the bound is the engine's processor time, not the disk
	maxBatchPostgres = 60                    // savepoints; from 64 on every look at a row by anybody reads them from disk
	maxTries         = 8                     // of a write that the engine asks to repeat
	batchTime        = time.Second           // after which a batch ends with what it has, so that locks are not kept for long
	heldPause        = 50 * time.Millisecond // before a write that met a lock runs again, so that others of its lane go first
)

func (db *DB) maxBatch() int {
	if db.engine == Postgres {
		return maxBatchPostgres
	}
	return maxBatch
}

// batch is one transaction of writes, and what became of each: answered, to run again, or not come to.
type batch struct {
	writes []*write
	begun  time.Time

	savepoints bool
	tx         *Tx
	done       int    // writes that are durable
	tornBy     *write // failed after it had written, and no savepoint parts it from the others; its own error is the cause
	failure    error  // what undid all of it, for those who trace it
	held       bool   // it met a lock of another transaction
	answered   []*write
	again      []*write
	unrun      []*write
}

// attempt runs writes in one transaction: without savepoints, which cost a sixth, and again with them where one of several
// fails after it has written something.
func (db *DB) attempt(writes []*write) *batch {
	if len(writes) > 1 && !slices.ContainsFunc(writes, func(w *write) bool { return w.undoes }) {
		b := db.tryAll(writes, false)
		switch w := b.tornBy; {
		case w == nil:
			return b
		case isHeld(w.err), repeatable(w.err): // the others need not wait until it has run again
			return db.attempt(slices.DeleteFunc(slices.Clone(writes), func(other *write) bool { return other == w })).later(w)
		}
	}
	return db.tryAll(writes, len(writes) > 1)
}

// later adds a write that is to run again to what became of the others.
func (b *batch) later(w *write) *batch {
	if isHeld(w.err) {
		b.held = true
		b.repeatLater(w, heldPause)
	} else {
		b.repeat(w)
	}
	return b
}

// tryAll runs writes in one transaction. What the engine asks to repeat, and every write of a batch that was undone as a
// whole, is to run again, so that one bad write never fails its neighbours.
func (db *DB) tryAll(writes []*write, savepoints bool) *batch {
	b := &batch{writes: writes, begun: time.Now(), savepoints: savepoints}
	if fault := db.fault.Load(); fault != nil {
		b.endAll(fault)
		return b
	}
	ctx, cancel := db.batchContext(writes)
	defer cancel()
	ctx, span := db.traceBatch(ctx, writes)
	defer func() {
		span.Count("cloudpam.committed", b.done)
		span.End(b.failure)
	}()
	s, err := db.writers.begin(ctx, db.begins.write)
	if err != nil {
		b.endAll(fmt.Errorf("begin: %w", err))
		return b
	}
	defer db.writers.give(s)
	if db.engine == Postgres {
		s.pipe = &pipeline{}
	}
	b.tx = &Tx{ctx: ctx, conn: s, rows: query.New(s), engine: db.engine, known: newMemory(), windows: map[int64]*window{}, ahead: db.newAhead(writes)}
	var fit []*write // for the commit
	for i, w := range writes {
		if i > 0 && (b.held || time.Since(b.begun) > batchTime) {
			b.unrun = writes[i:]
			break
		}
		if w.ctx.Err() != nil || !w.stage.CompareAndSwap(waits, begun) && w.stage.Load() != begun {
			w.err = context.Canceled // nobody waits for it any more, and it has not begun
			b.answered = append(b.answered, w)
			continue
		}
		var undone error
		if w.err, undone = db.run(b, i); undone != nil {
			db.undo(b, undone)
			return b
		}
		if b.tornBy != nil {
			s.rollback(ctx)
			return b
		}
		switch {
		case w.err == nil:
			fit = append(fit, w)
		case isHeld(w.err), repeatable(w.err):
			b.later(w)
		default:
			b.answered = append(b.answered, w)
		}
	}
	if len(fit) == 0 {
		s.rollback(ctx)
		return b
	}
	if err := db.finish(b); err != nil {
		db.undo(b, err)
		return b
	}
	if b.tornBy != nil {
		s.rollback(ctx)
		return b
	}
	// Before the commit, so that nothing is done; and after it, so that nobody is told of what went into a file without a name.
	if err := db.usable(); err != nil {
		s.rollback(ctx)
		b.endAll(err)
		return b
	}
	if err := s.commit(ctx); err != nil {
		b.failure = err
		db.unsure(b, fit, fmt.Errorf("commit: %w", err))
		return b
	}
	if err := db.usable(); err != nil {
		b.endAll(err)
		return b
	}
	b.done = len(fit)
	b.answered = append(b.answered, fit...)
	return b
}

// traceBatch begins the span of one transaction of writes.
func (db *DB) traceBatch(ctx context.Context, writes []*write) (context.Context, trace.Span) {
	ctx, span := trace.StartShared(ctx, "write", func(yield func(context.Context) bool) {
		for _, w := range writes {
			if !yield(w.ctx) {
				return
			}
		}
	})
	span.Say(dbSystem, db.engine.system())
	span.Count("cloudpam.writes", len(writes))
	return ctx, span
}

// batchContext bounds a transaction. Not SQLite's: an interrupted statement rolls back the whole batch.
func (db *DB) batchContext(writes []*write) (context.Context, context.CancelFunc) {
	if limit := db.limits.batch(); limit > 0 {
		for _, w := range writes {
			if most, patient := w.ctx.Value(patienceKey{}).(time.Duration); patient {
				limit = max(limit, most)
			}
		}
		return context.WithTimeout(context.Background(), limit)
	}
	return context.Background(), func() {}
}

// finish writes what a batch has still to write before its commit. A write that failed and did not know it has torn the batch.
func (db *DB) finish(b *batch) error {
	s := b.tx.conn
	if s.pipe != nil {
		s.pipe.turn = batchsOwn
	}
	if err := b.tx.writeHeads(); err != nil {
		return err
	}
	err := s.flush(b.tx.ctx)
	if err == nil || s.blame(err) || s.pipe.culprit == batchsOwn || b.savepoints || len(b.writes) == 1 {
		return err
	}
	b.tornBy = b.writes[s.pipe.culprit]
	b.tornBy.err = err
	return nil
}

// run runs one write, alone or under a savepoint. Its own error has undone it alone; undone says that the whole batch is. A
// damaged page that it met is the end of all writing.
func (db *DB) run(b *batch, turn int) (own, undone error) {
	s, w := b.tx.conn, b.writes[turn]
	if s.pipe != nil {
		s.pipe.turn = turn
	}
	if b.tx.ahead != nil {
		b.tx.ahead.turn = turn
	}
	if b.savepoints {
		if err := s.save(b.tx.ctx, "w"); err != nil {
			return nil, err
		}
	}
	written := s.written
	own = runBody(b.tx, w.body, b.savepoints || len(b.writes) == 1)
	if s.pipe != nil && s.pipe.failure != nil {
		own = s.pipe.failure // and not what came of it
	}
	if damaged(own) {
		own = db.condemn(damagedDetail, own)
	}
	if own != nil && s.blame(own) {
		return nil, own
	}
	if !b.savepoints {
		// Alone it is rolled back with the batch, which nobody commits. What was refused by a rule of ours before it wrote
		// anything has only locked something.
		if own != nil && len(b.writes) > 1 && (s.written != written || ipam.CodeOf(own) == "") {
			if b.tornBy = w; s.pipe != nil && s.pipe.failure != nil {
				b.tornBy = b.writes[s.pipe.culprit]
			}
			b.tornBy.err = own
		}
		return own, nil
	}
	if own != nil {
		b.tx.forgetSpaces()
		if err := s.undo(b.tx.ctx, "w"); err != nil {
			return nil, errors.Join(own, err)
		}
	}
	if err := s.exec(b.tx.ctx, "RELEASE SAVEPOINT w"); err != nil {
		return nil, err
	}
	return own, nil
}

// undo ends a batch that was undone as a whole before its commit: it has changed nothing, so every write of it may run again.
// Where the connection is to blame they run on another one, for as long as callers are patient.
func (db *DB) undo(b *batch, err error) {
	b.failure = err
	lost := b.tx.conn.blame(err)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "25006" {
		db.forgetAll() // they lead to a database that is no primary any more
	}
	b.tx.conn.rollback(b.tx.ctx)
	b.answered, b.again, b.unrun = nil, nil, nil
	for _, w := range b.writes {
		w.err = err
		switch {
		case w.stage.Load() == left, len(b.writes) == 1 && !lost && !repeatable(err), lost && time.Since(w.since) > connectionWait:
			b.answered = append(b.answered, w)
		default:
			w.alone = !lost
			b.repeat(w)
		}
	}
}

// unsure ends a batch whose COMMIT failed. Only where PostgreSQL says that nothing was committed does it run again.
func (db *DB) unsure(b *batch, fit []*write, err error) {
	if !refused(err) {
		b.tx.conn.spoilt = true
		for _, w := range fit {
			w.err = ambiguous(err)
		}
		b.answered = append(b.answered, fit...)
		return
	}
	b.tx.conn.rollback(b.tx.ctx)
	for _, w := range fit {
		w.err = err
		if len(b.writes) == 1 && !repeatable(err) {
			b.answered = append(b.answered, w)
			continue
		}
		w.alone = true
		b.repeat(w)
	}
}

func (db *DB) forgetAll() {
	for _, p := range []*sessions{&db.readers, &db.writers, &db.auth} {
		p.forget()
	}
}

func (b *batch) endAll(err error) {
	b.failure = err
	for _, w := range b.writes {
		w.err = err
	}
	b.answered, b.again, b.unrun = b.writes, nil, nil
}

// repeat lets a write run again after a moment that grows, so that two that are in each other's way part.
func (b *batch) repeat(w *write) {
	if w.tries++; w.tries >= maxTries {
		b.answered = append(b.answered, w)
		return
	}
	b.repeatLater(w, time.Duration(rand.IntN(1<<w.tries))*time.Millisecond)
}

func (b *batch) repeatLater(w *write, pause time.Duration) {
	if isHeld(w.err) && w.held.IsZero() {
		w.held = b.begun
	}
	w.next = time.Now().Add(pause)
	b.again = append(b.again, w)
}

// isHeld reports whether a lock of another transaction was in the way.
func isHeld(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "55P03"
}

// runBody turns a panic of a body into its error: the other writes of the batch are not at fault. What the body has done is known to
// those after it once all is answered, or where the batch stands and falls with it.
func runBody(tx *Tx, body func(*Tx) error, answered bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", r, debug.Stack())
		}
	}()
	tx.fresh, tx.looked = newMemory(), nameLook{}
	if err := body(tx); err != nil {
		return err
	}
	if answered {
		if err := tx.conn.flush(tx.ctx); err != nil {
			return err
		}
	}
	tx.known.add(tx.fresh)
	return nil
}
