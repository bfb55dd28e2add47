-- name: InsertPrefix :exec
INSERT INTO prefixes (id, scope_id, space_id, kind, status, name, cidr, family, first_ip, last_ip, length, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: DeletePrefix :execrows
DELETE FROM prefixes
WHERE id = $1;

-- name: MovePrefix :execrows
UPDATE prefixes SET cidr = $2, first_ip = $3, last_ip = $4, length = $5
WHERE id = $1;

-- name: RenamePrefix :execrows
UPDATE prefixes SET name = $2
WHERE id = $1;

-- name: PrefixesAfter :many
-- A page of what occupies a space in one family, in address order.
SELECT * FROM named_prefixes
WHERE space_id = $1 AND family = $2 AND first_ip > $3
ORDER BY first_ip
LIMIT @max_rows;

-- name: PrefixesFrom :many
-- What occupies a range of a space: blocks are disjoint, so whatever starts inside the range, and PrefixBelow for the one around it.
SELECT * FROM named_prefixes
WHERE space_id = $1 AND family = $2 AND first_ip >= @first_ip AND first_ip <= @last_ip
ORDER BY first_ip
LIMIT @max_rows;

-- name: PrefixBelow :one
-- The block that starts below an address: the only one that can reach over it.
SELECT * FROM named_prefixes
WHERE space_id = $1 AND family = $2 AND first_ip < $3
ORDER BY first_ip DESC
LIMIT 1;

-- name: LastBlock :one
-- Where a name last stood in a space with this length.
SELECT first_ip FROM last_blocks
WHERE space_id = $1 AND kind = $2 AND name = $3 AND length = $4;

-- name: ForgetLastBlocks :execrows
-- Drops the oldest of what left before a time.
DELETE FROM last_blocks
WHERE (space_id, kind, name, length) IN (
  SELECT b.space_id, b.kind, b.name, b.length FROM last_blocks b WHERE b.left_at < $1 ORDER BY b.left_at LIMIT @max_rows
);

-- name: LastLeft :one
-- When a name last left a space with this length.
SELECT left_at FROM last_blocks
WHERE space_id = $1 AND kind = $2 AND name = $3 AND length = $4;

-- name: RememberBlock :exec
INSERT INTO last_blocks (space_id, kind, name, length, first_ip, left_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (space_id, kind, name, length) DO UPDATE SET first_ip = excluded.first_ip, left_at = excluded.left_at;
