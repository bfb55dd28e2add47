package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	_ "modernc.org/sqlite" // registers the driver
)

// oldestSQLite is the first version without the WAL-reset bug, which can lose commits when two connections write and checkpoint.
const oldestSQLite = "3.51.3"

func (db *DB) openSQLite(ctx context.Context, path string, beside bool) error {
	if path == "" || strings.Contains(path, ":memory:") {
		return errors.New("a SQLite database is a file: sqlite:///var/lib/cloudpam/cloudpam.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("find %s: %w", path, err)
	}
	db.engine = SQLite
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make a place for the database: %w", err)
	}
	if !beside {
		if err := db.lockFile(path + ".lock"); err != nil {
			return err
		}
	}
	// SQLite would make the file readable by everyone; it holds the key of the tokens' hashes.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	_ = file.Close()
	writer, err := db.openHandle(path, "")
	if err != nil {
		return err
	}
	writer.SetMaxOpenConns(1)
	var version string
	if err := writer.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if olderThan(version, oldestSQLite) {
		return fmt.Errorf("this build carries SQLite %s, which can lose commits; CloudPAM needs %s or newer", version, oldestSQLite)
	}
	db.handle = writer
	reader, err := db.openHandle(path, "&_pragma=query_only(1)")
	if err != nil {
		return err
	}
	readers := max(4, 2*runtime.NumCPU())
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	return db.readers.fill(ctx, reader, readers)
}

// openHandle sets every pragma in the DSN, since a PRAGMA by statement would reach only one of the pooled connections.
// FULL, not the popular NORMAL: NORMAL loses acknowledged commits on power loss, and a lost allocation is a double one.
func (db *DB) openHandle(path, more string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=cache_size(-65536)&_pragma=temp_store(memory)" + more
	handle, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.closers = append(db.closers, handle.Close)
	return handle, nil
}

// lockFile keeps a second server away from the file for as long as this process lives; the kernel frees it after a crash.
func (db *DB) lockFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	db.closers = append(db.closers, f.Close)
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		return fmt.Errorf("another CloudPAM (process %s) has the database open; SQLite takes one server, several replicas need PostgreSQL", strings.TrimSpace(string(holder)))
	}
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func olderThan(version, floor string) bool {
	a, b := strings.Split(version, "."), strings.Split(floor, ".")
	for i := range b {
		if i >= len(a) {
			return true
		}
		x, _ := strconv.Atoi(a[i])
		y, _ := strconv.Atoi(b[i])
		if x != y {
			return x < y
		}
	}
	return false
}
