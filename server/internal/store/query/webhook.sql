-- name: InsertWebhook :exec
INSERT INTO webhooks (
  id, name, description, url, scope_id, actions, format, enabled, secret, former_secret, former_until, failures, failing_since, retry_at, last_error,
  version, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', NULL, 0, NULL, NULL, '', 1, $10, $10);

-- name: Webhook :one
SELECT * FROM named_webhooks
WHERE id = $1;

-- name: WebhookNamed :one
SELECT * FROM named_webhooks
WHERE name = $1;

-- name: UpdateWebhook :exec
UPDATE webhooks SET
  name = $2, description = $3, url = $4, actions = $5, format = $6, enabled = $7, secret = $8, former_secret = $9, former_until = $10, updated_at = $11,
  version = version + 1
WHERE id = $1;

-- name: SetWebhookHealth :exec
UPDATE webhooks SET failures = $2, failing_since = $3, retry_at = $4, last_error = $5
WHERE id = $1;

-- name: DeleteWebhook :exec
DELETE FROM webhooks
WHERE id = $1;

-- name: StartFeed :exec
-- From now on: what the chains have by now was given to nobody, and is not.
INSERT INTO webhook_feed (chain_id, seq)
SELECT id, length FROM chains WHERE id >= 0
ON CONFLICT (chain_id) DO UPDATE SET seq = excluded.seq;

-- name: UnreadChains :many
SELECT c.id, CAST(COALESCE(f.seq, 0) AS BIGINT) AS seq
FROM chains c LEFT JOIN webhook_feed f ON f.chain_id = c.id
WHERE c.length > COALESCE(f.seq, 0)
LIMIT @max_rows;

-- name: NewestEvent :one
SELECT CAST(COALESCE(MAX(id), 0) AS BIGINT) AS id FROM events;

-- name: SetFeed :exec
INSERT INTO webhook_feed (chain_id, seq)
VALUES ($1, $2)
ON CONFLICT (chain_id) DO UPDATE SET seq = excluded.seq;

-- name: InsertDelivery :exec
-- An event that waits for the webhook already, or has been delivered, is not given to it again by the feed.
INSERT INTO deliveries (id, webhook_id, event_id, object_id, action, state, attempts, status, error, retry_at, created_at, ended_at)
VALUES ($1, $2, $3, $4, $5, 'waiting', 0, 0, '', $6, $6, NULL)
ON CONFLICT (webhook_id, event_id) DO NOTHING;

-- name: DropDelivery :exec
DELETE FROM deliveries
WHERE webhook_id = $1 AND event_id = $2;

-- name: Delivery :one
SELECT * FROM deliveries
WHERE id = $1;

-- name: DueDeliveries :many
-- Of each object the oldest that waits, if it is due.
SELECT d.* FROM deliveries d
WHERE d.webhook_id = $1 AND d.state = 'waiting' AND d.retry_at <= @now AND NOT EXISTS (
  SELECT 1 FROM deliveries before
  WHERE before.webhook_id = d.webhook_id AND before.object_id = d.object_id AND before.state = 'waiting' AND before.id < d.id
)
ORDER BY d.retry_at, d.id
LIMIT @max_rows;

-- name: EndDelivery :exec
UPDATE deliveries SET state = $2, attempts = $3, status = $4, error = $5, retry_at = $6, ended_at = $7
WHERE id = $1;

-- name: WakeDeliveries :exec
-- What waited for a receiver that answers again waits no longer.
UPDATE deliveries SET retry_at = @now
WHERE webhook_id = $1 AND state = 'waiting' AND retry_at > @now;

-- name: GiveUpDeliveries :execrows
UPDATE deliveries SET state = 'dead', ended_at = @now, error = @error
WHERE id IN (SELECT old.id FROM deliveries old WHERE old.state = 'waiting' AND old.created_at < @before LIMIT @max_rows);

-- name: ForgetDeliveries :execrows
DELETE FROM deliveries
WHERE id IN (SELECT old.id FROM deliveries old WHERE old.state = $1 AND old.ended_at < @before LIMIT @max_rows);

-- name: DropDeliveries :execrows
DELETE FROM deliveries
WHERE webhook_id = $1;

-- name: CountDeliveries :many
SELECT state, COUNT(*) AS n FROM deliveries
WHERE webhook_id = $1 AND state <> 'delivered'
GROUP BY state;
