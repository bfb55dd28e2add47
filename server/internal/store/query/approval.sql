-- name: InsertApproval :exec
INSERT INTO approvals (id, scope_id, pool_id, requester_id, action, target, digest, blocks, reason, source, status, comment, emergency, until, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', '', FALSE, $11, 1, $12, $12);

-- name: UpdateApproval :exec
UPDATE approvals SET status = $2, decider_id = $3, decided_at = $4, comment = $5, emergency = $6, until = $7, version = $8, updated_at = $9
WHERE id = $1;

-- name: Approval :one
SELECT * FROM named_approvals
WHERE id = $1;

-- name: ApprovalAbout :one
-- What a requester asked for last about something.
SELECT * FROM named_approvals
WHERE requester_id = $1 AND target = $2
ORDER BY id DESC
LIMIT 1;

-- name: OpenApprovals :many
-- What waits for a decision in a pool, or for its change to be made.
SELECT * FROM named_approvals
WHERE pool_id = $1 AND status IN ('pending', 'approved')
ORDER BY id;

-- name: OverApprovals :many
-- Open requests of one status whose time is over, the oldest first.
SELECT * FROM named_approvals
WHERE status = $1 AND until <= CAST(@now AS BIGINT)
ORDER BY until, id
LIMIT @max_rows;

-- name: CountApprovals :one
SELECT count(*) FROM approvals
WHERE status = 'pending' AND until > CAST(@now AS BIGINT);

-- name: HoldsOfApproval :many
SELECT * FROM named_holds
WHERE approval_id = $1
ORDER BY id;
