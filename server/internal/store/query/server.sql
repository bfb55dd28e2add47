-- name: InsertInstance :exec
INSERT INTO instance (id, token_key, created_at, seen_at)
VALUES (1, $1, $2, $2);

-- name: SeeTime :exec
UPDATE instance SET seen_at = $1
WHERE seen_at < $1;

-- name: Instance :one
SELECT * FROM instance
WHERE id = 1;

-- name: InsertToken :exec
INSERT INTO tokens (id, hash, created_at, expires_at, scope_id)
VALUES ($1, $2, $3, $4, $5);

-- name: InsertPrincipal :exec
INSERT INTO principals (id, kind, name, created_at, issuer, subject)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: PrincipalOf :one
-- Whom an issuer vouches for.
SELECT * FROM principals
WHERE issuer = @issuer AND subject = @subject AND issuer <> '';

-- name: RenamePrincipal :exec
UPDATE principals SET name = $2
WHERE id = $1;

-- name: PrincipalsNamed :many
-- The principals that a name and kind mean: any number.
SELECT id FROM principals
WHERE kind = $1 AND name = $2
ORDER BY id
LIMIT @max_rows;

-- name: TokenByHash :one
SELECT * FROM named_tokens
WHERE hash = $1;

-- name: TokenNamed :one
-- A token of a scope, or of none, that has a name and lets somebody in.
SELECT t.id FROM tokens t JOIN principals p ON p.id = t.id
WHERE p.kind = 'token' AND p.name = @name AND COALESCE(t.scope_id, 0) = CAST(@scope_id AS BIGINT) AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > CAST(@now AS BIGINT))
LIMIT 1;

-- name: UseToken :exec
UPDATE tokens SET used_at = CAST(@at AS BIGINT)
WHERE id = @id AND (used_at IS NULL OR used_at < CAST(@at AS BIGINT));

-- name: Principal :one
SELECT * FROM principals
WHERE id = $1;

-- name: RevokeToken :execrows
UPDATE tokens SET revoked_at = $2
WHERE id = $1 AND revoked_at IS NULL;

-- name: InsertIdempotentAnswer :exec
INSERT INTO idempotency_keys (id, digest, fingerprint, event_id, answer, refused, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: ForgetAnswers :execrows
-- Drops those of the oldest answers that were given before a time.
DELETE FROM idempotency_keys
WHERE id IN (SELECT k.id FROM idempotency_keys k ORDER BY k.id LIMIT @max_rows) AND idempotency_keys.created_at < $1;

-- name: InsertSchemaInfo :exec
INSERT INTO schema_info (schema_version, app_version, min_supported_schema, applied_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (schema_version) DO NOTHING;

-- name: SchemaInfo :one
-- The newest schema that was applied.
SELECT * FROM schema_info
ORDER BY schema_version DESC
LIMIT 1;

-- name: TakeLease :one
-- Takes a lease that has run out, or keeps one's own. The epoch is another each time.
INSERT INTO leases (name, holder, epoch, until)
VALUES ($1, $2, 1, $3)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = leases.epoch + 1, until = excluded.until
WHERE leases.until <= @now OR leases.holder = excluded.holder
RETURNING epoch;

-- name: LeaseTaken :one
-- Whether somebody else has a lease that has not run out.
SELECT EXISTS (SELECT 1 FROM leases WHERE name = $1 AND holder <> $2 AND until > CAST(@now AS BIGINT));

-- name: EndLeases :exec
UPDATE leases SET until = 0;

-- name: HoldLease :execrows
-- The row lock of a lease, if nobody has taken it since.
UPDATE leases SET epoch = epoch
WHERE name = $1 AND epoch = $2;
