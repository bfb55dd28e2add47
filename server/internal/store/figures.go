package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Figures are about the database as a whole.
type Figures struct {
	Size, Log  int64         // bytes; SQLite's log is a file of its own, PostgreSQL's is shared with other databases and not told
	OldestRead time.Duration // how long the oldest read of this server has lasted; what it could still see is kept for it
	BackedUp   time.Time     // when "cloudpam backup" made a backup last; zero: never, or it is PostgreSQL
}

// Figures reads them. They are cheap on SQLite; PostgreSQL looks at each of its files.
func (db *DB) Figures(ctx context.Context) (f Figures, err error) {
	f.OldestRead = db.reads.oldest()
	if db.engine == Postgres {
		return f, db.Read(ctx, func(tx *Tx) error {
			return tx.conn.QueryRowContext(ctx, "SELECT pg_database_size(current_database())").Scan(&f.Size)
		})
	}
	for name, of := range map[string]func(fs.FileInfo){
		db.path:             func(info fs.FileInfo) { f.Size = info.Size() },
		db.path + "-wal":    func(info fs.FileInfo) { f.Log = info.Size() },
		backupMark(db.path): func(info fs.FileInfo) { f.BackedUp = info.ModTime() },
	} {
		info, err := os.Stat(name)
		switch {
		case err == nil:
			of(info)
		case !errors.Is(err, fs.ErrNotExist):
			return f, fmt.Errorf("look at the database's files: %w", err)
		}
	}
	return f, nil
}

// backupMark is the file next to a database whose time is that of its last backup, and whose text says where that went.
func backupMark(path string) string { return path + ".backed-up" }

// readings are the reads under way, each with when it began.
type readings struct {
	mu    sync.Mutex
	since map[*session]time.Time
}

func (r *readings) begin(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since[s] = time.Now()
}

func (r *readings) end(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.since, s)
}

func (r *readings) oldest() (longest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, since := range r.since {
		longest = max(longest, time.Since(since))
	}
	return longest
}
