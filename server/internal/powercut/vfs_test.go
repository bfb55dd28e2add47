package powercut

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// tap stands between SQLite and its file system: what SQLite writes, cuts, syncs and deletes in one folder is told to a disk, and
// passed on. There is one for the process, since the file systems of SQLite are the process's.
var tap struct {
	sync.Mutex
	vfs     *sqlite3.Tsqlite3_vfs // the copy with our methods
	beneath uintptr               // the one that it copies
	methods map[uintptr]*sqlite3.Tsqlite3_io_methods
	files   map[uintptr]opened
	disk    *disk
}

type opened struct {
	name    string // within the folder
	beneath uintptr
}

// record tells a disk what SQLite does in its folder, with every connection that is opened before stop.
func record(t testing.TB, d *disk) (stop func()) {
	t.Helper()
	tls := libc.NewTLS()
	tap.Lock()
	defer tap.Unlock()
	if tap.vfs == nil {
		tap.beneath = sqlite3.Xsqlite3_vfs_find(tls, 0)
		tap.methods, tap.files = map[uintptr]*sqlite3.Tsqlite3_io_methods{}, map[uintptr]opened{}
		name, err := libc.CString("powercut")
		if err != nil {
			t.Fatal(err)
		}
		vfs := *at[sqlite3.Tsqlite3_vfs](tap.beneath)
		vfs.FzName, vfs.FpNext = name, 0
		vfs.FxOpen, vfs.FxDelete = pointer(tapOpen), pointer(tapDelete)
		tap.vfs = &vfs
	}
	tap.disk = d
	sqlite3.Xsqlite3_vfs_register(tls, uintptr(unsafe.Pointer(tap.vfs)), 1)
	return func() {
		sqlite3.Xsqlite3_vfs_register(tls, tap.beneath, 1)
		tls.Close()
		tap.Lock()
		defer tap.Unlock()
		tap.disk = nil
	}
}

// at is what an address of SQLite's memory points to.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// pointer is how SQLite keeps a function, and function what it keeps so.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

type (
	openFunc     = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	deleteFunc   = func(*libc.TLS, uintptr, uintptr, int32) int32
	closeFunc    = func(*libc.TLS, uintptr) int32
	writeFunc    = func(*libc.TLS, uintptr, uintptr, int32, int64) int32
	truncateFunc = func(*libc.TLS, uintptr, int64) int32
	syncFunc     = func(*libc.TLS, uintptr, int32) int32
)

func tapOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	code := function[openFunc](at[sqlite3.Tsqlite3_vfs](tap.beneath).FxOpen)(tls, vfs, name, file, flags, out)
	methods := at[sqlite3.Tsqlite3_file](file).FpMethods
	if code != sqlite3.SQLITE_OK || name == 0 || methods == 0 {
		return code
	}
	tap.Lock()
	defer tap.Unlock()
	if tap.disk == nil {
		return code
	}
	within, ours := tap.disk.holds(libc.GoString(name))
	if !ours {
		return code
	}
	mine := tap.methods[methods]
	if mine == nil {
		tapped := *at[sqlite3.Tsqlite3_io_methods](methods)
		tapped.FxClose, tapped.FxWrite, tapped.FxTruncate, tapped.FxSync = pointer(tapClose), pointer(tapWrite), pointer(tapTruncate), pointer(tapSync)
		mine = &tapped
		tap.methods[methods] = mine
	}
	tap.files[file] = opened{within, methods}
	at[sqlite3.Tsqlite3_file](file).FpMethods = uintptr(unsafe.Pointer(mine))
	tap.disk.open(within)
	return code
}

// tapped is an open file, the disk that is told of it, and the methods beneath.
func tapped(file uintptr) (opened, *disk, *sqlite3.Tsqlite3_io_methods) {
	tap.Lock()
	defer tap.Unlock()
	f := tap.files[file]
	return f, tap.disk, at[sqlite3.Tsqlite3_io_methods](f.beneath)
}

func tapClose(tls *libc.TLS, file uintptr) int32 {
	_, _, beneath := tapped(file)
	tap.Lock()
	delete(tap.files, file)
	tap.Unlock()
	return function[closeFunc](beneath.FxClose)(tls, file)
}

func tapWrite(tls *libc.TLS, file, from uintptr, n int32, offset int64) int32 {
	f, disk, beneath := tapped(file)
	disk.write(f.name, offset, unsafe.Slice(at[byte](from), n))
	return function[writeFunc](beneath.FxWrite)(tls, file, from, n, offset)
}

func tapTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	f, disk, beneath := tapped(file)
	disk.truncate(f.name, size)
	return function[truncateFunc](beneath.FxTruncate)(tls, file, size)
}

// tapSync tells of a sync once it is over: a cut in the middle of it is one before it.
func tapSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	f, disk, beneath := tapped(file)
	code := function[syncFunc](beneath.FxSync)(tls, file, flags)
	if code == sqlite3.SQLITE_OK {
		disk.sync(f.name)
	}
	return code
}

func tapDelete(tls *libc.TLS, vfs, name uintptr, syncFolder int32) int32 {
	code := function[deleteFunc](at[sqlite3.Tsqlite3_vfs](tap.beneath).FxDelete)(tls, vfs, name, syncFolder)
	tap.Lock()
	disk := tap.disk
	tap.Unlock()
	if code != sqlite3.SQLITE_OK || disk == nil {
		return code
	}
	if within, ours := disk.holds(libc.GoString(name)); ours {
		disk.remove(within, syncFolder != 0)
	}
	return code
}

// holds is the name of a file in the folder that is recorded. The index of the log is none: it is in memory, and made anew.
func (d *disk) holds(path string) (within string, ours bool) {
	within, ours = strings.CutPrefix(path, d.folder+string(filepath.Separator))
	return within, ours && !strings.HasSuffix(within, "-shm")
}
