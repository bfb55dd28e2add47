-- name: InsertScope :exec
INSERT INTO scopes (id, description, labels, version, space_revision, created_at, updated_at)
VALUES ($1, $2, $3, 1, 1, $4, $4);

-- name: Scope :one
SELECT * FROM scopes
WHERE id = $1;

-- name: Scopes :many
-- A page of scopes after an id.
SELECT * FROM scopes
WHERE id > @after
ORDER BY id
LIMIT @max_rows;

-- name: LockScope :one
-- The row lock of a scope's root space. Everything that decides about root pools takes it first.
UPDATE scopes SET space_revision = space_revision + 1
WHERE id = $1
RETURNING *;

-- name: UpdateScope :execrows
UPDATE scopes SET description = $2, labels = $3, updated_at = $4, version = version + 1
WHERE id = $1;

-- name: DeleteScope :execrows
DELETE FROM scopes
WHERE id = $1;
