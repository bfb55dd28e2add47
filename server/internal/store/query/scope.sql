-- name: InsertScope :exec
INSERT INTO scopes (id, description, labels, version, space_revision, created_at, updated_at, draft_until)
VALUES ($1, $2, $3, 1, 1, $4, $4, $5);

-- name: Scope :one
SELECT * FROM scopes
WHERE id = $1;

-- name: Scopes :many
-- A page of scopes after an id, drafts too where they are wanted.
SELECT * FROM scopes
WHERE id > @after AND (draft_until IS NULL OR CAST(@drafts AS BOOLEAN))
ORDER BY id
LIMIT @max_rows;

-- name: LockScope :one
-- The row lock of a scope's root space. Everything that decides about root pools takes it first.
UPDATE scopes SET space_revision = space_revision + 1
WHERE id = $1
RETURNING *;

-- name: UpdateScope :execrows
UPDATE scopes SET description = $2, labels = $3, draft_until = $4, updated_at = $5, version = version + 1
WHERE id = $1;

-- name: RenewScopeDraft :exec
UPDATE scopes SET draft_until = $2
WHERE id = $1;

-- name: DeleteScope :execrows
DELETE FROM scopes
WHERE id = $1;

-- name: StaleScopeDrafts :many
-- Draft scopes that expired before a time, once the drafts in them are gone.
SELECT * FROM scopes
WHERE scopes.draft_until < $1 AND NOT EXISTS (SELECT 1 FROM pools WHERE pools.scope_id = scopes.id)
ORDER BY id
LIMIT @max_rows;
