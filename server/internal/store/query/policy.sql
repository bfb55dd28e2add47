-- name: InsertPolicy :exec
INSERT INTO policies (id, scope_id, pool_id, description, rules, share_revision, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, 0, 1, $6, $6);

-- name: UpdatePolicy :exec
UPDATE policies SET description = $2, rules = $3, updated_at = $4, version = version + 1
WHERE id = $1;

-- name: DeletePolicy :exec
DELETE FROM policies
WHERE id = $1;

-- name: PolicyOf :one
SELECT * FROM named_policies
WHERE pool_id = $1;

-- name: LockShare :exec
UPDATE policies SET share_revision = share_revision + 1
WHERE id = $1;

-- name: HasPolicies :one
SELECT EXISTS (SELECT 1 FROM policies WHERE scope_id = $1) AS has;

-- name: PoolsBelow :many
-- The keys of a pool and of all pools in it, also of drafts, a parent before its children.
WITH RECURSIVE below (id, depth) AS (
  SELECT p.id, 0 FROM pools p WHERE p.id = $1
  UNION ALL
  SELECT q.id, upper.depth + 1 FROM pools q JOIN below upper ON q.parent_id = upper.id
)
SELECT below.id FROM below
ORDER BY below.depth, below.id;

-- name: OwnerShare :many
-- How many blocks of each length an owner has in a pool and in all pools in it.
WITH RECURSIVE below (id) AS (
  SELECT p.id FROM pools p WHERE p.id = $1
  UNION ALL
  SELECT q.id FROM pools q JOIN below upper ON q.parent_id = upper.id
)
SELECT a.length, COUNT(*) AS blocks
FROM allocations a
WHERE a.owner = @owner AND a.owner <> '' AND a.pool_id IN (SELECT below.id FROM below)
GROUP BY a.length;
