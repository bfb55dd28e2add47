-- name: InsertAccount :exec
INSERT INTO accounts (
  id, scope_id, cloud, external_id, name, description, owner, platform, tier, environment, regions, labels, mode,
  role_arn, workload_identity, version, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16, $16);

-- name: Account :one
SELECT * FROM named_accounts
WHERE cloud = $1 AND external_id = $2;

-- name: UpdateAccount :exec
UPDATE accounts SET
  scope_id = $2, name = $3, description = $4, owner = $5, platform = $6, tier = $7, environment = $8, regions = $9, labels = $10,
  mode = $11, role_arn = $12, workload_identity = $13, updated_at = $14, version = version + 1
WHERE id = $1;

-- name: DeleteAccount :exec
DELETE FROM accounts
WHERE id = $1;
