-- +goose Up
-- An AWS account, a GCP project or another place that networks live in. The id is the cloud, a colon and the cloud's own id.
CREATE TABLE accounts (
  id                TEXT PRIMARY KEY,
  scope_id          TEXT NOT NULL REFERENCES scopes (id),
  cloud             TEXT   NOT NULL CHECK (cloud IN ('aws', 'gcp', 'custom')),
  external_id       TEXT   NOT NULL,
  name              TEXT   NOT NULL,
  description       TEXT   NOT NULL,
  owner             TEXT   NOT NULL,
  platform          TEXT   NOT NULL,
  tier              TEXT   NOT NULL CHECK (tier IN ('', 'dev', 'stg', 'sbx', 'prd')),
  environment       TEXT   NOT NULL,
  regions           TEXT   NOT NULL,
  labels            TEXT   NOT NULL,
  mode              TEXT   NOT NULL CHECK (mode IN ('observe', 'plan', 'apply')),
  role_arn          TEXT   NOT NULL,
  workload_identity TEXT   NOT NULL,
  version           BIGINT NOT NULL,
  created_at        BIGINT NOT NULL,
  updated_at        BIGINT NOT NULL
);
CREATE INDEX accounts_by_scope ON accounts (scope_id, id);
