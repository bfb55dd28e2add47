package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// TokenFile is where a new installation on SQLite leaves its first token, next to the database.
const TokenFile = "cloudpam-admin-token"

// companions are what SQLite keeps next to a database file under names made from its own: the log, the index of the log, and
// the journal that a database has before it gets a log. Each belongs to that one file and ruins any other.
var companions = []string{"-wal", "-shm", "-journal"}

// locate finds the real path of a database file, past symbolic links, whether the file exists or not. SQLite keeps the log
// next to the real file, so the lock belongs there too: two names of one file then are one lock.
func locate(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", path, err)
	}
	real, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	if target, err := os.Readlink(path); err == nil {
		return "", fmt.Errorf("%s is a link to %s, which is missing: is its disk mounted? To start a new installation there, name that path itself", path, target)
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	return filepath.Join(folder, filepath.Base(path)), err
}

// create makes an empty database file, with its folder, unless there is one. It refuses where another database has been: its
// blocks are in use somewhere, and a new database would hand them all out again.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make a place for the database: %w", err)
	}
	info, err := os.Stat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return fmt.Errorf("open the database: %w", err)
	}
	if !missing && info.Size() > 0 {
		return nil
	}
	remains := []string{filepath.Join(filepath.Dir(path), TokenFile)}
	if missing {
		// The lock file is there next to an empty database when its first start was cut short.
		remains = append(remains, path+".lock")
		for _, end := range companions {
			remains = append(remains, path+end)
		}
	}
	var found []string
	for _, name := range remains {
		if _, err := os.Lstat(name); err == nil {
			found = append(found, name)
		}
	}
	if len(found) > 0 {
		what := "missing"
		if !missing {
			what = "empty"
		}
		return fmt.Errorf("the database %s is %s, but there was one: %s. A new one would hand out again what is in use. "+
			"Put the file back, or restore a backup with \"cloudpam restore FILE\"; to start a new installation instead, remove what is named here",
			path, what, strings.Join(found, ", "))
	}
	// SQLite would make the file readable by everyone; it holds the key of the tokens' hashes.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // not opened: closing any descriptor of a file drops the locks that SQLite has on it in this process
	}
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	return file.Close()
}

// lockFile keeps a second server away from the database at a real path for as long as this process runs; the kernel frees it
// after a crash.
//
// The lock is on a file of its own. On the database itself it would fight SQLite's locks: macOS and NFS keep flock's and
// fcntl's in one list, and closing a descriptor of the database would drop SQLite's own. A name that another symbolic link
// gives is no way around it, since locate has followed those, and openSQLite refuses a file that has two names.
func lockFile(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(f.Name())
		f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock the database: %s: %w", f.Name(), err)
		}
		return nil, fmt.Errorf("another CloudPAM (process %s) has the database open; SQLite takes one server, several replicas need PostgreSQL", strings.TrimSpace(string(holder)))
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the database: %w", err), f.Close())
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the database: %w", err), f.Close())
	}
	return f.Close, nil
}

// oneName refuses a file with a second hard link. SQLite finds the log by the name, so a server on each name would have a log
// of its own for one file.
func oneName(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("the database %s is not a file", path)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Nlink > 1 {
		return fmt.Errorf("the database %s has a second name (a hard link), under which another server could open it: remove that name, or copy the file", path)
	}
	return nil
}

// identity is which files an open SQLite database consists of. While they are open no other file can get their inodes.
type identity map[string]os.FileInfo

func identify(path string) (identity, error) {
	id := identity{}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) && name != path {
			return nil, fmt.Errorf("SQLite keeps no log at %s: the database belongs on a local disk, not on NFS or SMB", name)
		}
		if err != nil {
			return nil, fmt.Errorf("open the database: %w", err)
		}
		id[name] = info
	}
	return id, nil
}

// check returns why the files at the names are not those that are open, or nil. What is written to a file that has lost its name
// is gone with the process. gone tells a loss from a disk that does not answer now.
func (id identity) check() (gone bool, err error) {
	for name, opened := range id {
		switch now, err := os.Stat(name); {
		case errors.Is(err, fs.ErrNotExist):
			return true, fmt.Errorf("%s was deleted or moved away", name)
		case err != nil:
			return false, err
		case !os.SameFile(opened, now):
			return true, fmt.Errorf("%s was replaced by another file", name)
		}
	}
	return false, nil
}
