-- name: InsertScope :exec
INSERT INTO scopes (id, name, description, labels, version, space_revision, draft_until, created_at, updated_at)
VALUES ($1, $2, $3, $4, 1, 1, $5, $6, $6);

-- name: Scope :one
SELECT * FROM scopes
WHERE id = $1;

-- name: ScopeNamed :one
SELECT * FROM scopes
WHERE name = $1;

-- name: LockScope :one
-- The row lock of a scope's root space. Everything that decides about root pools takes it first.
UPDATE scopes SET space_revision = space_revision + 1
WHERE id = $1
RETURNING *;

-- name: LockScopeNamed :one
UPDATE scopes SET space_revision = space_revision + 1
WHERE name = $1
RETURNING *;

-- name: UpdateScope :execrows
UPDATE scopes SET name = $2, description = $3, labels = $4, draft_until = $5, updated_at = $6, version = version + 1
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
ORDER BY scopes.draft_until, scopes.id
LIMIT @max_rows;
