-- name: InsertObservation :exec
INSERT INTO observations (
  id, account_id, scope_id, kind, cloud_id, part, network, region, zone, name, owner, standard, family, first_ip, length,
  mark_instance, mark_allocation, mark_epoch, labels, misses, first_seen, changed_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 0, $20, $20);

-- name: UpdateObservation :exec
UPDATE observations SET
  scope_id = $2, network = $3, region = $4, zone = $5, name = $6, owner = $7, standard = $8, mark_instance = $9, mark_allocation = $10,
  mark_epoch = $11, labels = $12, misses = $13, changed_at = $14
WHERE id = $1;

-- name: DeleteObservation :exec
DELETE FROM observations
WHERE id = $1;

-- name: ObservationsOf :many
-- All of an account, in the order of their keys.
SELECT * FROM named_observations
WHERE account_id = $1
ORDER BY id;

-- name: SyncStatesOf :many
SELECT * FROM sync_states
WHERE account_id = $1
ORDER BY kind, region;

-- name: InsertSyncState :exec
INSERT INTO sync_states (id, account_id, kind, region, tried_at, seen_at, second_at, third_at, code, detail, fix)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: UpdateSyncState :exec
UPDATE sync_states SET tried_at = $2, seen_at = $3, second_at = $4, third_at = $5, code = $6, detail = $7, fix = $8
WHERE id = $1;

-- name: DeleteSyncState :exec
DELETE FROM sync_states
WHERE id = $1;

-- name: IsObserved :one
-- Whether anything observed is in a scope.
SELECT EXISTS (SELECT 1 FROM observations WHERE scope_id = @scope_id) AS observed;
