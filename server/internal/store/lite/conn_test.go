package lite_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/cloudpam/cloudpam/server/internal/store/lite"
)

// open makes a database through the VFS, with a direct connection and one of the driver's.
func open(t *testing.T) (*lite.Conn, *sql.DB) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "test.db")+"?vfs="+lite.VFS+"&_pragma=journal_mode(WAL)&_pragma=wal_autocheckpoint(77)")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	direct, err := lite.On(conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		direct.Close()
		if err := errors.Join(conn.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return direct, db
}

type row struct {
	number  int64
	perhaps *int64
	yes     bool
	text    string
	bytes   []byte
}

func TestWhatIsWrittenIsReadAgainByBoth(t *testing.T) {
	direct, db := open(t)
	if _, err := direct.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, number, perhaps, yes BOOLEAN, text, bytes BLOB)", nil); err != nil {
		t.Fatal(err)
	}
	seven := int64(7)
	for id, want := range []row{
		{},
		{number: -1, perhaps: &seven, yes: true, text: "zürich", bytes: []byte{0, 1, 255}},
		{text: strings.Repeat("long", 100_000), bytes: []byte("b")},
	} {
		n, err := direct.Exec("INSERT INTO t VALUES ($1, $2, $3, $4, $6, $5)", []any{id, want.number, want.perhaps, want.yes, want.bytes, want.text})
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		for reader, read := range map[string]func(into ...any) error{
			"direct": func(into ...any) error {
				return direct.One("SELECT number, perhaps, yes, text, bytes FROM t WHERE id = $1", []any{int32(id)}, into)
			},
			"the driver": func(into ...any) error {
				return db.QueryRow("SELECT number, perhaps, yes, text, bytes FROM t WHERE id = $1", id).Scan(into...)
			},
		} {
			var got row
			if err := read(&got.number, &got.perhaps, &got.yes, &got.text, &got.bytes); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s reads row %d as %.100v: %v", reader, id, got, err)
			}
		}
	}
	if direct.Enough != 77 || direct.Logged() == 0 {
		t.Errorf("%d of %d pages are in the log", direct.Logged(), direct.Enough)
	}
}

func TestAStatementThatFailsMayRunAgain(t *testing.T) {
	direct, _ := open(t)
	if _, err := direct.Exec("CREATE TABLE t (name TEXT NOT NULL UNIQUE)", nil); err != nil {
		t.Fatal(err)
	}
	insert := func(name any) error {
		_, err := direct.Exec("INSERT INTO t VALUES ($1)", []any{name})
		return err
	}
	for _, c := range []struct {
		name any
		code int
	}{{"a", 0}, {"a", lib.SQLITE_CONSTRAINT_UNIQUE}, {nil, lib.SQLITE_CONSTRAINT_NOTNULL}, {"b", 0}} {
		err := insert(c.name)
		code := 0
		if lite, ok := errors.AsType[interface {
			error
			Code() int
		}](err); ok {
			code = lite.Code()
		}
		if code != c.code || (err == nil) != (c.code == 0) {
			t.Errorf("%v: %v", c.name, err)
		}
	}
	if err := insert(struct{}{}); err == nil {
		t.Error("anything is an argument")
	}
	if _, err := direct.Exec("INSERT INTO t VALUES ($1)", nil); err == nil {
		t.Error("an argument may be missing")
	}
	if _, err := direct.Exec("NONSENSE", nil); err == nil {
		t.Error("anything is a statement")
	}
	var n int64
	if err := direct.One("SELECT count(*) FROM t", nil, []any{&n}); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
	if err := direct.One("SELECT name FROM t WHERE name = $1", []any{"none"}, []any{new(string)}); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("err = %v", err)
	}
}
