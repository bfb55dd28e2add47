-- name: InsertEvent :exec
INSERT INTO events (id, chain_id, seq, scope_id, scope, at, principal_id, actor, action, object_kind, object_id, request_id, before, after, hash, source, address, reason, family, first_ip, length)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21);

-- name: Chain :one
-- The head of a chain. Its writers hold the lock of the space that the chain belongs to.
SELECT * FROM chains
WHERE id = $1;

-- name: LockSystemChain :one
-- The row lock of the system's chain, which belongs to no space.
UPDATE chains SET length = length
WHERE id = 0
RETURNING length;

-- name: SetChain :exec
INSERT INTO chains (id, scope_id, length, hash, at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET length = excluded.length, hash = excluded.hash, at = excluded.at;

-- name: EventsOfChain :many
SELECT * FROM events
WHERE chain_id = $1 AND seq > $2
ORDER BY seq
LIMIT @max_rows;

-- name: ChainsSince :many
-- The chains that have an event of that time or a later one.
SELECT * FROM chains
WHERE at >= $1
ORDER BY id;

-- name: SeqBefore :many
-- The last event of a chain that is no later than a time.
SELECT seq FROM events
WHERE chain_id = $1 AND at <= $2
ORDER BY seq DESC
LIMIT 1;
