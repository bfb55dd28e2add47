-- +goose Up
-- What clouds showed. Blocks may overlap and repeat here: these are facts, and none of them takes space.

-- One block of a network, a subnet, a secondary range or a range of a cloud's planner. A row goes when three complete views in a row
-- did not show it, or with its account. part is the name of a secondary range.
CREATE TABLE observations (
  id              INTEGER PRIMARY KEY,
  account_id      BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  scope_id        BIGINT REFERENCES scopes (id) ON DELETE SET NULL,
  kind            TEXT   NOT NULL CHECK (kind IN ('network', 'subnet', 'secondary')),
  cloud_id        TEXT NOT NULL,
  part            TEXT NOT NULL,
  network         TEXT NOT NULL,
  region          TEXT NOT NULL,
  zone            TEXT   NOT NULL,
  name            TEXT   NOT NULL,
  owner           TEXT   NOT NULL,
  standard        BOOLEAN NOT NULL,
  family          BIGINT NOT NULL CHECK (family IN (4, 6)),
  first_ip        BLOB  NOT NULL,
  length          BIGINT NOT NULL CHECK (length BETWEEN 0 AND 128),
  mark_instance   TEXT   NOT NULL,
  mark_allocation TEXT   NOT NULL,
  mark_epoch      BIGINT NOT NULL,
  labels          TEXT   NOT NULL,
  misses          BIGINT NOT NULL CHECK (misses BETWEEN 0 AND 2),
  first_seen      BIGINT NOT NULL,
  changed_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX observations_by_block ON observations (account_id, kind, cloud_id, part, family, first_ip, length);
CREATE INDEX observations_by_account ON observations (account_id, id);
CREATE INDEX observations_by_scope ON observations (scope_id, id);
CREATE INDEX observations_by_address ON observations (family, first_ip, length);

-- How well each region of an account has been seen, kind by kind. The moments are those at which a complete look began: the last one,
-- the second last and the third last. What went wrong last stands beside them; code is empty where the last look was complete.
CREATE TABLE sync_states (
  id         INTEGER PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  kind       TEXT NOT NULL,
  region     TEXT NOT NULL,
  tried_at   BIGINT NOT NULL,
  seen_at    BIGINT,
  second_at  BIGINT,
  third_at   BIGINT,
  code       TEXT   NOT NULL,
  detail     TEXT   NOT NULL,
  fix        TEXT   NOT NULL
);
CREATE UNIQUE INDEX sync_states_by_region ON sync_states (account_id, kind, region);

CREATE VIEW named_observations AS
SELECT o.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = o.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT a.cloud || ':' || a.external_id FROM accounts a WHERE a.id = o.account_id), '') AS TEXT) AS account
FROM observations o;
