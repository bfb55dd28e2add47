package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"

	"modernc.org/sqlite"

	"github.com/cloudpam/cloudpam/server/internal/store/lite"
)

func init() {
	// The first address of a CIDR as it is stored, for a migration that reads it from JSON.
	sqlite.MustRegisterDeterministicScalarFunction("cloudpam_ip", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, _ := args[0].(string)
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		return firstIP(p), nil
	})
	// SQLite's lower() knows ASCII only.
	sqlite.MustRegisterDeterministicScalarFunction("cloudpam_fold", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		if text, ok := args[0].(string); ok {
			return strings.ToLower(text), nil
		}
		return args[0], nil
	})
}

// glancers are the connections that only Glance takes: who calls, and whether the database answers, never wait behind lists.
const glancers = 2

// oldestSQLite is the first version without the WAL-reset bug, which can lose commits when two connections write and checkpoint.
const oldestSQLite = "3.51.3"

func (db *DB) openSQLite(ctx context.Context, path string, o Options) error {
	if path == "" || strings.Contains(path, ":memory:") {
		return errors.New("a SQLite database is a file: sqlite:///var/lib/cloudpam/cloudpam.db")
	}
	db.engine = SQLite
	real, err := locate(path)
	if err != nil {
		return err
	}
	db.path = real
	if o.ReadOnly {
		return db.openReadOnly(ctx, real)
	}
	if o.NoServerLock || o.Existing {
		if err := exists(real); err != nil {
			return err
		}
	} else {
		if err := create(real); err != nil {
			return err
		}
		if real, err = locate(path); err != nil { // the folder may be new, under a link
			return err
		}
	}
	db.path = real
	if err := oneName(real); err != nil {
		return err
	}
	if !o.NoServerLock {
		unlock, err := lockFile(real)
		if err != nil {
			return err
		}
		db.closers = append(db.closers, unlock)
		if err := checkFile(ctx, real); err != nil {
			return err
		}
	}
	if db.handle, err = db.openHandle(real, writing); err != nil {
		return err
	}
	db.handle.SetMaxOpenConns(1)
	if err := newEnough(ctx, db.handle); err != nil {
		return fmt.Errorf("open %s: %w", real, err)
	}
	if err := db.fillReaders(ctx, real, writing+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	db.files, err = identify(real)
	return err
}

// openReadOnly opens a file that may be on a read-only disk, and leaves nothing next to it.
func (db *DB) openReadOnly(ctx context.Context, path string) error {
	if err := exists(path); err != nil {
		return err
	}
	db.readOnly = true
	mode := "&mode=ro"
	// A server always has a log. Where there is none nobody writes, and SQLite may take the file as it is, instead of making a
	// log and its index next to it, for which the disk may have no leave.
	if _, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		mode += "&immutable=1"
	}
	var err error
	if db.handle, err = db.openHandle(path, mode); err != nil {
		return err
	}
	if err := newEnough(ctx, db.handle); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return db.fillReaders(ctx, path, mode)
}

func (db *DB) fillReaders(ctx context.Context, path, more string) error {
	reader, err := db.openHandle(path, more)
	if err != nil {
		return err
	}
	readers := max(4, 2*runtime.NumCPU())
	reader.SetMaxOpenConns(readers + glancers)
	reader.SetMaxIdleConns(readers + glancers)
	return errors.Join(db.readers.fill(ctx, reader, readers), db.auth.fill(ctx, reader, glancers))
}

// writing are the parameters of a connection to a database that the server writes, which must exist: SQLite creates none.
// FULL, not the popular NORMAL: NORMAL loses acknowledged commits on power loss, and a lost allocation is a double one.
// The log is moved into the database every 6,000 pages, some 24 MiB: a page that many commits write is moved once for all of them.
// It is cut to 64 MiB once a long read that made it grow is over.
const writing = "&mode=rw&vfs=" + lite.VFS + "&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=journal_size_limit(67108864)&_pragma=wal_autocheckpoint(6000)"

// openHandle sets every pragma in the DSN, since a PRAGMA by statement would reach only one of the pooled connections.
func (db *DB) openHandle(path, more string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_txlock=immediate&_pragma=busy_timeout(10000)" +
		"&_pragma=foreign_keys(1)&_pragma=cache_size(-65536)&_pragma=temp_store(memory)" + more
	handle, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.closers = append(db.closers, handle.Close)
	return handle, nil
}

func newEnough(ctx context.Context, handle *sql.DB) error {
	var version string
	if err := handle.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if olderThan(version, oldestSQLite) {
		return fmt.Errorf("this build carries SQLite %s, which can lose commits; CloudPAM needs %s or newer", version, oldestSQLite)
	}
	return nil
}

// exists refuses a database that is not there, for the commands that make none.
func exists(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no database at %s: is CLOUDPAM_DATABASE_URL right? Only \"cloudpam serve\" and \"cloudpam migrate up\" make a new one", path)
	case err != nil:
		return fmt.Errorf("open the database: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("the database %s is not a file", path)
	}
	return nil
}

// checkFile refuses a malformed database before anything is written to it. SQLite believes a log that belongs to another file,
// as after a backup was copied over the file of a server that had crashed, and what comes of it may look whole in each
// table by itself. So where a log was left the indexes are compared with their tables too, which takes longer.
func checkFile(ctx context.Context, path string) error {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return err // a new one
	}
	check := "quick_check"
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		check = "integrity_check"
		if foreign, err := neverLogged(path); err != nil {
			return err
		} else if foreign {
			return notSound(path, "the log next to it is of another database")
		}
	}
	// Read-only, because closing the last connection moves the log into the file: a refused file stays as it was found.
	// Only a journal, left by a first start that was cut short, needs writing to be undone.
	mode := "&mode=ro"
	if _, err := os.Stat(path + "-journal"); err == nil {
		mode = "&mode=rw"
	}
	db := &DB{engine: SQLite}
	var err error
	if db.handle, err = db.openHandle(path, mode); err != nil {
		return err
	}
	defer db.Close()
	return db.sound(ctx, path, check)
}

// sound refuses a database in which SQLite finds a fault.
func (db *DB) sound(ctx context.Context, path, check string) error {
	faults, err := db.faults(ctx, check)
	if err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	if faults == "" {
		return nil
	}
	return notSound(path, faults)
}

// neverLogged reports whether a database file is of before it had a log, as a backup is: byte 18 is 1 then, and 2 from its first
// log on (SQLite, Database File Format, 1.3.3). A log next to it has the pages of another file, all of them where that was young,
// and with those the database would be whole, and the other one.
func neverLogged(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var header [19]byte
	if n, err := f.ReadAt(header[:], 0); n < len(header) {
		return false, err
	}
	return header[18] == 1, nil
}

func notSound(path, faults string) error {
	return fmt.Errorf("the database %s is damaged, or no SQLite database (%s). Restore a backup with \"cloudpam restore FILE\", which keeps the damaged files; "+
		"a backup that was copied over the file, next to the log of the old one, does this too", path, faults)
}

// faults says what a check of SQLite finds; "" is nothing.
func (db *DB) faults(ctx context.Context, check string) (string, error) {
	found, err := db.names(ctx, "PRAGMA "+check+"(3)")
	switch {
	case damaged(err):
		return strings.Join(append(found, err.Error()), "; "), nil
	case len(found) == 1 && found[0] == "ok":
		return "", err
	}
	return strings.Join(found, "; "), err
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
