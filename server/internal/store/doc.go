// Package store is the database: it opens SQLite or PostgreSQL, migrates it, and turns rows into nouns and back.
//
// Reads and writes are closures over a [Tx]. Concurrent writes share one transaction and one flush to disk:
//
//	Write ─┐                       ┌─ savepoint, body, release ─┐
//	Write ─┼─ lane ─ batch: BEGIN ─┼─ savepoint, body, release ─┼─ COMMIT ─ answer all
//	Write ─┘                       └─ savepoint, body, rollback ┘
//
// A body that fails rolls back alone. Nobody is answered before the commit is durable. SQLite has one lane; PostgreSQL
// has one for each space, so that two replicas never wait for each other in a circle. A body must have no side effects
// outside the database, since it may run again.
package store
