-- name: InsertSeal :exec
INSERT INTO seals (id, at, heads, hash, signature, public_key)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: Seals :many
-- A page of seals in their order.
SELECT * FROM seals
WHERE id > $1
ORDER BY id
LIMIT @max_rows;

-- name: LastSeal :many
SELECT * FROM seals
ORDER BY id DESC
LIMIT 1;

-- name: MovedChains :many
-- Chains whose newest event is no older than a time.
SELECT * FROM chains
WHERE at >= $1 AND length > 0
ORDER BY id;

-- name: InsertSealKey :exec
INSERT INTO seal_keys (id, seed, created_at)
VALUES (1, $1, $2)
ON CONFLICT (id) DO NOTHING;

-- name: SealKey :many
SELECT seed FROM seal_keys
WHERE id = 1;
