-- name: InsertEvent :exec
INSERT INTO events (id, chain_id, seq, scope_id, at, actor, action, object_kind, object_id, request_id, before, after, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: ChainHead :one
-- The newest event of a chain. Its writers hold the row lock of the pool or scope that the chain belongs to.
SELECT seq, hash FROM events
WHERE chain_id = $1
ORDER BY seq DESC
LIMIT 1;

-- name: EventsOfChain :many
-- A page of a chain in its own order, for verification.
SELECT * FROM events
WHERE chain_id = $1 AND seq > $2
ORDER BY seq
LIMIT @max_rows;

-- name: Chains :many
SELECT DISTINCT chain_id FROM events
WHERE chain_id > @after
ORDER BY chain_id
LIMIT @max_rows;
