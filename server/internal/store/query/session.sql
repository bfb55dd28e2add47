-- name: InsertSession :exec
INSERT INTO sessions (id, principal_id, token_id, hash, claims, created_at, ends_at, used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $6);

-- name: SessionByHash :one
SELECT * FROM named_sessions
WHERE hash = $1;

-- name: UseSession :exec
UPDATE sessions SET used_at = CAST(@at AS BIGINT)
WHERE id = @id AND used_at < CAST(@at AS BIGINT);

-- name: DeleteSession :execrows
DELETE FROM sessions
WHERE id = $1;

-- name: OverSessions :many
-- Those whose time is over, that nobody used for long, or whose token lets nobody in, the oldest first.
SELECT * FROM named_sessions
WHERE ends_at <= CAST(@now AS BIGINT) OR used_at <= CAST(@idle_since AS BIGINT)
   OR EXISTS (SELECT 1 FROM tokens t WHERE t.id = named_sessions.token_id AND (t.revoked_at IS NOT NULL OR t.expires_at <= CAST(@now AS BIGINT)))
ORDER BY id
LIMIT @max_rows;

-- name: CountSessions :one
SELECT count(*) FROM sessions
WHERE principal_id = $1;
