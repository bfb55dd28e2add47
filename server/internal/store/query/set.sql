-- name: InsertAllocationSet :exec
INSERT INTO allocation_sets (
  id, scope_id, pool_id, name, description, owner, purpose, account, region, environment, labels, version, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12);

-- name: AllocationSet :one
SELECT * FROM named_sets
WHERE id = $1;

-- name: AllocationSetNamed :one
SELECT * FROM named_sets
WHERE pool_id = $1 AND name = $2;

-- name: UpdateAllocationSet :exec
UPDATE allocation_sets SET
  name = $2, description = $3, owner = $4, purpose = $5, account = $6, region = $7, environment = $8, labels = $9,
  updated_at = $10, version = version + 1
WHERE id = $1;

-- name: DeleteAllocationSet :exec
DELETE FROM allocation_sets
WHERE id = $1;

-- name: MembersOfSet :many
SELECT * FROM named_allocations
WHERE set_id = $1
ORDER BY set_key;
