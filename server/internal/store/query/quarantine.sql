-- name: InsertQuarantine :exec
INSERT INTO quarantines (id, scope_id, space_id, pool_id, allocation_id, name, owner, cause, allocation, family, first_ip, length, until, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: Quarantine :one
SELECT * FROM named_quarantines
WHERE id = $1;

-- name: QuarantineAt :one
-- That of a block of a space.
SELECT * FROM named_quarantines
WHERE family = $1 AND first_ip = $2 AND length = $3 AND space_id = $4;

-- name: QuarantinesOf :many
-- Those of a space in a range of addresses.
SELECT * FROM named_quarantines
WHERE space_id = $1 AND family = @family AND first_ip >= @first_ip AND first_ip <= @last_ip
ORDER BY first_ip;

-- name: MoveQuarantine :execrows
UPDATE quarantines SET space_id = $2, pool_id = $3
WHERE id = $1;

-- name: DeleteQuarantine :execrows
DELETE FROM quarantines
WHERE id = $1;

-- name: QuarantinesLeftBy :many
-- What an allocation has left, the latest first.
SELECT * FROM named_quarantines
WHERE allocation_id = $1
ORDER BY id DESC;

-- name: EndedQuarantinesIn :many
-- Of the blocks of a space whose quarantine has ended by then, the oldest first. What a plan was promised of them is its own.
SELECT q.family, q.first_ip, q.length FROM quarantines q
WHERE q.space_id = $1 AND q.until <= @now AND NOT EXISTS (
  SELECT 1 FROM holds h WHERE h.pool_id = q.space_id AND h.name = q.name AND h.length = q.length AND h.first_ip = q.first_ip AND h.kept = TRUE AND h.inherits = TRUE AND h.expires_at > @now
)
ORDER BY q.until, q.id
LIMIT @max_rows OFFSET @skip;

-- name: EndedQuarantines :many
-- Those that ended before a time, the oldest first.
SELECT * FROM named_quarantines
WHERE until <= $1
ORDER BY until, id
LIMIT @max_rows;

-- name: StandingQuarantines :one
-- How many blocks of a space are in quarantine beyond a time, up to a bound.
SELECT count(*) FROM (SELECT 1 FROM quarantines q WHERE q.space_id = $1 AND q.until > @now LIMIT @at_most) AS few;

-- name: NextQuarantine :many
-- The one of a space that ends next.
SELECT * FROM named_quarantines
WHERE space_id = $1 AND until > @now
ORDER BY until, id
LIMIT 1;

-- name: QuarantinedSizes :many
-- How many blocks of each length are in quarantine in a space.
SELECT length, count(*) AS blocks FROM quarantines
WHERE space_id = $1
GROUP BY length;
