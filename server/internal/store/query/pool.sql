-- name: InsertPool :exec
INSERT INTO pools (
  id, scope_id, name, parent_id, family, first_ip, length, strategy, min_length, max_length, default_length,
  description, owner, account, region, environment, labels, deletion_protection, version, space_revision,
  draft_until, draft_principal_id, draft_holder, draft_run, draft_named, draft_encloses, grows_id, quarantine_seconds, max_observed_age_seconds, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 1, 1, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $28);

-- name: Pool :one
SELECT * FROM named_pools
WHERE id = $1;

-- name: PoolNamed :one
SELECT * FROM named_pools
WHERE named_pools.scope_id = (SELECT s.id FROM scopes s WHERE s.name = @scope_name) AND named_pools.name = @name;

-- name: GrowthOf :many
-- The drafts that a pool is to grow over, in address order.
SELECT * FROM named_pools
WHERE grows_id = $1
ORDER BY first_ip, id;

-- name: UpdatePool :execrows
UPDATE pools SET
  name = $2, family = $3, first_ip = $4, length = $5, strategy = $6, min_length = $7, max_length = $8, default_length = $9,
  description = $10, owner = $11, account = $12, region = $13, environment = $14, labels = $15, deletion_protection = $16,
  parent_id = $17, quarantine_seconds = $18, max_observed_age_seconds = $19, updated_at = $20, version = version + 1
WHERE id = $1;

-- name: DeletePool :execrows
DELETE FROM pools
WHERE id = $1;

-- name: PoolsAbove :many
-- The keys of a pool and of all pools around it.
WITH RECURSIVE above (id, parent_id) AS (
  SELECT p.id, p.parent_id FROM pools p WHERE p.id = $1
  UNION
  SELECT q.id, q.parent_id FROM pools q JOIN above upper ON q.id = upper.parent_id
)
SELECT above.id FROM above;

-- name: CountInPool :one
-- Direct children and allocations of a pool, each from an index alone.
SELECT
  (SELECT count(*) FROM pools c WHERE c.parent_id = @id AND c.draft_until IS NULL) AS children,
  (SELECT count(*) FROM allocations a WHERE a.pool_id = @pool_id) AS allocations;

-- name: LeaveName :exec
-- Remembers under which name an object was known.
INSERT INTO former_names (kind, scope_id, name, object_id, left_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (kind, scope_id, name) DO UPDATE SET object_id = excluded.object_id, left_at = excluded.left_at;

-- name: FormerHolder :one
-- Who was known under a name before.
SELECT object_id FROM former_names
WHERE kind = $1 AND scope_id = $2 AND name = $3;

-- name: TakeName :exec
-- Forgets who was known under a name before.
DELETE FROM former_names
WHERE kind = $1 AND scope_id = $2 AND name = $3;

-- name: InheritLastBlocks :exec
UPDATE last_blocks SET space_id = @heir
WHERE space_id = @former AND NOT EXISTS (SELECT 1 FROM pools p WHERE p.id = @former_pool);

-- name: InheritPromises :exec
UPDATE promises SET space_id = @heir
WHERE space_id = @former AND NOT EXISTS (SELECT 1 FROM pools p WHERE p.id = @former_pool);

-- name: InheritNames :exec
UPDATE former_names SET scope_id = @heir
WHERE scope_id = @former AND NOT EXISTS (SELECT 1 FROM scopes s WHERE s.id = @former_scope);

-- name: ForgetNames :execrows
-- Drops the oldest of the names that were left before a time.
DELETE FROM former_names
WHERE (kind, scope_id, name) IN (SELECT n.kind, n.scope_id, n.name FROM former_names n WHERE n.left_at < $1 ORDER BY n.left_at LIMIT @max_rows);

-- name: FormerPool :one
-- The pool that left a name.
SELECT p.id, p.name, p.scope_id, p.scope_name, f.left_at FROM former_names f
JOIN named_pools p ON p.id = f.object_id
WHERE f.kind = 'pool' AND f.scope_id = (SELECT s.id FROM scopes s WHERE s.name = @scope_name) AND f.name = @name AND p.draft_until IS NULL;

-- name: FormerScope :one
-- The scope that left a name.
SELECT s.id, s.name, f.left_at FROM former_names f
JOIN scopes s ON s.id = f.object_id
WHERE f.kind = 'scope' AND f.scope_id = 0 AND f.name = $1 AND s.draft_until IS NULL;
