-- +goose Up
-- What is remembered of drifts, and what people say of them.

-- The networks of an account, one by one.
CREATE INDEX observations_by_network ON observations (account_id, network) WHERE network <> '';

-- A drift that a scope has, or had: written after each round of looks. The id of a drift, drift, stays while the difference does.
CREATE TABLE drift_records (
  id         BIGINT PRIMARY KEY,
  scope_id   BIGINT NOT NULL REFERENCES scopes (id) ON DELETE CASCADE,
  drift      TEXT COLLATE "C" NOT NULL,
  kind       TEXT   NOT NULL,
  account    TEXT   NOT NULL,
  region     TEXT   NOT NULL,
  cidr       TEXT   NOT NULL,
  desired    TEXT   NOT NULL,
  observed   TEXT   NOT NULL,
  detail     TEXT   NOT NULL,
  facts      TEXT   NOT NULL,
  first_seen BIGINT NOT NULL,
  last_seen  BIGINT NOT NULL,
  ended_at   BIGINT
);
CREATE UNIQUE INDEX drift_records_by_drift ON drift_records (scope_id, drift);
CREATE INDEX drift_records_by_scope ON drift_records (scope_id, id);
CREATE INDEX drift_records_by_end ON drift_records (ended_at) WHERE ended_at IS NOT NULL;

-- A drift that somebody ignores, until its facts are others.
CREATE TABLE drift_ignores (
  id         BIGINT PRIMARY KEY,
  scope_id   BIGINT NOT NULL REFERENCES scopes (id),
  drift      TEXT COLLATE "C" NOT NULL,
  facts      TEXT   NOT NULL,
  reason     TEXT   NOT NULL,
  actor      TEXT   NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX drift_ignores_by_drift ON drift_ignores (scope_id, drift);

-- What becomes of drifts: one list, in its order.
CREATE TABLE drift_rules (
  id         BIGINT PRIMARY KEY,
  singleton  BIGINT NOT NULL CHECK (singleton = 1),
  rules      TEXT   NOT NULL,
  version    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX drift_rules_once ON drift_rules (singleton);
