-- +goose Up
-- What each table means stands in docs/schema.md. Ids are text, times are unix microseconds, an address is 16 bytes
-- (IPv4 in its mapped form, so always filter by family), a CIDR is its text beside its first and last address.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE schema_info (
  schema_version       BIGINT PRIMARY KEY,
  app_version          TEXT   NOT NULL,
  min_supported_schema BIGINT NOT NULL,
  applied_at           BIGINT NOT NULL
);

CREATE TABLE instance (
  id         BIGINT PRIMARY KEY CHECK (id = 1),
  token_key  BYTEA  NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE scopes (
  id             TEXT COLLATE "C" PRIMARY KEY,
  description    TEXT   NOT NULL,
  labels         TEXT   NOT NULL,
  version        BIGINT NOT NULL,
  space_revision BIGINT NOT NULL,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL
);

CREATE TABLE pools (
  id                  TEXT COLLATE "C" PRIMARY KEY,
  scope_id            TEXT COLLATE "C" NOT NULL REFERENCES scopes (id),
  name                TEXT    NOT NULL,
  parent_id           TEXT COLLATE "C" REFERENCES pools (id),
  cidr                TEXT    NOT NULL,
  family              BIGINT  NOT NULL CHECK (family IN (4, 6)),
  first_ip            BYTEA   NOT NULL,
  last_ip             BYTEA   NOT NULL,
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
  id         TEXT COLLATE "C" PRIMARY KEY,
  scope_id   TEXT COLLATE "C" NOT NULL REFERENCES scopes (id),
  space_id   TEXT COLLATE "C" NOT NULL,
  cidr       TEXT   NOT NULL,
  family     BIGINT NOT NULL CHECK (family IN (4, 6)),
  first_ip   BYTEA  NOT NULL,
  last_ip    BYTEA  NOT NULL,
  length     BIGINT NOT NULL CHECK (length BETWEEN 0 AND 128),
  status     TEXT   NOT NULL CHECK (status IN ('reserved', 'allocated', 'held', 'quarantined', 'blocked')),
  source     TEXT   NOT NULL CHECK (source IN ('desired', 'observed')),
  kind       TEXT   NOT NULL CHECK (kind IN ('pool', 'allocation', 'reservation', 'hold')),
  owner_id   TEXT COLLATE "C" NOT NULL,
  name       TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  -- The storage itself refuses overlap: two desired prefixes of one space never share an address.
  CONSTRAINT prefixes_never_overlap EXCLUDE USING gist (space_id WITH =, (cidr::inet) inet_ops WITH &&) WHERE (source = 'desired')
);
CREATE INDEX prefixes_by_space ON prefixes (space_id, first_ip, length);
CREATE INDEX prefixes_by_address ON prefixes (family, first_ip, length);
CREATE UNIQUE INDEX prefixes_by_owner ON prefixes (owner_id);

-- Derived and checkable: always the canonical cover of the pool minus its prefixes.
CREATE TABLE free_blocks (
  pool_id  TEXT COLLATE "C" NOT NULL,
  first_ip BYTEA  NOT NULL,
  length   BIGINT NOT NULL,
  PRIMARY KEY (pool_id, first_ip)
);
-- Best fit walks this order; with the primary key alone every pick would sort all candidates.
CREATE INDEX free_blocks_by_length ON free_blocks (pool_id, length DESC, first_ip);

CREATE TABLE allocations (
  id          TEXT COLLATE "C" PRIMARY KEY,
  scope_id    TEXT COLLATE "C" NOT NULL REFERENCES scopes (id),
  pool_id     TEXT COLLATE "C" NOT NULL REFERENCES pools (id),
  name        TEXT   NOT NULL,
  cidr        TEXT   NOT NULL,
  family      BIGINT NOT NULL,
  first_ip    BYTEA  NOT NULL,
  last_ip     BYTEA  NOT NULL,
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
  space_id TEXT COLLATE "C" NOT NULL,
  kind     TEXT   NOT NULL,
  name     TEXT   NOT NULL,
  length   BIGINT NOT NULL,
  first_ip BYTEA  NOT NULL,
  left_at  BIGINT NOT NULL,
  PRIMARY KEY (space_id, kind, name, length)
);

CREATE TABLE events (
  id          TEXT COLLATE "C" PRIMARY KEY,
  chain_id    TEXT COLLATE "C" NOT NULL,
  seq         BIGINT NOT NULL,
  scope_id    TEXT COLLATE "C" NOT NULL,
  at          BIGINT NOT NULL,
  actor       TEXT   NOT NULL,
  action      TEXT   NOT NULL,
  object_kind TEXT   NOT NULL,
  object_id   TEXT COLLATE "C" NOT NULL,
  request_id  TEXT   NOT NULL,
  before      TEXT   NOT NULL,
  after       TEXT   NOT NULL,
  hash        BYTEA  NOT NULL
);
CREATE UNIQUE INDEX events_by_chain ON events (chain_id, seq DESC);
CREATE INDEX events_by_object ON events (object_id, id);
CREATE FUNCTION events_are_final() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''events are final''; END';
CREATE TRIGGER events_are_final BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION events_are_final();

CREATE TABLE idempotency_keys (
  actor       TEXT COLLATE "C" NOT NULL,
  key         TEXT COLLATE "C" NOT NULL,
  fingerprint BYTEA  NOT NULL,
  answer      TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE tokens (
  id         TEXT COLLATE "C" PRIMARY KEY,
  name       TEXT   NOT NULL,
  hash       BYTEA  NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT
);
CREATE UNIQUE INDEX tokens_by_hash ON tokens (hash);
