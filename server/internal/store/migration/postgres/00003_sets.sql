-- +goose Up
-- A map of blocks that is handed out whole. Its members are the allocations that name it.
CREATE TABLE allocation_sets (
  id          TEXT COLLATE "C" PRIMARY KEY,
  scope_id    TEXT COLLATE "C" NOT NULL REFERENCES scopes (id),
  pool_id     TEXT COLLATE "C" NOT NULL REFERENCES pools (id),
  name        TEXT   NOT NULL,
  description TEXT   NOT NULL,
  owner       TEXT   NOT NULL,
  purpose     TEXT   NOT NULL,
  account     TEXT   NOT NULL,
  region      TEXT   NOT NULL,
  environment TEXT   NOT NULL,
  labels      TEXT   NOT NULL,
  version     BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX allocation_sets_by_name ON allocation_sets (pool_id, name);

ALTER TABLE allocations ADD COLUMN set_id TEXT COLLATE "C" REFERENCES allocation_sets (id);
ALTER TABLE allocations ADD COLUMN set_key TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE UNIQUE INDEX allocations_by_set ON allocations (set_id, set_key);
