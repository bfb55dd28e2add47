-- name: InsertPool :exec
INSERT INTO pools (
  id, scope_id, name, parent_id, cidr, family, first_ip, last_ip, length, strategy, min_length, max_length, default_length,
  description, owner, account, region, environment, labels, deletion_protection, version, space_revision, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, 1, 1, $21, $21);

-- name: Pool :one
SELECT * FROM pools
WHERE id = $1;

-- name: LockPool :one
-- The row lock of a pool's space. Lock in this statement and look for space in the next: one statement for both would see
-- the space as it was before the wait. The version behind the ETag does not move, so a busy pool stays editable.
UPDATE pools SET space_revision = space_revision + 1
WHERE id = $1
RETURNING *;

-- name: UpdatePool :execrows
UPDATE pools SET
  cidr = $2, family = $3, first_ip = $4, last_ip = $5, length = $6, strategy = $7, min_length = $8, max_length = $9, default_length = $10,
  description = $11, owner = $12, account = $13, region = $14, environment = $15, labels = $16, deletion_protection = $17,
  parent_id = $18, updated_at = $19, version = version + 1
WHERE id = $1;

-- name: DeletePool :execrows
DELETE FROM pools
WHERE id = $1;

-- name: PoolsOfScope :many
-- The pools of a scope, for its tree.
SELECT * FROM pools
WHERE scope_id = $1 AND draft_until IS NULL
ORDER BY id
LIMIT @max_rows;

-- name: PoolWithRoom :one
-- Another pool of the scope and family that would fit a block of the length, the nearest in size first.
SELECT p.id FROM pools p
WHERE p.scope_id = @scope_id AND p.family = @family AND p.id <> @id AND p.draft_until IS NULL
  AND (p.min_length IS NULL OR p.min_length <= @length) AND (p.max_length IS NULL OR p.max_length >= @length)
  AND EXISTS (SELECT 1 FROM free_blocks f WHERE f.pool_id = p.id AND f.length <= @length)
ORDER BY p.length DESC, p.id
LIMIT 1;

-- name: CountInPool :one
-- Direct children and allocations of a pool, each from an index alone.
SELECT
  (SELECT count(*) FROM pools c WHERE c.parent_id = @id AND c.draft_until IS NULL) AS children,
  (SELECT count(*) FROM allocations a WHERE a.pool_id = @pool_id) AS allocations;
