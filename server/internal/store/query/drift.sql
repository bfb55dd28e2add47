-- name: DriftRecordsOf :many
SELECT * FROM drift_records
WHERE scope_id = $1
ORDER BY id;

-- name: InsertDriftRecord :exec
INSERT INTO drift_records (id, scope_id, drift, kind, account, region, cidr, desired, observed, detail, facts, first_seen, last_seen)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12);

-- name: UpdateDriftRecord :exec
UPDATE drift_records SET detail = $2, facts = $3, last_seen = $4, ended_at = $5
WHERE id = $1;

-- name: ForgetDriftRecords :execrows
DELETE FROM drift_records
WHERE id IN (SELECT d.id FROM drift_records d WHERE d.ended_at < @before ORDER BY d.ended_at LIMIT @max_rows);

-- name: DriftIgnoresOf :many
SELECT * FROM drift_ignores
WHERE scope_id = $1
ORDER BY id;

-- name: InsertDriftIgnore :exec
INSERT INTO drift_ignores (id, scope_id, drift, facts, reason, actor, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: DeleteDriftIgnore :exec
DELETE FROM drift_ignores
WHERE id = $1;

-- name: DriftRules :one
SELECT * FROM drift_rules
WHERE singleton = 1;

-- name: InsertDriftRules :exec
INSERT INTO drift_rules (id, singleton, rules, version, created_at, updated_at)
VALUES ($1, 1, $2, 1, $3, $3);

-- name: UpdateDriftRules :exec
UPDATE drift_rules SET rules = $1, version = version + 1, updated_at = $2;
