package store

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

// direct runs statements on the connection of SQLite's writer past database/sql and its driver. All writes of a server wait for
// that one connection, and of a statement that costs 4 µs those two take as much again: locks, a look at the name of each
// parameter, and memory for each text. It is for one goroutine at a time, as a session is. What fails leaves the connection as
// the driver would.
type direct struct {
	tls    *libc.TLS
	db     uintptr
	known  map[string]*statement
	memory uintptr // for the texts and bytes of one statement's arguments
	size   int

	pages  uintptr // how many there are in the log, see countLog
	enough int64   // pages to move it
}

type statement struct {
	address uintptr
	args    []int // which argument each parameter is: $1 is a name to SQLite, numbered by where it stands
}

// newDirect takes what it needs out of the driver's connection, which keeps it to itself.
func newDirect(conn *sql.Conn) (d *direct, err error) {
	err = conn.Raw(func(c any) error {
		of := reflect.Indirect(reflect.ValueOf(c))
		db, tls := of.FieldByName("db"), of.FieldByName("tls")
		if db.Kind() != reflect.Uintptr || tls.Type() != reflect.TypeFor[*libc.TLS]() {
			return fmt.Errorf("SQLite's driver has another connection inside: %T", c)
		}
		d = &direct{tls: (*libc.TLS)(tls.UnsafePointer()), db: uintptr(db.Uint()), known: map[string]*statement{}}
		return d.countLog()
	})
	return d, err
}

// close ends the statements. The connection is the driver's.
func (d *direct) close() {
	for _, st := range d.known {
		lib.Xsqlite3_finalize(d.tls, st.address)
	}
	clear(d.known)
	lib.Xsqlite3_wal_hook(d.tls, d.db, 0, 0)
	libc.Xfree(d.tls, d.memory)
	libc.Xfree(d.tls, d.pages)
	d.memory, d.size, d.pages = 0, 0, 0
}

// exec runs a statement to its end and returns how many rows it changed, where it changes any.
func (d *direct) exec(text string, args []any) (driver.RowsAffected, error) {
	st, err := d.begin(text, args)
	if err != nil {
		return 0, err
	}
	rc := lib.Xsqlite3_step(d.tls, st.address)
	for rc == lib.SQLITE_ROW {
		rc = lib.Xsqlite3_step(d.tls, st.address)
	}
	if rc != lib.SQLITE_DONE {
		return 0, d.fail(st, rc)
	}
	changed := lib.Xsqlite3_changes(d.tls, d.db)
	lib.Xsqlite3_reset(d.tls, st.address)
	return driver.RowsAffected(changed), nil
}

// one reads the first row of a query; sql.ErrNoRows when there is none.
func (d *direct) one(text string, args []any, into []any) error {
	st, err := d.begin(text, args)
	if err != nil {
		return err
	}
	switch rc := lib.Xsqlite3_step(d.tls, st.address); rc {
	case lib.SQLITE_ROW:
		for i, to := range into {
			if err = d.column(st.address, int32(i), to); err != nil {
				break
			}
		}
	case lib.SQLITE_DONE:
		err = sql.ErrNoRows
	default:
		return d.fail(st, rc)
	}
	lib.Xsqlite3_reset(d.tls, st.address)
	return err
}

// begin finds the statement and gives it its arguments. Whoever runs it next gives it new ones: none is read in between.
func (d *direct) begin(text string, args []any) (*statement, error) {
	st := d.known[text]
	if st == nil {
		var err error
		if st, err = d.prepare(text); err != nil {
			return nil, err
		}
		d.known[text] = st
	}
	if err := d.makeRoom(args); err != nil {
		return nil, err
	}
	used := 0
	for i, n := range st.args {
		if n >= len(args) {
			return nil, fmt.Errorf("a statement without its argument %d", n+1)
		}
		rc, err := d.bind(st.address, int32(i+1), args[n], &used)
		if err != nil {
			return nil, err
		}
		if rc != lib.SQLITE_OK {
			return nil, d.fail(st, rc)
		}
	}
	return st, nil
}

func (d *direct) prepare(text string) (*statement, error) {
	c, err := libc.CString(text)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(d.tls, c)
	out := d.tls.Alloc(int(unsafe.Sizeof(uintptr(0))))
	defer d.tls.Free(int(unsafe.Sizeof(uintptr(0))))
	if rc := lib.Xsqlite3_prepare_v3(d.tls, d.db, c, -1, lib.SQLITE_PREPARE_PERSISTENT, out, 0); rc != lib.SQLITE_OK {
		return nil, d.failure(rc)
	}
	st := &statement{address: *at[uintptr](out)}
	for i := range lib.Xsqlite3_bind_parameter_count(d.tls, st.address) {
		name := libc.GoString(lib.Xsqlite3_bind_parameter_name(d.tls, st.address, i+1))
		n, err := strconv.Atoi(name[min(1, len(name)):])
		if err != nil {
			lib.Xsqlite3_finalize(d.tls, st.address)
			return nil, fmt.Errorf("the parameter %q has no number", name)
		}
		st.args = append(st.args, n-1)
	}
	return st, nil
}

// makeRoom readies memory for all arguments, which must not move once the first is bound.
func (d *direct) makeRoom(args []any) error {
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
	if need <= d.size {
		return nil
	}
	libc.Xfree(d.tls, d.memory)
	d.size = max(need, 16<<10)
	if d.memory = libc.Xmalloc(d.tls, libc.Tsize_t(d.size)); d.memory == 0 {
		d.size = 0
		return errors.New("out of memory")
	}
	return nil
}

func (d *direct) bind(st uintptr, i int32, value any, used *int) (int32, error) {
	switch v := value.(type) {
	case nil:
		return lib.Xsqlite3_bind_null(d.tls, st, i), nil
	case int64:
		return lib.Xsqlite3_bind_int64(d.tls, st, i, v), nil
	case int32:
		return lib.Xsqlite3_bind_int64(d.tls, st, i, int64(v)), nil
	case int:
		return lib.Xsqlite3_bind_int64(d.tls, st, i, int64(v)), nil
	case bool:
		return lib.Xsqlite3_bind_int64(d.tls, st, i, int64(libc.Bool32(v))), nil
	case string:
		p := d.memory + uintptr(*used)
		*used += copy(unsafe.Slice(at[byte](p), len(v)), v)
		return lib.Xsqlite3_bind_text(d.tls, st, i, p, int32(len(v)), lib.SQLITE_STATIC), nil
	case []byte:
		if v == nil {
			return lib.Xsqlite3_bind_null(d.tls, st, i), nil
		}
		p := d.memory + uintptr(*used)
		*used += copy(unsafe.Slice(at[byte](p), len(v)), v)
		return lib.Xsqlite3_bind_blob(d.tls, st, i, p, int32(len(v)), lib.SQLITE_STATIC), nil
	case *int64:
		if v == nil {
			return lib.Xsqlite3_bind_null(d.tls, st, i), nil
		}
		return lib.Xsqlite3_bind_int64(d.tls, st, i, *v), nil
	case *string:
		if v == nil {
			return lib.Xsqlite3_bind_null(d.tls, st, i), nil
		}
		return d.bind(st, i, *v, used)
	}
	return 0, fmt.Errorf("no argument of a statement: %T", value)
}

func (d *direct) column(st uintptr, i int32, to any) error {
	if lib.Xsqlite3_column_type(d.tls, st, i) == lib.SQLITE_NULL {
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
		*to = lib.Xsqlite3_column_int64(d.tls, st, i)
	case **int64:
		n := lib.Xsqlite3_column_int64(d.tls, st, i)
		*to = &n
	case *bool:
		*to = lib.Xsqlite3_column_int64(d.tls, st, i) != 0
	case *string:
		p := lib.Xsqlite3_column_text(d.tls, st, i)
		*to = string(unsafe.Slice(at[byte](p), lib.Xsqlite3_column_bytes(d.tls, st, i)))
	case *[]byte:
		p, n := lib.Xsqlite3_column_blob(d.tls, st, i), lib.Xsqlite3_column_bytes(d.tls, st, i)
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
func (d *direct) fail(st *statement, rc int32) error {
	err := d.failure(rc)
	lib.Xsqlite3_reset(d.tls, st.address)
	return err
}

func (d *direct) failure(rc int32) error {
	return &sqliteError{int(rc), fmt.Sprintf("%s: %s (%d)", libc.GoString(lib.Xsqlite3_errstr(d.tls, rc)), libc.GoString(lib.Xsqlite3_errmsg(d.tls, d.db)), rc)}
}

// sqliteError is what the driver would answer, which cannot be made from outside.
type sqliteError struct {
	code int
	text string
}

func (e *sqliteError) Error() string { return e.text }
func (e *sqliteError) Code() int     { return e.code }
