// Package store is the database: it opens SQLite or PostgreSQL, migrates it, and turns rows into nouns and back.
//
// Reads and writes are closures over a [Tx]. Concurrent writes share one transaction and one flush to disk:
//
//	Write ─┐                       ┌─ body ─┐
//	Write ─┼─ lane ─ batch: BEGIN ─┼─ body ─┼─ COMMIT ─ answer all
//	Write ─┘                       └─ body ─┘
//
// A body that fails rolls back alone: where it has written something, the batch runs again with a savepoint around each. Nobody is answered before the commit is durable. SQLite has one lane; PostgreSQL
// has one for each space, so that two replicas never wait for each other in a circle. A body must have no side effects
// outside the database, since it may run again, and go on when its caller has left.
//
// To PostgreSQL a statement whose answer nobody has asked for yet waits, and goes with the next that is asked for (pipeline.go); what the
// writes of a batch look for first is looked for at once (ahead.go), and what is free of a locked pool is known through the transaction
// (window.go). So a batch takes some ten round trips, however many writes it has. A statement that fails then may be found out by a later
// write: the pipeline knows whose it was, and that one runs again alone.
//
// PostgreSQL may be slow, locked, gone or replaced, and no wait for it is without an end. Reads, writes, and what every request
// needs first have connections of their own. BEGIN runs again on another connection until one works. A lane that meets a lock
// gives its connection back and comes again, and no more than half of the connections serve such lanes. A transaction that
// was lost before its COMMIT runs again; one whose COMMIT got no clear answer never does.
package store
