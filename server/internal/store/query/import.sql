-- name: InsertImport :exec
INSERT INTO imports (id, principal_id, kind, digest, created, updated, unchanged, reason, created_at, undone_at, undone_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, NULL);

-- name: InsertImportRow :exec
INSERT INTO import_rows (id, import_id, number)
VALUES ($1, $2, $3);

-- name: ImportRows :many
-- The rows of an import after one, in the order in which they were done.
SELECT id, number FROM import_rows
WHERE import_id = $1 AND id > $2
ORDER BY id
LIMIT @max_rows;

-- name: EndImport :execrows
UPDATE imports SET undone_at = $2, undone_by = $3
WHERE id = $1 AND undone_at IS NULL;
