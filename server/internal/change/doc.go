// Package change is the kernel of every read and write: one snapshot, or one transaction with its events and its stored
// answer. The packages of use cases stand on it and never call each other for that.
//
// A write goes like this:
//
//	Write ── stored answer of this Idempotency-Key? ── yes ─> that answer, nothing is done
//	              └─ no ─> body: lock, look, decide, write, Record ─> store the answer ─> commit
//
// The effect, its events and the answer are durable together or not at all.
package change
