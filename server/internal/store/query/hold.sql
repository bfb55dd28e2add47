-- name: InsertHold :exec
INSERT INTO holds (id, scope_id, pool_id, name, cidr, family, first_ip, length, actor, holder, replaces, kept, expires_at, created_at, renewed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- name: Hold :one
SELECT * FROM holds
WHERE id = $1;

-- name: HoldNamed :one
SELECT * FROM holds
WHERE pool_id = $1 AND name = $2 AND length = $3;

-- name: HoldsFor :many
-- What is held in a pool for an allocation: for its successor, or for it to grow over.
SELECT * FROM holds
WHERE pool_id = $1 AND replaces = $2
ORDER BY id;

-- name: UpdateHold :exec
UPDATE holds SET cidr = $2, first_ip = $3, actor = $4, holder = $5, replaces = $6, kept = $7, expires_at = $8, renewed_at = $9
WHERE id = $1;

-- name: DeleteHold :exec
DELETE FROM holds
WHERE id = $1;

-- name: DeleteHoldsOfPool :exec
DELETE FROM holds
WHERE pool_id = $1;

-- name: ExpiredHolds :many
-- Of the kept holds of a pool that have expired by then, the oldest first.
SELECT cidr FROM holds
WHERE pool_id = $1 AND kept = TRUE AND expires_at <= @now
ORDER BY expires_at, id
LIMIT @max_rows OFFSET @skip;

-- name: ExpiredDrafts :many
-- Of the drafts in a pool that have expired by then, the oldest first.
SELECT cidr FROM pools
WHERE parent_id = $1 AND draft_until <= @now
ORDER BY draft_until, id
LIMIT @max_rows OFFSET @skip;

-- name: StaleHolds :many
-- Holds that expired before a time.
SELECT * FROM holds
WHERE expires_at < $1
ORDER BY pool_id, id
LIMIT @max_rows;

-- name: StaleDrafts :many
-- Drafts that expired before a time, children before their parents.
SELECT * FROM pools
WHERE draft_until < $1
ORDER BY length DESC, id
LIMIT @max_rows;

-- name: SetDraft :exec
UPDATE pools SET draft_until = $2, draft_actor = $3, draft_holder = $4
WHERE id = $1;

-- name: CountHeld :one
-- What an actor holds in a pool by promises that still stand: holds and drafts, each counted no further than at_most.
SELECT
  (SELECT count(*) FROM (
    SELECT 1 FROM holds h
    WHERE h.pool_id = @pool_id AND h.actor = @actor AND h.kept = TRUE AND h.expires_at > @now
    LIMIT @at_most
  ) some_holds) +
  (SELECT count(*) FROM (
    SELECT 1 FROM pools p
    WHERE p.parent_id = @parent_id AND p.draft_until > @draft_until AND p.draft_actor = @draft_actor
    LIMIT @at_most_drafts
  ) some_drafts) AS held;

-- name: SetPrefixStatus :exec
UPDATE prefixes SET status = $2
WHERE owner_id = $1;
