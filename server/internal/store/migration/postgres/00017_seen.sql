-- +goose Up
-- What must have been seen of clouds before space is handed out.

-- The last look at an account: when it began, and when the last one began after which all of the account had been seen completely. A row
-- without seen_at is of an account that nobody has seen completely yet.
CREATE TABLE looks (
  account_id BIGINT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  tried_at   BIGINT NOT NULL,
  seen_at    BIGINT
);
INSERT INTO looks (account_id, tried_at, seen_at)
SELECT s.account_id, max(s.tried_at), CASE WHEN count(*) = count(s.seen_at) THEN min(s.seen_at) END FROM sync_states s GROUP BY s.account_id;

-- How old the last complete view of an account may be for a pool to hand anything out; empty where it may be of any age.
ALTER TABLE pools ADD COLUMN max_observed_age_seconds BIGINT CHECK (max_observed_age_seconds BETWEEN 60 AND 7776000);
DROP VIEW named_pools;
CREATE VIEW named_pools AS
SELECT p.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = p.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT q.name FROM pools q WHERE q.id = p.parent_id), '') AS TEXT) AS parent_name,
  CAST(COALESCE((SELECT d.kind || ':' || d.name FROM principals d WHERE d.id = p.draft_principal_id), '') AS TEXT) AS draft_actor
FROM pools p;

-- When the database was brought back from a backup; empty once all accounts have been seen completely since.
ALTER TABLE instance ADD COLUMN restored_at BIGINT;
