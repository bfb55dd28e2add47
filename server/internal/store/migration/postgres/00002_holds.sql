-- +goose Up
-- A draft is a pool that only a plan knows: it takes space and holds may stand in it, but nobody else sees it.
ALTER TABLE pools ADD COLUMN draft_until BIGINT;
ALTER TABLE pools ADD COLUMN draft_actor TEXT NOT NULL DEFAULT '';

-- A plan-time promise. While kept, a prefix of kind hold owned by it takes the space; expired, it keeps it until the space
-- is needed; lost, the row remembers what was promised.
CREATE TABLE holds (
  id         TEXT COLLATE "C" PRIMARY KEY,
  scope_id   TEXT COLLATE "C" NOT NULL REFERENCES scopes (id),
  pool_id    TEXT COLLATE "C" NOT NULL REFERENCES pools (id),
  name       TEXT   NOT NULL,
  cidr       TEXT   NOT NULL,
  family     BIGINT NOT NULL,
  first_ip   BYTEA  NOT NULL,
  length     BIGINT NOT NULL,
  actor      TEXT   NOT NULL,
  holder     TEXT   NOT NULL,
  replaces   TEXT   NOT NULL,
  kept       BOOLEAN NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  renewed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX holds_by_name ON holds (pool_id, name, length);
CREATE INDEX holds_by_expiry ON holds (pool_id, kept, expires_at);
