-- name: InsertInstance :exec
INSERT INTO instance (id, token_key, created_at)
VALUES (1, $1, $2);

-- name: Instance :one
SELECT * FROM instance
WHERE id = 1;

-- name: InsertToken :exec
INSERT INTO tokens (id, name, hash, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5);

-- name: TokenByHash :one
SELECT * FROM tokens
WHERE hash = $1;

-- name: Tokens :many
SELECT * FROM tokens
ORDER BY created_at, id
LIMIT @max_rows;

-- name: RevokeToken :execrows
UPDATE tokens SET revoked_at = $2
WHERE id = $1 AND revoked_at IS NULL;

-- name: IdempotentAnswer :one
SELECT fingerprint, answer FROM idempotency_keys
WHERE actor = $1 AND key = $2;

-- name: InsertIdempotentAnswer :exec
INSERT INTO idempotency_keys (actor, key, fingerprint, answer, created_at)
VALUES ($1, $2, $3, $4, $5);

-- name: ForgetAnswers :execrows
-- Drops the oldest answers given before a time.
DELETE FROM idempotency_keys
WHERE (actor, key) IN (SELECT k.actor, k.key FROM idempotency_keys k WHERE k.created_at < $1 ORDER BY k.created_at LIMIT @max_rows);

-- name: InsertSchemaInfo :exec
INSERT INTO schema_info (schema_version, app_version, min_supported_schema, applied_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (schema_version) DO NOTHING;

-- name: SchemaInfo :one
-- The newest schema that was applied.
SELECT * FROM schema_info
ORDER BY schema_version DESC
LIMIT 1;
