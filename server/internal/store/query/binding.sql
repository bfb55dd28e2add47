-- name: InsertBinding :exec
INSERT INTO bindings (id, principal_id, role, scope_id, pool_id, largest, labels, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: CountBindings :one
SELECT count(*) FROM bindings
WHERE principal_id = $1;

-- name: BindingsOf :many
-- What a principal may do, the oldest first.
SELECT * FROM named_bindings
WHERE principal_id = $1
ORDER BY id
LIMIT @max_rows;

-- name: DeleteBinding :execrows
DELETE FROM bindings
WHERE id = $1;
