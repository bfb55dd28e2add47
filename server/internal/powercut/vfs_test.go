package powercut

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// What SQLite writes, cuts, syncs and deletes is told to a disk, and passed on. Its tables of methods are changed where they are,
// before anything is open: so this is beneath every VFS, also one that the store may put between.
var (
	told    atomic.Pointer[disk] // nil: nobody is told
	beneath sqlite3.Tsqlite3_io_methods
	unlink  uintptr
)

func init() {
	tls := libc.NewTLS()
	defer tls.Close()
	folder, err := os.MkdirTemp("", "cloudpam-powercut-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	system := sqlite3.Xsqlite3_vfs_find(tls, 0)
	// What is locked has other methods than what is not, and the same for writing.
	locked := methodsOf(tls, system, filepath.Join(folder, "db"), sqlite3.SQLITE_OPEN_MAIN_DB)
	free := methodsOf(tls, system, filepath.Join(folder, "db-wal"), sqlite3.SQLITE_OPEN_WAL)
	if locked.FxWrite != free.FxWrite || locked.FxTruncate != free.FxTruncate || locked.FxSync != free.FxSync {
		panic("a log is written by other methods than a database")
	}
	beneath, unlink = *locked, at[sqlite3.Tsqlite3_vfs](system).FxDelete
	for _, methods := range []*sqlite3.Tsqlite3_io_methods{locked, free} {
		methods.FxWrite, methods.FxTruncate, methods.FxSync = pointer(tapWrite), pointer(tapTruncate), pointer(tapSync)
	}
	for p := system; p != 0; p = at[sqlite3.Tsqlite3_vfs](p).FpNext {
		if vfs := at[sqlite3.Tsqlite3_vfs](p); vfs.FxDelete == unlink {
			vfs.FxDelete = pointer(tapDelete)
		}
	}
}

// methodsOf makes a file of a kind, to see what its methods are.
func methodsOf(tls *libc.TLS, vfs uintptr, path string, what int32) *sqlite3.Tsqlite3_io_methods {
	name, err := libc.CString(path)
	if err != nil {
		panic(err)
	}
	defer libc.Xfree(tls, name)
	table := at[sqlite3.Tsqlite3_vfs](vfs)
	file := libc.Xcalloc(tls, 1, libc.Tsize_t(table.FszOsFile))
	defer libc.Xfree(tls, file)
	if code := function[openFunc](table.FxOpen)(tls, vfs, name, file, what|sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE, 0); code != sqlite3.SQLITE_OK {
		panic(fmt.Sprintf("open %s: %d", path, code))
	}
	methods := at[sqlite3.Tsqlite3_io_methods](at[sqlite3.Tsqlite3_file](file).FpMethods)
	function[closeFunc](methods.FxClose)(tls, file)
	return methods
}

// at is what an address of SQLite's memory points to.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// pointer is how SQLite keeps a function, and function what it keeps so.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{p})) }

type (
	openFunc     = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	deleteFunc   = func(*libc.TLS, uintptr, uintptr, int32) int32
	closeFunc    = func(*libc.TLS, uintptr) int32
	writeFunc    = func(*libc.TLS, uintptr, uintptr, int32, int64) int32
	truncateFunc = func(*libc.TLS, uintptr, int64) int32
	syncFunc     = func(*libc.TLS, uintptr, int32) int32
)

// tell tells the disk of a path in its folder. The index of the log is none: it is in memory, and made anew.
func tell(path uintptr, of func(d *disk, file string)) {
	d := told.Load()
	if d == nil || path == 0 {
		return
	}
	name, within := strings.CutPrefix(libc.GoString(path), d.folder+string(filepath.Separator))
	if within && !strings.HasSuffix(name, "-shm") {
		of(d, name)
	}
}

func pathOf(file uintptr) uintptr { return at[sqlite3.TunixFile](file).FzPath }

func tapWrite(tls *libc.TLS, file, from uintptr, n int32, offset int64) int32 {
	tell(pathOf(file), func(d *disk, name string) { d.write(name, offset, unsafe.Slice(at[byte](from), n)) })
	return function[writeFunc](beneath.FxWrite)(tls, file, from, n, offset)
}

func tapTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	tell(pathOf(file), func(d *disk, name string) { d.truncate(name, size) })
	return function[truncateFunc](beneath.FxTruncate)(tls, file, size)
}

// tapSync tells of a sync once it is over: a cut in the middle of it is one before it.
func tapSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	code := function[syncFunc](beneath.FxSync)(tls, file, flags)
	if code == sqlite3.SQLITE_OK {
		tell(pathOf(file), (*disk).sync)
	}
	return code
}

func tapDelete(tls *libc.TLS, vfs, path uintptr, syncFolder int32) int32 {
	code := function[deleteFunc](unlink)(tls, vfs, path, syncFolder)
	if code == sqlite3.SQLITE_OK {
		tell(path, func(d *disk, name string) { d.remove(name, syncFolder != 0) })
	}
	return code
}
