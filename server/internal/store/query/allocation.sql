-- name: InsertAllocation :exec
INSERT INTO allocations (
  id, scope_id, pool_id, name, family, first_ip, length,
  description, owner, purpose, account, region, environment, labels, set_id, set_key, expires_at, superseded, version, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, FALSE, $18, $19, $20);

-- name: Allocation :one
SELECT * FROM named_allocations
WHERE id = $1;

-- name: UpdateAllocation :execrows
UPDATE allocations SET
  name = $2, description = $3, owner = $4, purpose = $5, account = $6, region = $7, environment = $8, labels = $9,
  first_ip = $10, length = $11, superseded = $12, expires_at = $13, updated_at = $14, version = version + 1
WHERE id = $1;

-- name: PutInSet :exec
-- The version is moved by UpdateAllocation.
UPDATE allocations SET name = $2, set_id = $3, set_key = $4
WHERE id = $1;

-- name: DeleteAllocation :execrows
DELETE FROM allocations
WHERE id = $1;

-- name: ExpiredAllocations :many
-- Allocations that expired by then, the oldest first.
SELECT * FROM named_allocations
WHERE expires_at <= $1
ORDER BY expires_at, id
LIMIT @max_rows;
