// Package lite speaks to SQLite below its driver, where that halves what a write costs: the log's writes (VFS) and the statements
// of the one connection that writes (Conn). It is the only package that touches memory which Go does not look after.
//
// # The log
//
// SQLite writes each page of its log by two calls of the system, and a commit of many writes has some hundred pages: the calls
// cost more than all else that it does. So the log is opened through a VFS that gathers writes which follow on each other, and
// does them as one before anything can depend on them: the last page of a commit, a flush, a read, a truncation, a question for
// the size. That changes nothing in what is durable when: SQLite lets other connections know of a commit once all of it is
// written, and flushed with synchronous=FULL, which we always have; a write that fails fails the commit as before. All else is the
// system's own VFS.
package lite
