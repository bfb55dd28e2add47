-- name: InsertHold :exec
INSERT INTO holds (id, scope_id, pool_id, name, family, first_ip, length, principal_id, holder, run, named, replaces, inherits, kept, expires_at, created_at, renewed_at, approval_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18);

-- name: Hold :one
SELECT * FROM named_holds
WHERE id = $1;

-- name: HoldNamed :one
SELECT * FROM named_holds
WHERE pool_id = $1 AND name = $2 AND length = $3;

-- name: HoldsFor :many
-- What is held in a pool for an allocation: for its successor, or for it to grow over.
SELECT * FROM named_holds
WHERE pool_id = $1 AND replaces = $2
ORDER BY id;

-- name: Inheriting :many
-- What is held in a pool over blocks that others have still.
SELECT * FROM named_holds
WHERE pool_id = $1 AND kept = TRUE AND inherits = TRUE
ORDER BY id;

-- name: HoldsIn :many
-- All holds of a pool, lost ones too.
SELECT * FROM named_holds
WHERE pool_id = $1
ORDER BY id;

-- name: MoveHold :exec
UPDATE holds SET pool_id = $2
WHERE id = $1;

-- name: MovePrefixTo :execrows
UPDATE prefixes SET space_id = $2
WHERE id = $1;

-- name: UpdateHold :exec
UPDATE holds SET first_ip = $2, principal_id = $3, holder = $4, run = $5, named = $6, replaces = $7, inherits = $8, kept = $9, expires_at = $10, renewed_at = $11, approval_id = $12
WHERE id = $1;

-- name: DeleteHold :exec
DELETE FROM holds
WHERE id = $1;

-- name: DeleteHoldsOfPool :exec
DELETE FROM holds
WHERE pool_id = $1;

-- name: ExpiredHolds :many
-- Of the kept holds of a pool that have expired by then, the oldest first.
SELECT family, first_ip, length FROM holds
WHERE pool_id = $1 AND kept = TRUE AND expires_at <= @now AND inherits = FALSE
ORDER BY expires_at, id
LIMIT @max_rows OFFSET @skip;

-- name: ExpiredDrafts :many
-- Of the drafts in a pool that have expired by then, the oldest first. One that encloses pools has no block there itself.
SELECT family, first_ip, length FROM pools
WHERE parent_id = $1 AND draft_until <= @now AND draft_encloses = FALSE AND NOT EXISTS (SELECT 1 FROM quarantines q WHERE q.space_id = pools.id)
ORDER BY draft_until, id
LIMIT @max_rows OFFSET @skip;

-- name: OutdatedHolds :many
-- Of the kept holds of a pool that an earlier run of a holder asked for last: those of a name first, then the ones that have gone
-- without a renewal the longest, and at the end what was asked for by its CIDR.
SELECT family, first_ip, length FROM holds
WHERE pool_id = $1 AND kept = TRUE AND holder = @holder AND (holder <> '' OR principal_id = @principal_id) AND run <> '' AND run <> @run AND inherits = FALSE AND approval_id IS NULL
ORDER BY CASE WHEN name = @name THEN 0 WHEN named THEN 2 ELSE 1 END, renewed_at, id
LIMIT @max_rows OFFSET @skip;

-- name: OutdatedDrafts :many
-- Of the drafts in a pool, as of its holds.
SELECT family, first_ip, length FROM pools
WHERE parent_id = $1 AND draft_until IS NOT NULL AND draft_holder = @holder AND (draft_holder <> '' OR draft_principal_id = @principal_id)
  AND draft_run <> '' AND draft_run <> @run AND draft_encloses = FALSE AND NOT EXISTS (SELECT 1 FROM quarantines q WHERE q.space_id = pools.id)
ORDER BY CASE WHEN pools.name = @name THEN 0 WHEN draft_named THEN 2 ELSE 1 END, updated_at, id
LIMIT @max_rows OFFSET @skip;

-- name: StandingHolds :many
-- What is held in a pool and has not run out by then.
SELECT * FROM named_holds
WHERE pool_id = $1 AND kept = TRUE AND expires_at > @now AND inherits = FALSE
ORDER BY expires_at, id
LIMIT @max_rows;

-- name: StandingDrafts :many
-- What is drafted in a pool and has not run out by then.
SELECT * FROM named_pools
WHERE parent_id = $1 AND draft_until > @now AND draft_encloses = FALSE
ORDER BY draft_until, id
LIMIT @max_rows;

-- name: StaleHolds :many
-- Holds that expired before a time.
SELECT * FROM named_holds
WHERE expires_at < $1
ORDER BY pool_id, id
LIMIT @max_rows;

-- name: StaleDrafts :many
-- Drafts that expired before a time, children before their parents.
SELECT * FROM named_pools
WHERE draft_until < $1
ORDER BY length DESC, id
LIMIT @max_rows;

-- name: SetDraft :exec
UPDATE pools SET draft_until = $2, draft_principal_id = $3, draft_holder = $4, draft_run = $5, draft_named = $6, draft_encloses = $7
WHERE id = $1;

-- name: CountHeld :one
-- What a principal holds in a pool by promises that have not expired: holds and drafts, each counted no further than at_most.
SELECT
  (SELECT count(*) FROM (
    SELECT 1 FROM holds h
    WHERE h.pool_id = @pool_id AND h.principal_id = @principal_id AND h.kept = TRUE AND h.expires_at > @now AND h.inherits = FALSE
    LIMIT @at_most
  ) some_holds) +
  (SELECT count(*) FROM (
    SELECT 1 FROM pools p
    WHERE p.parent_id = @parent_id AND p.draft_until > @draft_until AND p.draft_principal_id = @draft_principal_id
    LIMIT @at_most_drafts
  ) some_drafts) AS held;

-- name: SetPrefixStatus :execrows
UPDATE prefixes SET status = $2
WHERE id = $1;
