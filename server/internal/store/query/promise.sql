-- name: Promised :one
-- The block that a plan was promised.
SELECT first_ip FROM promises
WHERE space_id = $1 AND kind = $2 AND name = $3 AND length = $4 AND plan_id = $5;

-- name: RememberPromise :exec
INSERT INTO promises (space_id, kind, name, length, plan_id, first_ip, promised_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (space_id, kind, name, length, plan_id) DO UPDATE SET first_ip = excluded.first_ip, promised_at = excluded.promised_at;

-- name: RememberHolds :exec
-- What all holds of a pool promise, lost ones too.
INSERT INTO promises (space_id, kind, name, length, plan_id, first_ip, promised_at)
SELECT h.pool_id, 'hold', h.name, h.length, '', h.first_ip, CAST(@at AS BIGINT) FROM holds h
WHERE h.pool_id = @pool_id
ON CONFLICT (space_id, kind, name, length, plan_id) DO UPDATE SET first_ip = excluded.first_ip, promised_at = excluded.promised_at;

-- name: TrimPromises :exec
-- Keeps the newest promises for a name and length.
DELETE FROM promises
WHERE promises.space_id = $1 AND promises.kind = $2 AND promises.name = $3 AND promises.length = $4 AND promises.promised_at < (
  SELECT p.promised_at FROM promises p
  WHERE p.space_id = $1 AND p.kind = $2 AND p.name = $3 AND p.length = $4
  ORDER BY p.promised_at DESC
  LIMIT 1 OFFSET 63
);

-- name: ForgetPromise :exec
DELETE FROM promises
WHERE space_id = $1 AND kind = $2 AND name = $3 AND length = $4 AND plan_id = $5;

-- name: ForgetPromises :execrows
-- Drops the oldest of the promises made before a time.
DELETE FROM promises
WHERE (space_id, kind, name, length, plan_id) IN (
  SELECT p.space_id, p.kind, p.name, p.length, p.plan_id FROM promises p WHERE p.promised_at < $1 ORDER BY p.promised_at LIMIT @max_rows
);
