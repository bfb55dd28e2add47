-- +goose Up
-- What a pool asks of all that is in it and below it. A change of one holds the locks of all pools that it is about.
CREATE TABLE policies (
  id             BIGINT PRIMARY KEY,
  scope_id       BIGINT NOT NULL REFERENCES scopes (id),
  pool_id        BIGINT NOT NULL REFERENCES pools (id),
  description    TEXT   NOT NULL,
  rules          TEXT   NOT NULL, -- JSON
  share_revision BIGINT NOT NULL, -- moves with each change that a share is about: its lock, for pools side by side
  version        BIGINT NOT NULL,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX policies_by_pool ON policies (pool_id);
CREATE INDEX policies_by_scope ON policies (scope_id, id);
CREATE VIEW named_policies AS
SELECT r.*, p.name AS pool_name, p.family, p.first_ip, p.length,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = r.scope_id), '') AS TEXT) AS scope_name
FROM policies r JOIN pools p ON p.id = r.pool_id;
