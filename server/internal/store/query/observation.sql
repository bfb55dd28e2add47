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
-- Whether anything observed is in a scope, and when the database was brought back from a backup; 0: it was not, or all has been seen since.
SELECT
  EXISTS (SELECT 1 FROM observations WHERE scope_id = @scope_id) AS observed,
  CAST(COALESCE((SELECT i.restored_at FROM instance i WHERE i.id = 1), 0) AS BIGINT) AS restored_at;

-- name: SaveLook :exec
-- The last look at an account. What has been seen completely before has been, whatever the last look came to.
INSERT INTO looks (account_id, tried_at, seen_at)
VALUES ($1, $2, $3)
ON CONFLICT (account_id) DO UPDATE SET tried_at = excluded.tried_at, seen_at = COALESCE(excluded.seen_at, looks.seen_at);

-- name: ExpectLook :exec
-- Notes that an account is to be looked at.
INSERT INTO looks (account_id, tried_at)
VALUES ($1, 0)
ON CONFLICT (account_id) DO NOTHING;

-- name: LookAt :one
SELECT * FROM looks
WHERE account_id = $1;

-- name: UnseenInScope :many
-- Accounts of a scope, and those that show something in it, which nobody has seen completely since a time.
SELECT a.id, a.scope_id, a.cloud, a.external_id, l.seen_at FROM accounts a LEFT JOIN looks l ON l.account_id = a.id
WHERE (l.seen_at IS NULL OR l.seen_at < CAST(@since AS BIGINT))
  AND (a.scope_id = @scope_id OR EXISTS (SELECT 1 FROM observations o WHERE o.scope_id = @shown_in AND o.account_id = a.id))
ORDER BY a.id
LIMIT @max_rows;

-- name: UnseenAnywhere :many
-- Accounts that are looked at, and that nobody has seen completely since a time.
SELECT a.id, a.scope_id, a.cloud, a.external_id, l.seen_at FROM looks l JOIN accounts a ON a.id = l.account_id
WHERE l.seen_at IS NULL OR l.seen_at < CAST(@since AS BIGINT)
ORDER BY a.id
LIMIT @max_rows;

-- name: SetRestored :exec
UPDATE instance SET restored_at = $1;
