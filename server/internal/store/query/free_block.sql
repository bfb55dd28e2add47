-- name: LargestFreeBlock :one
-- The largest free block, the lowest address first. Two steps of the index instead of a sort: it holds lengths in falling order.
SELECT f.first_ip, f.length FROM free_blocks f
WHERE f.pool_id = $1 AND f.length = (SELECT min(g.length) FROM free_blocks g WHERE g.pool_id = $1)
ORDER BY f.first_ip
LIMIT 1;

-- name: FreeLengthBelow :one
-- The greatest length of a free block that is at most the given one; steps through the sizes there are.
SELECT length FROM free_blocks
WHERE pool_id = $1 AND length <= $2
ORDER BY length DESC
LIMIT 1;

-- name: LowestFreeBlock :one
-- The lowest free block of exactly this length.
SELECT first_ip FROM free_blocks
WHERE pool_id = $1 AND length = $2
ORDER BY first_ip
LIMIT 1;

-- name: FreeBlockBelow :one
-- The free block that starts at or below an address: free blocks are disjoint, so it is the only one that can contain it.
SELECT first_ip, length FROM free_blocks
WHERE pool_id = $1 AND first_ip <= $2
ORDER BY first_ip DESC
LIMIT 1;

-- name: FreeBlockBetween :one
-- Whether anything that starts in a range is free.
SELECT count(*) FROM (
  SELECT 1 FROM free_blocks
  WHERE pool_id = $1 AND first_ip >= @first_ip AND first_ip <= @last_ip
  LIMIT 1
) AS f;

-- name: InsertFreeBlock :exec
INSERT INTO free_blocks (pool_id, first_ip, length)
VALUES ($1, $2, $3);

-- name: DeleteFreeBlock :execrows
-- The token: whoever deletes the row has the space.
DELETE FROM free_blocks
WHERE pool_id = $1 AND first_ip = $2 AND length = $3;

-- name: DeleteFreeBlocks :exec
DELETE FROM free_blocks
WHERE pool_id = $1;

-- name: FreeBlocks :many
-- A page of free blocks in address order.
SELECT first_ip, length FROM free_blocks
WHERE pool_id = $1 AND first_ip > $2
ORDER BY first_ip
LIMIT @max_rows;

-- name: FreeBlocksByLength :many
-- At most 33 or 129 rows: how much is free, exactly.
SELECT length, count(*) AS blocks FROM free_blocks
WHERE pool_id = $1
GROUP BY length
ORDER BY length;
