package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Backup writes a copy of a SQLite database, as it is at one moment, to a new file that only its owner may read. Servers go on
// meanwhile. It returns the schema of the copy.
func Backup(ctx context.Context, url, file string) (schema int64, err error) {
	if !strings.HasPrefix(url, "sqlite://") {
		return 0, errors.New("\"cloudpam backup\" copies SQLite; PostgreSQL has pg_dump: see \"Backup and restore\" in docs/operations.md")
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s is there already; name a file that is not", file)
	}
	db, err := Open(ctx, url, Options{NoServerLock: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// Under another name until it is whole, so that a backup that was cut short is not taken for one.
	part := file + ".partial"
	_ = os.Remove(part)
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("write the backup: %w", err)
	}
	defer os.Remove(part)
	if err := f.Close(); err != nil {
		return 0, fmt.Errorf("write the backup: %w", err)
	}
	if _, err := db.handle.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return 0, fmt.Errorf("write the backup: %w", err)
	}
	if schema, err = inspect(ctx, part); err != nil {
		return 0, fmt.Errorf("the copy is no backup: %w", err)
	}
	if err := errors.Join(flush(part), os.Rename(part, file), flush(filepath.Dir(file))); err != nil {
		return 0, fmt.Errorf("write the backup: %w", err)
	}
	// For the metrics alone. The backup is made, whether or not its maker may write here.
	_ = os.WriteFile(backupMark(db.path), []byte(file+"\n"), 0o600)
	return schema, nil
}

// Restored tells what Restore did.
type Restored struct {
	Database string   // the path of what was restored
	Schema   int64    // of the backup; the next start brings it up
	Aside    []string // what was there before, under its new names
}

// Restore puts a copy of a backup in the place of a SQLite database that no server has open. Nothing is deleted: the files that
// were there get other names. After a crash at any point there is the old database, the new one, or none, which create refuses
// to replace with an empty one; never a new file next to an old log. Then Restore is to be called again.
func Restore(ctx context.Context, url, backup string, now time.Time) (done Restored, err error) {
	path, lite := strings.CutPrefix(url, "sqlite://")
	if !lite {
		return done, errors.New("\"cloudpam restore\" is for SQLite; PostgreSQL has pg_restore: see \"Backup and restore\" in docs/operations.md")
	}
	if done.Database, err = locate(path); err != nil {
		return done, err
	}
	if err := restorable(done.Database, backup); err != nil {
		return done, err
	}
	if err := os.MkdirAll(filepath.Dir(done.Database), 0o700); err != nil {
		return done, fmt.Errorf("make a place for the database: %w", err)
	}
	unlock, err := lockFile(done.Database)
	if err != nil {
		return done, fmt.Errorf("stop the server first: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()

	stamp := unfinished(done.Database)
	if stamp == "" {
		stamp = now.UTC().Format("20060102T150405.000Z")
	}
	fresh := done.Database + restoring + stamp
	defer func() {
		if len(done.Aside) == 0 {
			_ = os.Remove(fresh)
		}
	}()
	if err := copyFile(fresh, backup); err != nil {
		return done, fmt.Errorf("copy the backup: %w", err)
	}
	if err := markRestored(fresh); err != nil {
		return done, fmt.Errorf("mark the backup as restored: %w", err)
	}
	if done.Schema, err = inspect(ctx, fresh); err != nil {
		return done, fmt.Errorf("%s is no backup to restore, and nothing was changed: %w", backup, err)
	}
	if err := sameOwner(done.Database, fresh, done.Database+".lock"); err != nil {
		return done, fmt.Errorf("give the database to the owner of the old one: %w", err)
	}
	if done.Aside, err = moveAside(done.Database, stamp); err != nil {
		return done, fmt.Errorf("move the old database aside: %w", err)
	}
	if err := errors.Join(os.Rename(fresh, done.Database), flush(filepath.Dir(done.Database))); err != nil {
		return done, fmt.Errorf("put the backup in place: %w", err)
	}
	for _, stale := range copies(done.Database) { // of restores that were cut short
		_ = os.Remove(stale)
	}
	return done, nil
}

// restorable refuses what is no backup at first sight.
func restorable(database, backup string) error {
	from, err := os.Stat(backup)
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	if !from.Mode().IsRegular() {
		return fmt.Errorf("the backup %s is not a file", backup)
	}
	if old, err := os.Stat(database); err == nil && os.SameFile(old, from) {
		return fmt.Errorf("%s is the database itself, not a backup of it", backup)
	}
	if log, err := os.Stat(backup + "-wal"); err == nil && log.Size() > 0 {
		return fmt.Errorf("%s has a log next to it, so it is the copy of an open database and not a backup: make one of it with \"cloudpam backup FILE --database-url sqlite://%s\"", backup, backup)
	}
	return nil
}

// inspect refuses a file that this build could not serve, and returns its schema. It reads the file alone: a backup has no log.
func inspect(ctx context.Context, path string) (schema int64, err error) {
	db, err := Open(ctx, "sqlite://"+path, Options{ReadOnly: true})
	if damaged(err) {
		return 0, fmt.Errorf("it is damaged or no SQLite database (%w)", err)
	}
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	faults, err := db.faults(ctx, "integrity_check")
	if err != nil {
		return 0, fmt.Errorf("check it: %w", err)
	}
	if faults != "" {
		return 0, fmt.Errorf("it is damaged or no SQLite database (%s)", faults)
	}
	status, err := db.SchemaStatus(ctx)
	switch {
	case err != nil:
		return 0, err
	case status.Current == 0:
		return 0, errors.New("it is not a database of CloudPAM")
	case status.Newer():
		return 0, fmt.Errorf("it has schema %d, this build knows %d: use a newer CloudPAM", status.Current, status.Target)
	case status.Current == status.Target: // an older one may lack what a later migration brings; the start looks again
		return status.Current, db.guarded(ctx)
	}
	return status.Current, nil
}

const (
	restoring = ".restoring-" // the copy, until it is in place; both names end in the time of the restore
	replaced  = ".replaced-"  // what it replaced
)

// unfinished returns the time of a restore that was cut short after it had taken the database away, or "". The log that is
// still there belongs to what it took away, so it gets the same name.
func unfinished(path string) string {
	if _, err := os.Lstat(path); err == nil {
		return ""
	}
	for _, name := range copies(path) {
		stamp := strings.TrimPrefix(name, path+restoring)
		if _, err := os.Lstat(path + replaced + stamp); err == nil {
			return stamp
		}
	}
	return ""
}

func copies(path string) []string {
	found, _ := filepath.Glob(path + restoring + "*")
	return found
}

// moveAside gives the files of a database other names, so that they still are one database. The database goes first: a log
// without its database is refused at the start, a database without its log is not. Flushed one by one, since a power cut may
// otherwise keep the second change of a folder and lose the first.
func moveAside(path, stamp string) (moved []string, err error) {
	stem := path + replaced + stamp
	for _, end := range append([]string{""}, companions...) {
		if _, err := os.Lstat(path + end); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if _, err := os.Lstat(stem + end); err == nil {
			return moved, fmt.Errorf("%s is there already; remove it or give it another name, then restore again", stem+end)
		}
		if err := errors.Join(os.Rename(path+end, stem+end), flush(filepath.Dir(path))); err != nil {
			return moved, err
		}
		moved = append(moved, stem+end)
	}
	return moved, nil
}

// copyFile makes a durable copy that only its owner may read.
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	_ = os.Remove(to) // of a restore that was cut short
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// markRestored makes the next start know that a file is a backup that was brought back. What is no database is left for inspect to refuse.
func markRestored(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if info, err := f.Stat(); err != nil || info.Size() < 512 {
		return errors.Join(err, f.Close())
	}
	_, err = f.WriteAt([]byte{0, 0, 0, restoredMark}, restoredMarkAt)
	return errors.Join(err, f.Sync(), f.Close())
}

// MarkRestored makes a database, which no server has open, one that was brought back from a backup by other means than Restore: by
// pg_restore, by a copy of a disk. Its schema must be this build's.
func MarkRestored(ctx context.Context, url string, now time.Time) (err error) {
	db, err := Open(ctx, url, Options{Existing: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Start(ctx); err != nil {
		return err
	}
	return db.Write(ctx, "restored", func(tx *Tx) error { return tx.SetRestored(now) })
}

// sameOwner makes files of root belong to whom the database or its folder belongs, so that the server may open what its
// administrator restored.
func sameOwner(database string, files ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(database)
	if err != nil {
		if info, err = os.Stat(filepath.Dir(database)); err != nil {
			return err
		}
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	var errs []error
	for _, name := range files {
		errs = append(errs, os.Chown(name, int(s.Uid), int(s.Gid)))
	}
	return errors.Join(errs...)
}

// flush makes the content of a file, or the names in a folder, survive a power cut.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
