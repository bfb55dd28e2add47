package store

import (
	"context"
	"sync/atomic"
)

// SQLite's log is moved into the database now and then. The writer would do all of it in its turn, while everybody waits. So a
// reader's connection moves what is there by then, and what was written meanwhile the writer moves after a commit: SQLite begins
// the log anew only once all of it is moved. Past twice the pages of wal_autocheckpoint the writer waits for nobody.
type checkpoints struct {
	running atomic.Bool
	moved   atomic.Bool // nearly all: the rest is the writer's
}

// moveLog is called between two commits, when those of the first have their answers.
func (db *DB) moveLog() {
	if db.engine != SQLite || db.fault.Load() != nil {
		return
	}
	s, err := db.writers.take(context.Background())
	if err != nil {
		return // it is being closed, which moves all
	}
	defer db.writers.give(s)
	switch pages, enough := s.direct.Logged(), s.direct.Enough; {
	case enough == 0 || pages < enough:
	case pages >= 2*enough, db.checkpoints.moved.Load():
		db.checkpoints.moved.Store(false)
		s.checkpoint()
	case db.checkpoints.running.CompareAndSwap(false, true):
		db.commits.drains.Go(db.moveMost)
	}
}

func (db *DB) moveMost() {
	defer db.checkpoints.running.Store(false)
	s, err := db.readers.take(context.Background())
	if err != nil {
		return
	}
	defer db.readers.give(s)
	if db.fault.Load() == nil {
		s.checkpoint()
		db.checkpoints.moved.Store(true)
	}
}

// checkpoint moves what no reader needs. A failure does not matter: after the next commit it is tried again.
func (s *session) checkpoint() { _ = s.exec(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)") }
