-- name: InsertPrefix :exec
INSERT INTO prefixes (id, scope_id, space_id, cidr, family, first_ip, last_ip, length, status, source, kind, owner_id, name, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: DeletePrefixOfOwner :execrows
DELETE FROM prefixes
WHERE owner_id = $1;

-- name: MovePrefixOfOwner :execrows
UPDATE prefixes SET cidr = $2, first_ip = $3, last_ip = $4, length = $5
WHERE owner_id = $1;

-- name: RenamePrefixOfOwner :execrows
UPDATE prefixes SET name = $2
WHERE owner_id = $1;

-- name: PrefixesAfter :many
-- A page of what occupies a space in one family, in address order.
SELECT * FROM prefixes
WHERE space_id = $1 AND family = $2 AND first_ip > $3 AND source = 'desired'
ORDER BY first_ip
LIMIT @max_rows;

-- name: PrefixesFrom :many
-- What occupies a range of a space: blocks are disjoint, so whatever starts inside the range, and PrefixBelow for the one around it.
SELECT * FROM prefixes
WHERE space_id = $1 AND family = $2 AND first_ip >= @first_ip AND first_ip <= @last_ip AND source = 'desired'
ORDER BY first_ip
LIMIT @max_rows;

-- name: PrefixBelow :one
-- The block that starts below an address: the only one that can reach over it.
SELECT * FROM prefixes
WHERE space_id = $1 AND family = $2 AND first_ip < $3 AND source = 'desired'
ORDER BY first_ip DESC
LIMIT 1;

-- name: LastBlock :one
-- Where a name last stood in a space with this length.
SELECT first_ip FROM last_blocks
WHERE space_id = $1 AND kind = $2 AND name = $3 AND length = $4;

-- name: LastLeft :one
-- When a name last left a space with this length.
SELECT left_at FROM last_blocks
WHERE space_id = $1 AND kind = $2 AND name = $3 AND length = $4;

-- name: RememberBlock :exec
INSERT INTO last_blocks (space_id, kind, name, length, first_ip, left_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (space_id, kind, name, length) DO UPDATE SET first_ip = excluded.first_ip, left_at = excluded.left_at;

-- name: OrphanPrefixSpaces :many
-- Spaces that prefixes occupy though there is no such pool and no such scope.
SELECT DISTINCT x.space_id FROM prefixes x
WHERE NOT EXISTS (SELECT 1 FROM pools p WHERE p.id = x.space_id)
  AND NOT EXISTS (SELECT 1 FROM scopes s WHERE '/' || s.id = x.space_id)
ORDER BY x.space_id
LIMIT @max_rows;

-- name: OrphanFreePools :many
-- Pools that have free blocks though there is no such pool.
SELECT DISTINCT f.pool_id FROM free_blocks f
WHERE NOT EXISTS (SELECT 1 FROM pools p WHERE p.id = f.pool_id)
ORDER BY f.pool_id
LIMIT @max_rows;
