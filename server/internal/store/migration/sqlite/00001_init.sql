-- +goose Up
-- What each table means stands in docs/schema.md. Ids are text, times are unix microseconds, an address is 16 bytes
-- (IPv4 in its mapped form, so always filter by family), a CIDR is its text beside its first and last address.

CREATE TABLE schema_info (
  schema_version       BIGINT PRIMARY KEY,
  app_version          TEXT   NOT NULL,
  min_supported_schema BIGINT NOT NULL,
  applied_at           BIGINT NOT NULL
);

CREATE TABLE instance (
  id         BIGINT PRIMARY KEY CHECK (id = 1),
  token_key  BLOB   NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE scopes (
  id             TEXT PRIMARY KEY,
  description    TEXT   NOT NULL,
  labels         TEXT   NOT NULL,
  version        BIGINT NOT NULL,
  space_revision BIGINT NOT NULL,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL
);

CREATE TABLE pools (
  id                  TEXT PRIMARY KEY,
  scope_id            TEXT NOT NULL REFERENCES scopes (id),
  name                TEXT    NOT NULL,
  parent_id           TEXT REFERENCES pools (id),
  cidr                TEXT    NOT NULL,
  family              BIGINT  NOT NULL CHECK (family IN (4, 6)),
  first_ip            BLOB    NOT NULL,
  last_ip             BLOB    NOT NULL,
  length              BIGINT  NOT NULL CHECK (length BETWEEN 0 AND 128),
  strategy            TEXT    NOT NULL,
  min_length          BIGINT,
  max_length          BIGINT,
  default_length      BIGINT,
  description         TEXT    NOT NULL,
  owner               TEXT    NOT NULL,
  account             TEXT    NOT NULL,
  region              TEXT    NOT NULL,
  environment         TEXT    NOT NULL,
  labels              TEXT    NOT NULL,
  deletion_protection BOOLEAN NOT NULL,
  version             BIGINT  NOT NULL,
  space_revision      BIGINT  NOT NULL,
  created_at          BIGINT  NOT NULL,
  updated_at          BIGINT  NOT NULL
);
CREATE INDEX pools_by_scope ON pools (scope_id, id);
CREATE INDEX pools_by_address ON pools (family, first_ip, length);
CREATE INDEX pools_by_parent ON pools (parent_id, first_ip);

-- space_id is the pool that a prefix occupies, or '/' and the scope for a root pool.
CREATE TABLE prefixes (
  id         TEXT PRIMARY KEY,
  scope_id   TEXT NOT NULL REFERENCES scopes (id),
  space_id   TEXT NOT NULL,
  cidr       TEXT   NOT NULL,
  family     BIGINT NOT NULL CHECK (family IN (4, 6)),
  first_ip   BLOB   NOT NULL,
  last_ip    BLOB   NOT NULL,
  length     BIGINT NOT NULL CHECK (length BETWEEN 0 AND 128),
  status     TEXT   NOT NULL CHECK (status IN ('reserved', 'allocated', 'held', 'quarantined', 'blocked')),
  source     TEXT   NOT NULL CHECK (source IN ('desired', 'observed')),
  kind       TEXT   NOT NULL CHECK (kind IN ('pool', 'allocation', 'reservation', 'hold')),
  owner_id   TEXT NOT NULL,
  name       TEXT   NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX prefixes_by_space ON prefixes (space_id, first_ip, length);
CREATE INDEX prefixes_by_address ON prefixes (family, first_ip, length);
CREATE UNIQUE INDEX prefixes_by_owner ON prefixes (owner_id);

-- The storage itself refuses overlap: two desired prefixes of one space never share an address. They are disjoint, so the
-- neighbour at or below the new last address is the only one that can reach into it.
-- +goose StatementBegin
CREATE TRIGGER prefixes_never_overlap_on_insert BEFORE INSERT ON prefixes WHEN NEW.source = 'desired'
BEGIN
  SELECT RAISE(ABORT, 'prefixes_never_overlap')
  WHERE (
    SELECT last_ip FROM prefixes
    WHERE space_id = NEW.space_id AND first_ip <= NEW.last_ip AND family = NEW.family AND source = 'desired'
    ORDER BY first_ip DESC LIMIT 1
  ) >= NEW.first_ip;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER prefixes_never_overlap_on_update BEFORE UPDATE OF space_id, family, first_ip, last_ip, source ON prefixes WHEN NEW.source = 'desired'
BEGIN
  SELECT RAISE(ABORT, 'prefixes_never_overlap')
  WHERE EXISTS (
    SELECT 1 FROM prefixes
    WHERE space_id = NEW.space_id AND first_ip <= NEW.last_ip AND last_ip >= NEW.first_ip AND family = NEW.family AND source = 'desired' AND id <> OLD.id
  );
END;
-- +goose StatementEnd

-- Derived and checkable: always the canonical cover of the pool minus its prefixes.
CREATE TABLE free_blocks (
  pool_id  TEXT NOT NULL,
  first_ip BLOB   NOT NULL,
  length   BIGINT NOT NULL,
  PRIMARY KEY (pool_id, first_ip)
);
-- Best fit walks this order; with the primary key alone every pick would sort all candidates.
CREATE INDEX free_blocks_by_length ON free_blocks (pool_id, length DESC, first_ip);

CREATE TABLE allocations (
  id          TEXT PRIMARY KEY,
  scope_id    TEXT NOT NULL REFERENCES scopes (id),
  pool_id     TEXT NOT NULL REFERENCES pools (id),
  name        TEXT   NOT NULL,
  cidr        TEXT   NOT NULL,
  family      BIGINT NOT NULL,
  first_ip    BLOB   NOT NULL,
  last_ip     BLOB   NOT NULL,
  length      BIGINT NOT NULL,
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
CREATE UNIQUE INDEX allocations_by_name ON allocations (pool_id, name);
CREATE INDEX allocations_by_pool ON allocations (pool_id, id);
CREATE INDEX allocations_by_address ON allocations (family, first_ip, length);

-- What a (space, kind, name, length) had last, so that destroy and apply give the same CIDR again. No foreign key: it outlives its pool.
CREATE TABLE last_blocks (
  space_id TEXT NOT NULL,
  kind     TEXT   NOT NULL,
  name     TEXT   NOT NULL,
  length   BIGINT NOT NULL,
  first_ip BLOB   NOT NULL,
  left_at  BIGINT NOT NULL,
  PRIMARY KEY (space_id, kind, name, length)
);

CREATE TABLE events (
  id          TEXT PRIMARY KEY,
  chain_id    TEXT NOT NULL,
  seq         BIGINT NOT NULL,
  scope_id    TEXT NOT NULL,
  at          BIGINT NOT NULL,
  actor       TEXT   NOT NULL,
  action      TEXT   NOT NULL,
  object_kind TEXT   NOT NULL,
  object_id   TEXT NOT NULL,
  request_id  TEXT   NOT NULL,
  before      TEXT   NOT NULL,
  after       TEXT   NOT NULL,
  hash        BLOB   NOT NULL
);
CREATE UNIQUE INDEX events_by_chain ON events (chain_id, seq DESC);
CREATE INDEX events_by_object ON events (object_id, id);
-- +goose StatementBegin
CREATE TRIGGER events_are_final_on_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are final'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_are_final_on_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are final'); END;
-- +goose StatementEnd

CREATE TABLE idempotency_keys (
  actor       TEXT NOT NULL,
  key         TEXT NOT NULL,
  fingerprint BLOB   NOT NULL,
  answer      TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE tokens (
  id         TEXT PRIMARY KEY,
  name       TEXT   NOT NULL,
  hash       BLOB   NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT
);
CREATE UNIQUE INDEX tokens_by_hash ON tokens (hash);
