// Package query is the SQL of the store: what sqlc writes from the .sql files next to it, and the looks below.
package query

// The looks that every allocation takes, one row each, and what it must change. They are no queries of sqlc's, which hands rows out as
// database/sql's alone and asks for an answer at once, and the store has a cheaper way.
const (
	// SmallestFreeBlock is the best fit: of a pool the smallest free block that holds a length, the lowest address first. Its
	// first address and length.
	SmallestFreeBlock = `SELECT first_ip, length FROM free_blocks WHERE pool_id = $1 AND length <= $2 ORDER BY length DESC, first_ip LIMIT 1`

	// MoveFreeBlock makes a free block a part of itself: pool, first address and length, and those of the part. It is the token, as
	// RemoveFreeBlock is: whoever changes the row has the space.
	MoveFreeBlock = `UPDATE free_blocks SET first_ip = $4, length = $5 WHERE pool_id = $1 AND first_ip = $2 AND length = $3`

	// RemoveFreeBlock takes a free block whole.
	RemoveFreeBlock = `DELETE FROM free_blocks WHERE pool_id = $1 AND first_ip = $2 AND length = $3`

	// IdempotentAnswer is what was answered to the digest of a principal and its key: fingerprint, answer, refused.
	IdempotentAnswer = `SELECT k.fingerprint, COALESCE((SELECT e.after FROM events e WHERE e.id = k.event_id), k.answer), k.refused
FROM idempotency_keys k WHERE k.digest = $1`

	// ChainHead is the head of a chain: id, scope, length, hash, time of the last event.
	ChainHead = `SELECT id, scope_id, length, hash, at FROM chains WHERE id = $1`

	// Name is what a pool knows of the name of an allocation: the key of the one that has it, whether something is held for it,
	// and whether one had it before.
	Name = `SELECT (SELECT a.id FROM allocations a WHERE a.pool_id = $1 AND a.name = $2),
  EXISTS (SELECT 1 FROM holds h WHERE h.pool_id = $1 AND h.name = $2),
  EXISTS (SELECT 1 FROM last_blocks b WHERE b.space_id = $1 AND b.kind = 'allocation' AND b.name = $2)`
)
