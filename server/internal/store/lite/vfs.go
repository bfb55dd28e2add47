package lite

import (
	"fmt"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// VFS is what the file system is called in the address of a database.
const VFS = "cloudpam"

const (
	maxPending = 1 << 16 // bytes of a log that wait; SQLite's own methods take less than 128 KiB at once
	pageHeader = 24      // bytes before each page; the second four are not 0 before the last of a commit
)

// pending is what waits to be written to a log. It stands behind SQLite's own record of the open file, in memory that the
// collector does not know.
type pending struct {
	buffer uintptr
	at     int64 // where in the file it belongs
	size   int64
	commit bool // the next write is the last page of a commit
}

// The types of the methods that differ.
type (
	openMethod  = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	closeMethod = func(tls *libc.TLS, file uintptr) int32
	moveMethod  = func(tls *libc.TLS, file, data uintptr, size int32, at int64) int32
	flagMethod  = func(tls *libc.TLS, file uintptr, flags int32) int32
	cutMethod   = func(tls *libc.TLS, file uintptr, size int64) int32
	sizeMethod  = func(tls *libc.TLS, file, out uintptr) int32
)

// system is the VFS beneath, and its methods of a log.
var system struct {
	open     openMethod
	fileSize uintptr // of its record of an open file
	once     sync.Once
	methods  uintptr
	close    closeMethod
	read     moveMethod
	write    moveMethod
	truncate cutMethod
	flush    flagMethod
	size     sizeMethod
}

// gathering are the system's methods with ours in their place. SQLite reads them at their address, so they are a variable.
var gathering sqlite3.Tsqlite3_io_methods

func init() {
	tls := libc.NewTLS()
	defer tls.Close()
	base := sqlite3.Xsqlite3_vfs_find(tls, 0) // also initializes SQLite
	ours := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	name, err := libc.CString(VFS)
	if base == 0 || ours == 0 || err != nil {
		panic("SQLite has no VFS")
	}
	vfs := at[sqlite3.Tsqlite3_vfs](ours)
	*vfs = *at[sqlite3.Tsqlite3_vfs](base)
	system.open = method[openMethod](vfs.FxOpen)
	system.fileSize = (uintptr(vfs.FszOsFile) + 7) &^ 7
	vfs.FpNext, vfs.FzName, vfs.FxOpen = 0, name, pointer(openFile)
	vfs.FszOsFile = int32(system.fileSize + unsafe.Sizeof(pending{}))
	if rc := sqlite3.Xsqlite3_vfs_register(tls, ours, 0); rc != sqlite3.SQLITE_OK {
		panic(fmt.Sprintf("SQLite takes no VFS: %d", rc))
	}
}

// at is what lies at an address outside the collector's memory.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// method is the function that SQLite's tables name by an address, and pointer the address of one.
func method[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{address})) }

func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

func openFile(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	rc := system.open(tls, vfs, name, file, flags, out)
	if rc != sqlite3.SQLITE_OK || flags&sqlite3.SQLITE_OPEN_WAL == 0 {
		return rc
	}
	f := at[sqlite3.Tsqlite3_file](file)
	system.once.Do(func() {
		system.methods, gathering = f.FpMethods, *at[sqlite3.Tsqlite3_io_methods](f.FpMethods)
		system.close, gathering.FxClose = method[closeMethod](gathering.FxClose), pointer(closeLog)
		system.read, gathering.FxRead = method[moveMethod](gathering.FxRead), pointer(readLog)
		system.write, gathering.FxWrite = method[moveMethod](gathering.FxWrite), pointer(writeLog)
		system.truncate, gathering.FxTruncate = method[cutMethod](gathering.FxTruncate), pointer(truncateLog)
		system.flush, gathering.FxSync = method[flagMethod](gathering.FxSync), pointer(flushLog)
		system.size, gathering.FxFileSize = method[sizeMethod](gathering.FxFileSize), pointer(sizeOfLog)
	})
	if f.FpMethods == system.methods {
		f.FpMethods = uintptr(unsafe.Pointer(&gathering))
		*waiting(file) = pending{}
	}
	return rc
}

func waiting(file uintptr) *pending { return at[pending](file + system.fileSize) }

func writeLog(tls *libc.TLS, file, data uintptr, size int32, offset int64) int32 {
	p := waiting(file)
	if p.size > 0 && (offset != p.at+p.size || p.size+int64(size) > maxPending) {
		if rc := writePending(tls, file); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	if p.buffer == 0 {
		p.buffer = libc.Xmalloc(tls, maxPending)
	}
	if p.buffer == 0 || size > maxPending {
		return system.write(tls, file, data, size, offset)
	}
	if p.size == 0 {
		p.at = offset
	}
	libc.Xmemcpy(tls, p.buffer+uintptr(p.size), data, libc.Tsize_t(size))
	p.size += int64(size)
	last := p.commit
	p.commit = size == pageHeader && *at[uint32](data + 4) != 0
	if last {
		return writePending(tls, file)
	}
	return sqlite3.SQLITE_OK
}

// writePending does the writes that wait. Once they have failed they wait no more: the commit that they are of is undone.
func writePending(tls *libc.TLS, file uintptr) int32 {
	p := waiting(file)
	size := p.size
	if size == 0 {
		return sqlite3.SQLITE_OK
	}
	p.size = 0
	return system.write(tls, file, p.buffer, int32(size), p.at)
}

func flushLog(tls *libc.TLS, file uintptr, flags int32) int32 {
	if rc := writePending(tls, file); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return system.flush(tls, file, flags)
}

func readLog(tls *libc.TLS, file, data uintptr, size int32, offset int64) int32 {
	if rc := writePending(tls, file); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return system.read(tls, file, data, size, offset)
}

func truncateLog(tls *libc.TLS, file uintptr, size int64) int32 {
	if rc := writePending(tls, file); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return system.truncate(tls, file, size)
}

func sizeOfLog(tls *libc.TLS, file, out uintptr) int32 {
	if rc := writePending(tls, file); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return system.size(tls, file, out)
}

func closeLog(tls *libc.TLS, file uintptr) int32 {
	p := waiting(file)
	rc := writePending(tls, file)
	libc.Xfree(tls, p.buffer)
	*p = pending{}
	if closed := system.close(tls, file); rc == sqlite3.SQLITE_OK {
		rc = closed
	}
	return rc
}
