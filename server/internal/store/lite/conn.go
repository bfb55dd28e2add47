package lite

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Conn runs statements on the connection of SQLite's writer past database/sql and its driver. All writes of a server wait for
// that one connection, and of a statement that costs 4 µs those two take as much again: locks, a look at the name of each
// parameter, and memory for each text. It is for one goroutine at a time, as a session is. What fails leaves the connection as
// the driver would.
type Conn struct {
	tls    *libc.TLS
	db     uintptr
	known  map[string]*statement
	memory uintptr // for the texts and bytes of one statement's arguments
	size   int

	pages uintptr // how many there are in the log
	// Enough is how many pages in the log it takes to move it into the database, by SQLite's setting wal_autocheckpoint. 0 is never.
	Enough int64
}

type statement struct {
	address uintptr
	args    []int // which argument each parameter is: $1 is a name to SQLite, numbered by where it stands
}

// On takes what it needs out of the driver's connection, which keeps it to itself.
func On(conn *sql.Conn) (c *Conn, err error) {
	err = conn.Raw(func(inner any) error {
		of := reflect.Indirect(reflect.ValueOf(inner))
		db, tls := of.FieldByName("db"), of.FieldByName("tls")
		if db.Kind() != reflect.Uintptr || !tls.IsValid() || tls.Type() != reflect.TypeFor[*libc.TLS]() {
			return fmt.Errorf("SQLite's driver has another connection inside: %T", inner)
		}
		c = &Conn{tls: (*libc.TLS)(tls.UnsafePointer()), db: uintptr(db.Uint()), known: map[string]*statement{}}
		return c.countLog()
	})
	return c, err
}

// Close ends the statements. The connection is the driver's.
func (c *Conn) Close() {
	for _, st := range c.known {
		lib.Xsqlite3_finalize(c.tls, st.address)
	}
	clear(c.known)
	lib.Xsqlite3_wal_hook(c.tls, c.db, 0, 0)
	libc.Xfree(c.tls, c.memory)
	libc.Xfree(c.tls, c.pages)
	c.memory, c.size, c.pages = 0, 0, 0
}

// Exec runs a statement to its end and returns how many rows it changed, where it changes any.
func (c *Conn) Exec(text string, args []any) (driver.RowsAffected, error) {
	st, err := c.begin(text, args)
	if err != nil {
		return 0, err
	}
	rc := lib.Xsqlite3_step(c.tls, st.address)
	for rc == lib.SQLITE_ROW {
		rc = lib.Xsqlite3_step(c.tls, st.address)
	}
	if rc != lib.SQLITE_DONE {
		return 0, c.fail(st, rc)
	}
	changed := lib.Xsqlite3_changes(c.tls, c.db)
	lib.Xsqlite3_reset(c.tls, st.address)
	return driver.RowsAffected(changed), nil
}

// One reads the first row of a query; sql.ErrNoRows when there is none.
func (c *Conn) One(text string, args []any, into []any) error {
	st, err := c.begin(text, args)
	if err != nil {
		return err
	}
	switch rc := lib.Xsqlite3_step(c.tls, st.address); rc {
	case lib.SQLITE_ROW:
		for i, to := range into {
			if err = c.column(st.address, int32(i), to); err != nil {
				break
			}
		}
	case lib.SQLITE_DONE:
		err = sql.ErrNoRows
	default:
		return c.fail(st, rc)
	}
	lib.Xsqlite3_reset(c.tls, st.address)
	return err
}

// begin finds the statement and gives it its arguments. Whoever runs it next gives it new ones: none is read in between.
func (c *Conn) begin(text string, args []any) (*statement, error) {
	st := c.known[text]
	if st == nil {
		var err error
		if st, err = c.prepare(text); err != nil {
			return nil, err
		}
		c.known[text] = st
	}
	if err := c.makeRoom(args); err != nil {
		return nil, err
	}
	used := 0
	for i, n := range st.args {
		if n >= len(args) {
			return nil, fmt.Errorf("a statement without its argument %d", n+1)
		}
		rc, err := c.bind(st.address, int32(i+1), args[n], &used)
		if err != nil {
			return nil, err
		}
		if rc != lib.SQLITE_OK {
			return nil, c.fail(st, rc)
		}
	}
	return st, nil
}

func (c *Conn) prepare(text string) (*statement, error) {
	address, err := libc.CString(text)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, address)
	out := c.tls.Alloc(int(unsafe.Sizeof(uintptr(0))))
	defer c.tls.Free(int(unsafe.Sizeof(uintptr(0))))
	if rc := lib.Xsqlite3_prepare_v3(c.tls, c.db, address, -1, lib.SQLITE_PREPARE_PERSISTENT, out, 0); rc != lib.SQLITE_OK {
		return nil, c.explain(rc)
	}
	st := &statement{address: *at[uintptr](out)}
	for i := range lib.Xsqlite3_bind_parameter_count(c.tls, st.address) {
		name := libc.GoString(lib.Xsqlite3_bind_parameter_name(c.tls, st.address, i+1))
		n, err := strconv.Atoi(name[min(1, len(name)):])
		if err != nil {
			lib.Xsqlite3_finalize(c.tls, st.address)
			return nil, fmt.Errorf("the parameter %q has no number", name)
		}
		st.args = append(st.args, n-1)
	}
	return st, nil
}

// makeRoom readies memory for all arguments, which must not move once the first is bound.
func (c *Conn) makeRoom(args []any) error {
	need := 1
	for _, a := range args {
		switch v := a.(type) {
		case string:
			need += len(v)
		case []byte:
			need += len(v)
		case *string:
			if v != nil {
				need += len(*v)
			}
		}
	}
	if need <= c.size {
		return nil
	}
	libc.Xfree(c.tls, c.memory)
	c.size = max(need, 16<<10)
	if c.memory = libc.Xmalloc(c.tls, libc.Tsize_t(c.size)); c.memory == 0 {
		c.size = 0
		return errors.New("out of memory")
	}
	return nil
}

func (c *Conn) bind(st uintptr, i int32, value any, used *int) (int32, error) {
	switch v := value.(type) {
	case nil:
		return lib.Xsqlite3_bind_null(c.tls, st, i), nil
	case int64:
		return lib.Xsqlite3_bind_int64(c.tls, st, i, v), nil
	case int32:
		return lib.Xsqlite3_bind_int64(c.tls, st, i, int64(v)), nil
	case int:
		return lib.Xsqlite3_bind_int64(c.tls, st, i, int64(v)), nil
	case bool:
		return lib.Xsqlite3_bind_int64(c.tls, st, i, int64(libc.Bool32(v))), nil
	case string:
		p := c.memory + uintptr(*used)
		*used += copy(unsafe.Slice(at[byte](p), len(v)), v)
		return lib.Xsqlite3_bind_text(c.tls, st, i, p, int32(len(v)), lib.SQLITE_STATIC), nil
	case []byte:
		if v == nil {
			return lib.Xsqlite3_bind_null(c.tls, st, i), nil
		}
		p := c.memory + uintptr(*used)
		*used += copy(unsafe.Slice(at[byte](p), len(v)), v)
		return lib.Xsqlite3_bind_blob(c.tls, st, i, p, int32(len(v)), lib.SQLITE_STATIC), nil
	case *int64:
		if v == nil {
			return lib.Xsqlite3_bind_null(c.tls, st, i), nil
		}
		return lib.Xsqlite3_bind_int64(c.tls, st, i, *v), nil
	case *string:
		if v == nil {
			return lib.Xsqlite3_bind_null(c.tls, st, i), nil
		}
		return c.bind(st, i, *v, used)
	}
	return 0, fmt.Errorf("no argument of a statement: %T", value)
}

func (c *Conn) column(st uintptr, i int32, to any) error {
	if lib.Xsqlite3_column_type(c.tls, st, i) == lib.SQLITE_NULL {
		switch to := to.(type) {
		case **int64:
			*to = nil
		case *[]byte:
			*to = nil
		default:
			return fmt.Errorf("column %d is NULL and goes into %T", i, to)
		}
		return nil
	}
	switch to := to.(type) {
	case *int64:
		*to = lib.Xsqlite3_column_int64(c.tls, st, i)
	case **int64:
		n := lib.Xsqlite3_column_int64(c.tls, st, i)
		*to = &n
	case *bool:
		*to = lib.Xsqlite3_column_int64(c.tls, st, i) != 0
	case *string:
		p := lib.Xsqlite3_column_text(c.tls, st, i)
		*to = string(unsafe.Slice(at[byte](p), lib.Xsqlite3_column_bytes(c.tls, st, i)))
	case *[]byte:
		p, n := lib.Xsqlite3_column_blob(c.tls, st, i), lib.Xsqlite3_column_bytes(c.tls, st, i)
		*to = make([]byte, n)
		if n > 0 {
			copy(*to, unsafe.Slice(at[byte](p), n))
		}
	default:
		return fmt.Errorf("no place for a column: %T", to)
	}
	return nil
}

// fail ends a run of a statement that failed.
func (c *Conn) fail(st *statement, rc int32) error {
	err := c.explain(rc)
	lib.Xsqlite3_reset(c.tls, st.address)
	return err
}

func (c *Conn) explain(rc int32) error {
	return &failure{int(rc), fmt.Sprintf("%s: %s (%d)", libc.GoString(lib.Xsqlite3_errstr(c.tls, rc)), libc.GoString(lib.Xsqlite3_errmsg(c.tls, c.db)), rc)}
}

// failure is what the driver would answer, which cannot be made from outside.
type failure struct {
	code int
	text string
}

func (e *failure) Error() string { return e.text }
func (e *failure) Code() int     { return e.code }

// countLog has SQLite say after each commit how many pages are in the log, instead of moving it when there are enough.
func (c *Conn) countLog() error {
	if err := c.One("PRAGMA wal_autocheckpoint", nil, []any{&c.Enough}); err != nil {
		return err
	}
	c.pages = libc.Xcalloc(c.tls, 1, 8)
	lib.Xsqlite3_wal_hook(c.tls, c.db, pointer(committed), c.pages)
	return nil
}

func committed(_ *libc.TLS, pages, _, _ uintptr, n int32) int32 {
	*at[int64](pages) = int64(n)
	return lib.SQLITE_OK
}

// Logged is how many pages are in the log since the last commit.
func (c *Conn) Logged() int64 { return *at[int64](c.pages) }
