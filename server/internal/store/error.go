package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	lib "modernc.org/sqlite/lib"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// translate is the only place that knows what drivers' errors mean. Errors of ours pass as they are.
func translate(err error) error {
	if err == nil || ipam.CodeOf(err) != "" {
		return err
	}
	if code, detail := meaning(err); code != "" {
		return &ipam.Error{Code: code, Detail: detail, Cause: err}
	}
	return err
}

func meaning(err error) (ipam.Code, string) {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "23P01":
			return ipam.CodeCIDRTaken, "the block overlaps one that was taken at the same moment; try again"
		case "23505":
			return ipam.CodeNameTaken, "the name was taken at the same moment; try again"
		case "23503":
			return ipam.CodeNotFound, "what this refers to was deleted at the same moment"
		case "40001", "40P01":
			return ipam.CodeOverloaded, "too many writes at the same place; try again"
		case "55P03":
			return ipam.CodeOverloaded, "another transaction kept a lock for too long; nothing was changed, try again"
		case "57014":
			return ipam.CodeOverloaded, "the database took too long for one statement (statement_timeout); nothing was changed, try again"
		}
		if spoils(err) || outOf(pg) {
			return ipam.CodeUnavailable, "the database cannot serve this now; nothing was changed, try again. The log has its reason under this request_id"
		}
		return "", ""
	}
	if lite, ok := errors.AsType[liteError](err); ok {
		switch lite.Code() {
		case lib.SQLITE_CONSTRAINT_TRIGGER:
			return ipam.CodeCIDRTaken, "the block overlaps one that is taken"
		case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
			return ipam.CodeNameTaken, "the name is taken"
		case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
			return ipam.CodeNotFound, "what this refers to was deleted"
		}
		switch lite.Code() & 0xff {
		case lib.SQLITE_FULL:
			return ipam.CodeUnavailable, "the disk of the database is full; nothing was changed. Free some space and try again"
		case lib.SQLITE_READONLY:
			return ipam.CodeUnavailable, "the database is read-only; nothing was changed"
		case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
			return ipam.CodeOverloaded, "the database is busy; try again"
		case lib.SQLITE_IOERR:
			return ipam.CodeUnavailable, "the disk of the database failed; nothing was changed"
		case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
			return ipam.CodeUnavailable, damagedDetail
		}
		return "", ""
	}
	if errors.Is(err, context.Canceled) {
		return ipam.CodeUnavailable, "the request was given up before it ran; nothing was changed"
	}
	if lostContact(err) || errors.Is(err, context.DeadlineExceeded) {
		return ipam.CodeUnavailable, "the database does not answer; nothing was changed, try again"
	}
	return "", ""
}

const (
	damagedDetail = "the database is damaged, and nothing is written to it any more; whoever runs the server finds more in its log, and restores a backup with \"cloudpam restore\""
	goneDetail    = "the file of the database was deleted or replaced under the running server, and nothing is written to it any more; whoever runs the server finds more in its log, puts the file back or restores a backup, and starts the server again"
)

// damaged reports whether SQLite met a page that cannot be.
func damaged(err error) bool {
	lite, ok := errors.AsType[liteError](err)
	return ok && (lite.Code()&0xff == lib.SQLITE_CORRUPT || lite.Code()&0xff == lib.SQLITE_NOTADB)
}

// answer translates, and ends all writing once the database has turned out to be damaged.
func (db *DB) answer(err error) error {
	if damaged(err) {
		return db.condemn(damagedDetail, err)
	}
	return translate(err)
}

// usable returns why nothing may be written, or nil.
func (db *DB) usable() error {
	if fault := db.fault.Load(); fault != nil {
		return fault
	}
	switch gone, err := db.files.check(); {
	case gone:
		return db.condemn(goneDetail, err)
	case err != nil:
		return &ipam.Error{Code: ipam.CodeUnavailable, Detail: "the disk of the database does not answer; nothing was changed", Cause: err}
	}
	return nil
}

// condemn ends all writing until a restart, which looks at the whole file again. What is handed out by a damaged or deleted
// database is handed out twice. Nobody can tell whether a file that comes back is still the same inside.
func (db *DB) condemn(detail string, cause error) error {
	fault := &ipam.Error{Code: ipam.CodeUnavailable, Detail: detail, Cause: cause}
	if db.fault.CompareAndSwap(nil, fault) {
		db.log.Error("the database is not written any more", "error", cause)
	}
	return fault
}

// Fault returns the public text of why nothing is written until a restart, or "".
func (db *DB) Fault() string {
	if fault := db.fault.Load(); fault != nil {
		return fault.Detail
	}
	return ""
}

// repeatable reports whether the engine asks for the write to run again: a serialization failure, a deadlock, or a race for
// a unique key or with who refers to what is deleted, which the second run sees and answers properly.
func repeatable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "40001", "40P01", "23503", "23505", "23P01":
			return true
		}
	}
	return false
}

// outOf reports whether PostgreSQL lacks something: disk, memory, connections, or what the system under it should do.
func outOf(pg *pgconn.PgError) bool {
	return strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "58")
}

// spoils reports whether the connection is of no more use after an error: it broke, PostgreSQL ended it or refuses writes on
// it, or it knows other prepared statements than we think.
func spoils(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "25006", "25P03", "25P04", "26000", "42P05":
			return true
		}
		return fatal(pg) || strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P")
	}
	return lostContact(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// fatal reports whether PostgreSQL, or a pooler before it, said something else than that a statement failed.
func fatal(pg *pgconn.PgError) bool {
	return cmp.Or(pg.SeverityUnlocalized, pg.Severity) != "ERROR"
}

// soonBetter reports whether another connection may work soon, unlike with a wrong password or a database that is not there.
func soonBetter(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return spoils(err) && !strings.HasPrefix(pg.Code, "28") && !strings.HasPrefix(pg.Code, "3D") || outOf(pg)
	}
	return lostContact(err) || errors.Is(err, context.DeadlineExceeded)
}

// refused reports whether an error of a COMMIT says that nothing was committed. Anything else than an answer that the
// statement failed leaves that open, also the last words of a connection.
func refused(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && !fatal(pg) && !strings.HasPrefix(pg.Code, "08") && !strings.HasPrefix(pg.Code, "57P") || isSQLite(err)
}

func isSQLite(err error) bool {
	_, ok := errors.AsType[liteError](err)
	return ok
}

// liteError is an error of SQLite: the driver's, or that of a direct statement.
type liteError interface {
	error
	Code() int
}

// ambiguous is the answer of a write that may be durable or not. Saying so is the only honest one; a retry with the same key
// finds out.
func ambiguous(err error) error {
	return &ipam.Error{
		Code:   ipam.CodeUnavailable,
		Detail: "the database did not answer in the end, so this may or may not have been done; send it again with the same Idempotency-Key, or look first",
		Cause:  err,
	}
}

// lostContact reports whether the connection broke, so that nobody knows what the engine did last.
func lostContact(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true // the server went away in the middle of an answer
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}

// absent turns "no rows" into CodeNotFound about a named thing.
func absent(err error, what, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ipam.Errorf(ipam.CodeNotFound, "there is no %s %q", what, id)
	}
	return err
}
