package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func try(t *testing.T, path string, o store.Options) error {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite://"+path, o)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	return nil
}

func wantRefusal(t *testing.T, err error, says ...string) {
	t.Helper()
	for _, s := range says {
		if err == nil || !strings.Contains(err.Error(), s) {
			t.Errorf("err = %v, want one that says %q", err, s)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// closed makes a migrated database with the scope "kept" in it.
func closed(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "cloudpam.db")
	db, err := store.Open(t.Context(), "sqlite://"+path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Migrate(t.Context(), "test"), db.Start(t.Context()), db.Write(t.Context(), "a", insert("kept")), db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAMissingDatabaseIsNotReplacedByAnEmptyOne(t *testing.T) {
	for _, end := range []string{".lock", "-wal", "-shm", "-journal"} {
		path := filepath.Join(t.TempDir(), "cloudpam.db")
		write(t, path+end, "")
		wantRefusal(t, try(t, path, store.Options{}), "is missing, but there was one", path+end, "cloudpam restore FILE", "remove what is named")
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: there is a database now (%v)", end, err)
		}
	}
	for _, what := range []string{"missing", "empty"} {
		path := filepath.Join(t.TempDir(), "cloudpam.db")
		write(t, filepath.Join(filepath.Dir(path), store.TokenFile), "secret")
		if what == "empty" {
			write(t, path, "")
		}
		wantRefusal(t, try(t, path, store.Options{}), what, store.TokenFile)
	}
	t.Run("a start that was cut short may begin again", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "cloudpam.db")
		write(t, path, "")
		write(t, path+".lock", "1\n")
		if err := try(t, path, store.Options{}); err != nil {
			t.Error(err)
		}
	})
}

func TestToolsMakeNoDatabase(t *testing.T) {
	for _, o := range []store.Options{{NoServerLock: true}, {Existing: true}, {ReadOnly: true}} {
		root := t.TempDir()
		for _, path := range []string{filepath.Join(root, "typo.db"), filepath.Join(root, "typo", "cloudpam.db")} {
			wantRefusal(t, try(t, path, o), "there is no database at "+path, "CLOUDPAM_DATABASE_URL")
		}
		if left, err := os.ReadDir(root); err != nil || len(left) > 0 {
			t.Errorf("%+v left %v, %v", o, left, err)
		}
	}
}

func TestALinkIsTheSameDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloudpam.db")
	storetest.Open(t, "sqlite://"+path)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.Symlink(filepath.Dir(path), folder); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{link, filepath.Join(folder, "cloudpam.db")} {
		wantRefusal(t, try(t, name, store.Options{}), "another CloudPAM")
		if err := try(t, name, store.Options{NoServerLock: true}); err != nil {
			t.Error(err)
		}
	}
	t.Run("and so is a hard link, which has another log", func(t *testing.T) {
		name := filepath.Join(filepath.Dir(path), "hard.db")
		if err := os.Link(path, name); err != nil {
			t.Fatal(err)
		}
		for _, o := range []store.Options{{}, {NoServerLock: true}} {
			wantRefusal(t, try(t, name, o), "second name")
		}
	})
	t.Run("and one that leads nowhere makes no database", func(t *testing.T) {
		away := filepath.Join(t.TempDir(), "unmounted.db")
		link := filepath.Join(t.TempDir(), "cloudpam.db")
		if err := os.Symlink(away, link); err != nil {
			t.Fatal(err)
		}
		wantRefusal(t, try(t, link, store.Options{}), "is a link to "+away, "mounted")
	})
}

func TestNothingIsAcknowledgedIntoAFileThatIsGone(t *testing.T) {
	for what, harm := range map[string]func(path string) error{
		"deleted":    os.Remove,
		"moved away": func(path string) error { return os.Rename(path, path+".old") },
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path+".new", path))
		},
		"log deleted":   func(path string) error { return os.Remove(path + "-wal") },
		"index deleted": func(path string) error { return os.Remove(path + "-shm") },
		"folder moved":  func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old") },
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data", "cloudpam.db")
			db := storetest.Open(t, "sqlite://"+path)
			if err := errors.Join(db.Write(t.Context(), "a", insert("before")), db.Ping(t.Context())); err != nil {
				t.Fatal(err)
			}
			// In the middle of a write, so that only a look right before the commit sees it.
			err := db.Write(t.Context(), "a", func(tx *store.Tx) error { return errors.Join(insert("during")(tx), harm(path)) })
			if ipam.CodeOf(err) != ipam.CodeUnavailable || !strings.Contains(err.Error(), "deleted or replaced") {
				t.Errorf("a write: %v", err)
			}
			if err := db.Ping(t.Context()); ipam.CodeOf(err) != ipam.CodeUnavailable {
				t.Errorf("ping: %v", err)
			}
			if fault := db.Fault(); fault == "" || strings.Contains(fault, path) {
				t.Errorf("the public reason is %q", fault)
			}
			if scopes(t, db)["during"] {
				t.Error("the write was made all the same")
			}
		})
	}
}

func TestAQuietServerSeesThatItsFileIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloudpam.db")
	db := storetest.Open(t, "sqlite://"+path)
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); err == nil {
		t.Error("it calls itself ready")
	}
	if err := os.Rename(path+".old", path); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), "a", insert("later")); err == nil {
		t.Error("it writes to a file that was away, and that anything may have been done to")
	}
}

// smash overwrites every page of a file but the first n.
func smash(t *testing.T, path string, n int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, int(info.Size()-n*4096)), n*4096); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedDatabaseIsNotOpened(t *testing.T) {
	for what, harm := range map[string]func(path string){
		"no SQLite":     func(path string) { write(t, path, strings.Repeat("no database ", 1000)) },
		"smashed pages": func(path string) { smash(t, path, 3) },
		"cut in half":   func(path string) { write(t, path, read(t, path)[:20*4096]) },
	} {
		t.Run(what, func(t *testing.T) {
			path := closed(t)
			harm(path)
			before := read(t, path)
			wantRefusal(t, try(t, path, store.Options{}), "is damaged", "cloudpam restore FILE")
			if read(t, path) != before {
				t.Error("it was changed")
			}
		})
	}
}

func TestDamageThatIsMetEndsAllWriting(t *testing.T) {
	path := closed(t)
	var log bytes.Buffer
	db, err := store.Open(t.Context(), "sqlite://"+path, store.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	smash(t, path, 3)
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Scopes(ipam.Everything, false, ipam.Page{Limit: 10})
		return err
	})
	if ipam.CodeOf(err) != ipam.CodeUnavailable || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a read: %v", err)
	}
	for name, err := range map[string]error{
		"ping": db.Ping(t.Context()), "write": db.Write(t.Context(), "a", func(*store.Tx) error { return nil }),
	} {
		if ipam.CodeOf(err) != ipam.CodeUnavailable || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if strings.Count(log.String(), "malformed") != 1 {
		t.Errorf("the log says %q", log.String())
	}
}

func TestAReaderLeavesNothingNextToTheFile(t *testing.T) {
	path := closed(t)
	before, content := list(t, path), read(t, path)
	db, err := store.Open(t.Context(), "sqlite://"+path, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Start(t.Context()); err != nil || !scopes(t, db)["kept"] {
		t.Errorf("it does not see the scope, %v", err)
	}
	if during := list(t, path); during != before {
		t.Errorf("the folder has %s, had %s", during, before)
	}
	if err := db.Write(t.Context(), "a", insert("new")); err == nil {
		t.Error("it writes")
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if after := list(t, path); after != before || read(t, path) != content {
		t.Errorf("the folder has %s, had %s", after, before)
	}
	t.Run("and sees what a running server has in its log only", func(t *testing.T) {
		server := storetest.Open(t, "sqlite://"+path)
		if err := server.Write(t.Context(), "a", insert("fresh")); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(t.Context(), "sqlite://"+path, store.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if !scopes(t, db)["fresh"] {
			t.Error("it does not")
		}
	})
}

func list(t *testing.T, path string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestTheLogIsCutAfterALongRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloudpam.db")
	db := storetest.Open(t, "sqlite://"+path)
	size := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	exec := func(statement string) {
		t.Helper()
		if err := db.Write(t.Context(), "a", func(tx *store.Tx) error { return tx.Exec(statement) }); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE much (x BLOB)")
	exec("INSERT INTO much VALUES (zeroblob(80000000))")
	if size() < 80_000_000 {
		t.Fatalf("the log has %d bytes: the test writes too little", size())
	}
	exec("DELETE FROM much")
	exec("INSERT INTO much VALUES (1)")
	if size() > 64<<20 {
		t.Errorf("the log keeps %d bytes", size())
	}
}

func TestTheLogIsMovedWhileItIsWritten(t *testing.T) {
	url := storetest.SQLite(t)
	db := storetest.Open(t, url)
	large := strings.Repeat("x", 200_000) // some 50 pages
	var longest int64
	for i := range 600 {
		err := db.Write(t.Context(), "s", func(tx *store.Tx) error {
			return tx.InsertScope(ipam.Scope{UID: ipam.NewUID("scope"), ID: fmt.Sprint("s", i), Description: large})
		})
		if err != nil {
			t.Fatal(err)
		}
		log, err := os.Stat(strings.TrimPrefix(url, "sqlite://") + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, log.Size())
	}
	if limit := int64(13_000 * 4120); longest > limit { // of 30,000 pages that were written
		t.Errorf("the log grew to %d bytes, more than %d", longest, limit)
	}
}
