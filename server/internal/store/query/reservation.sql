-- name: InsertReservation :exec
INSERT INTO reservations (
  id, scope_id, pool_id, name, family, first_ip, length, reason, owner, labels, expires_at, version, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12);

-- name: Reservation :one
SELECT * FROM named_reservations
WHERE id = $1;

-- name: ReservationNamed :one
SELECT * FROM named_reservations
WHERE pool_id = $1 AND name = $2 AND name <> '';

-- name: UpdateReservation :exec
UPDATE reservations SET name = $2, reason = $3, owner = $4, labels = $5, expires_at = $6, updated_at = $7, version = version + 1
WHERE id = $1;

-- name: DeleteReservation :exec
DELETE FROM reservations
WHERE id = $1;

-- name: ExpiredReservationsIn :many
-- Of the reservations of a pool that have expired by then, the oldest first.
SELECT family, first_ip, length FROM reservations
WHERE pool_id = $1 AND expires_at <= @now
ORDER BY expires_at, id
LIMIT @max_rows OFFSET @skip;

-- name: ExpiredReservations :many
-- Reservations that expired by then, pool by pool.
SELECT * FROM named_reservations
WHERE expires_at <= $1
ORDER BY pool_id, id
LIMIT @max_rows;
