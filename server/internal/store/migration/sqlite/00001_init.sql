-- +goose Up
-- What each table means is in docs/schema.md. A key is 63 bits that sort by age, made by the server, unique over all tables;
-- rows refer to each other by key and never by name. Times are unix microseconds; an address is 16 bytes (IPv4 in its mapped
-- form, so always filter by family).

CREATE TABLE schema_info (
  schema_version       INTEGER PRIMARY KEY,
  app_version          TEXT   NOT NULL,
  min_supported_schema BIGINT NOT NULL,
  applied_at           BIGINT NOT NULL
);

CREATE TABLE instance (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  token_key  BLOB   NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at    BIGINT NOT NULL -- the latest time that a server has believed in: none goes back behind it
);

-- Who acts. The name is for people: it may change, and two principals may have the same.
CREATE TABLE principals (
  id         INTEGER PRIMARY KEY,
  kind       TEXT   NOT NULL CHECK (kind IN ('system', 'token', 'user', 'machine', 'agent')),
  name       TEXT   NOT NULL,
  created_at BIGINT NOT NULL
);
INSERT INTO principals (id, kind, name, created_at) VALUES (1, 'system', 'system', 0);

CREATE TABLE tokens (
  id         INTEGER PRIMARY KEY REFERENCES principals (id),
  hash       BLOB   NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT
);
CREATE UNIQUE INDEX tokens_by_hash ON tokens (hash);

CREATE TABLE scopes (
  id             INTEGER PRIMARY KEY,
  name           TEXT NOT NULL,
  description    TEXT   NOT NULL,
  labels         TEXT   NOT NULL,
  version        BIGINT NOT NULL,
  space_revision BIGINT NOT NULL,
  draft_until    BIGINT,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX scopes_by_name ON scopes (name);
CREATE INDEX scopes_by_draft_age ON scopes (draft_until) WHERE draft_until IS NOT NULL;

CREATE TABLE pools (
  id                  INTEGER PRIMARY KEY,
  scope_id            BIGINT  NOT NULL REFERENCES scopes (id),
  name                TEXT  NOT NULL,
  parent_id           BIGINT REFERENCES pools (id),
  family              BIGINT  NOT NULL CHECK (family IN (4, 6)),
  first_ip            BLOB    NOT NULL,
  length              BIGINT  NOT NULL CHECK (length BETWEEN 0 AND 128),
  strategy            TEXT    NOT NULL CHECK (strategy IN ('best_fit', 'first_fit', 'largest_fit', 'sparse')),
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
  draft_until         BIGINT,
  draft_principal_id  BIGINT REFERENCES principals (id),
  draft_holder        TEXT    NOT NULL,
  draft_run           TEXT    NOT NULL,
  draft_named         BOOLEAN NOT NULL,
  draft_encloses      BOOLEAN NOT NULL,
  grows_id            BIGINT REFERENCES pools (id),
  created_at          BIGINT  NOT NULL,
  updated_at          BIGINT  NOT NULL
);
CREATE UNIQUE INDEX pools_by_name ON pools (scope_id, name);
CREATE INDEX pools_by_scope ON pools (scope_id, id);
CREATE INDEX pools_by_address ON pools (family, first_ip, length);
CREATE INDEX pools_by_parent ON pools (parent_id, first_ip);
CREATE INDEX pools_by_draft ON pools (parent_id, draft_until) WHERE draft_until IS NOT NULL;
CREATE INDEX pools_by_growth ON pools (grows_id) WHERE grows_id IS NOT NULL;
CREATE INDEX pools_by_draft_age ON pools (draft_until) WHERE draft_until IS NOT NULL;

-- Names that pools and scopes have left, by a new name or by their end, until somebody else takes them: what is made anew under
-- its old name comes back to its blocks. The scope of the name of a scope, and of an account, is 0.
CREATE TABLE former_names (
  kind      TEXT NOT NULL CHECK (kind IN ('scope', 'pool', 'account')),
  scope_id  BIGINT NOT NULL,
  name      TEXT NOT NULL,
  object_id BIGINT NOT NULL,
  left_at   BIGINT NOT NULL,
  PRIMARY KEY (kind, scope_id, name)
);
CREATE INDEX former_names_by_scope ON former_names (scope_id);
CREATE INDEX former_names_by_age ON former_names (left_at);

-- What occupies a space: a pool, or the root of a scope. Its key is that of the pool, allocation, reservation or hold which owns it.
-- The values are checked one by one: for IN with more than two SQLite fills a table in memory for each row.
CREATE TABLE prefixes (
  id         INTEGER PRIMARY KEY,
  scope_id   BIGINT NOT NULL REFERENCES scopes (id),
  space_id   BIGINT NOT NULL,
  kind       TEXT   NOT NULL CHECK (kind = 'pool' OR kind = 'allocation' OR kind = 'reservation' OR kind = 'hold'),
  status     TEXT   NOT NULL CHECK (status = 'reserved' OR status = 'allocated' OR status = 'held'),
  name       TEXT   NOT NULL,
  cidr       TEXT   NOT NULL,
  family     BIGINT NOT NULL CHECK (family IN (4, 6)),
  first_ip   BLOB   NOT NULL,
  last_ip    BLOB   NOT NULL,
  length     BIGINT NOT NULL CHECK (length BETWEEN 0 AND 128),
  created_at BIGINT NOT NULL
);
CREATE INDEX prefixes_by_space ON prefixes (space_id, family, first_ip);
CREATE INDEX prefixes_by_address ON prefixes (family, first_ip, length);
CREATE INDEX prefixes_by_scope ON prefixes (scope_id, id);

-- The storage itself refuses overlap: two prefixes of one space never share an address. They are disjoint, so the
-- neighbour at or below the new last address is the only one that can reach into it.
-- +goose StatementBegin
CREATE TRIGGER prefixes_never_overlap_on_insert BEFORE INSERT ON prefixes
BEGIN
  SELECT RAISE(ABORT, 'prefixes_never_overlap')
  WHERE (
    SELECT last_ip FROM prefixes
    WHERE space_id = NEW.space_id AND family = NEW.family AND first_ip <= NEW.last_ip
    ORDER BY first_ip DESC LIMIT 1
  ) >= NEW.first_ip;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER prefixes_never_overlap_on_update BEFORE UPDATE OF id, space_id, family, first_ip, last_ip ON prefixes
BEGIN
  SELECT RAISE(ABORT, 'prefixes_never_overlap')
  WHERE EXISTS (
    SELECT 1 FROM prefixes
    WHERE space_id = NEW.space_id AND family = NEW.family AND first_ip <= NEW.last_ip AND last_ip >= NEW.first_ip AND id <> OLD.id
  );
END;
-- +goose StatementEnd

-- Derived and checkable: always the canonical cover of the pool minus its prefixes.
CREATE TABLE free_blocks (
  pool_id  BIGINT NOT NULL,
  first_ip BLOB   NOT NULL,
  length   BIGINT NOT NULL,
  PRIMARY KEY (pool_id, first_ip)
) WITHOUT ROWID;
-- Best fit walks this order; with the primary key alone every pick would sort all candidates.
CREATE INDEX free_blocks_by_length ON free_blocks (pool_id, length DESC, first_ip);

-- A map of blocks that is handed out whole. Its members are the allocations that name it.
CREATE TABLE allocation_sets (
  id          INTEGER PRIMARY KEY,
  scope_id    BIGINT NOT NULL REFERENCES scopes (id),
  pool_id     BIGINT NOT NULL REFERENCES pools (id),
  name        TEXT NOT NULL,
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
CREATE INDEX allocation_sets_by_scope ON allocation_sets (scope_id, id);

CREATE TABLE allocations (
  id          INTEGER PRIMARY KEY,
  scope_id    BIGINT NOT NULL REFERENCES scopes (id),
  pool_id     BIGINT NOT NULL REFERENCES pools (id),
  name        TEXT NOT NULL,
  set_id      BIGINT REFERENCES allocation_sets (id),
  set_key     TEXT NOT NULL,
  family      BIGINT NOT NULL CHECK (family IN (4, 6)),
  first_ip    BLOB   NOT NULL,
  length      BIGINT NOT NULL CHECK (length BETWEEN 0 AND 128),
  description TEXT   NOT NULL,
  owner       TEXT   NOT NULL,
  purpose     TEXT   NOT NULL,
  account     TEXT   NOT NULL,
  region      TEXT   NOT NULL,
  environment TEXT   NOT NULL,
  labels      TEXT   NOT NULL,
  superseded  BOOLEAN NOT NULL,
  version     BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX allocations_by_name ON allocations (pool_id, name);
CREATE INDEX allocations_by_pool ON allocations (pool_id, id);
CREATE INDEX allocations_by_scope ON allocations (scope_id, id);
CREATE INDEX allocations_by_address ON allocations (family, first_ip, length);
CREATE UNIQUE INDEX allocations_by_set ON allocations (set_id, set_key) WHERE set_id IS NOT NULL;

-- A block that is kept out of use. Expired, it keeps its space until that is needed. The name is '' where it has none.
CREATE TABLE reservations (
  id         INTEGER PRIMARY KEY,
  scope_id   BIGINT NOT NULL REFERENCES scopes (id),
  pool_id    BIGINT NOT NULL REFERENCES pools (id),
  family     BIGINT NOT NULL CHECK (family IN (4, 6)),
  first_ip   BLOB   NOT NULL,
  length     BIGINT NOT NULL CHECK (length BETWEEN 0 AND 128),
  name       TEXT   NOT NULL,
  reason     TEXT   NOT NULL,
  owner      TEXT   NOT NULL,
  labels     TEXT   NOT NULL,
  expires_at BIGINT,
  version    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX reservations_by_name ON reservations (pool_id, name) WHERE name <> '';
CREATE INDEX reservations_by_pool ON reservations (pool_id, id);
CREATE INDEX reservations_by_scope ON reservations (scope_id, id);
CREATE INDEX reservations_by_address ON reservations (family, first_ip, length);
CREATE INDEX reservations_by_expiry ON reservations (pool_id, expires_at);
CREATE INDEX reservations_by_age ON reservations (expires_at) WHERE expires_at IS NOT NULL;

-- A plan-time promise. While kept, a prefix of kind hold takes the space; expired, it keeps it until the space is needed;
-- lost, the row remembers what was promised.
CREATE TABLE holds (
  id           INTEGER PRIMARY KEY,
  scope_id     BIGINT NOT NULL REFERENCES scopes (id),
  pool_id      BIGINT NOT NULL REFERENCES pools (id),
  name         TEXT NOT NULL,
  family       BIGINT NOT NULL CHECK (family IN (4, 6)),
  first_ip     BLOB   NOT NULL,
  length       BIGINT NOT NULL CHECK (length BETWEEN 0 AND 128),
  principal_id BIGINT NOT NULL REFERENCES principals (id),
  holder       TEXT NOT NULL,
  run          TEXT NOT NULL,
  named        BOOLEAN NOT NULL,
  replaces     TEXT NOT NULL,
  inherits     BOOLEAN NOT NULL,
  kept         BOOLEAN NOT NULL,
  expires_at   BIGINT NOT NULL,
  created_at   BIGINT NOT NULL,
  renewed_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX holds_by_name ON holds (pool_id, name, length);
CREATE INDEX holds_by_scope ON holds (scope_id, id);
CREATE INDEX holds_by_expiry ON holds (pool_id, kept, expires_at);
CREATE INDEX holds_by_principal ON holds (pool_id, principal_id, kept, expires_at);
CREATE INDEX holds_by_replaced ON holds (pool_id, replaces);
CREATE INDEX holds_by_age ON holds (expires_at);

-- What a (space, kind, name, length) had last, so that destroy and apply give the same CIDR again. No foreign key: it outlives its pool.
CREATE TABLE last_blocks (
  space_id BIGINT NOT NULL,
  kind     TEXT NOT NULL,
  name     TEXT NOT NULL,
  length   BIGINT NOT NULL,
  first_ip BLOB   NOT NULL,
  left_at  BIGINT NOT NULL,
  PRIMARY KEY (space_id, kind, name, length)
) WITHOUT ROWID;
CREATE INDEX last_blocks_by_age ON last_blocks (left_at);

-- What a plan was promised, longer than the promise lasts: a plan that names itself is told when it applies what another
-- has by then, and so is one that does not (plan_id '') when the draft that it was promised a block in has been dropped. No
-- foreign key: it outlives its pool.
CREATE TABLE promises (
  space_id    BIGINT NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('hold', 'pool')),
  name        TEXT NOT NULL,
  length      BIGINT NOT NULL,
  plan_id     TEXT NOT NULL,
  first_ip    BLOB   NOT NULL,
  promised_at BIGINT NOT NULL,
  PRIMARY KEY (space_id, kind, name, length, plan_id)
) WITHOUT ROWID;
CREATE INDEX promises_by_age ON promises (promised_at);

-- An AWS account, a GCP project or another place that networks live in. People know it by its cloud and the cloud's own id.
CREATE TABLE accounts (
  id                INTEGER PRIMARY KEY,
  scope_id          BIGINT NOT NULL REFERENCES scopes (id),
  cloud             TEXT NOT NULL CHECK (cloud IN ('aws', 'gcp', 'custom')),
  external_id       TEXT NOT NULL,
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
CREATE UNIQUE INDEX accounts_by_external_id ON accounts (cloud, external_id);
CREATE INDEX accounts_by_scope ON accounts (scope_id, id);

-- The head of each chain of events: its key is that of the space whose lock its writers hold; that of the system's is 0.
-- (chain_id, seq) has no gaps and is the order of commits; the key of an event is neither.
CREATE TABLE chains (
  id       INTEGER PRIMARY KEY,
  scope_id BIGINT NOT NULL,
  length   BIGINT NOT NULL,
  hash     BLOB   NOT NULL,
  at       BIGINT NOT NULL -- of the newest event, behind which the next does not go back
);
INSERT INTO chains (id, scope_id, length, hash, at) VALUES (0, 0, 0, x'', 0);

CREATE TABLE events (
  id           INTEGER PRIMARY KEY,
  chain_id     BIGINT NOT NULL,
  seq          BIGINT NOT NULL,
  scope_id     BIGINT NOT NULL,
  scope        TEXT   NOT NULL,
  at           BIGINT NOT NULL,
  principal_id BIGINT NOT NULL,
  actor        TEXT   NOT NULL,
  action       TEXT   NOT NULL,
  object_kind  TEXT   NOT NULL,
  object_id    BIGINT NOT NULL,
  request_id   TEXT   NOT NULL,
  before       TEXT   NOT NULL,
  after        TEXT   NOT NULL,
  hash         BLOB   NOT NULL
);
CREATE UNIQUE INDEX events_by_chain ON events (chain_id, seq);
CREATE INDEX events_by_object ON events (object_id, id);
CREATE INDEX events_by_scope ON events (scope_id, id);
-- Events are final through every door: REPLACE deletes without a delete trigger, so an insert over an event is refused too.
-- +goose StatementBegin
CREATE TRIGGER events_are_final_on_insert BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM events WHERE chain_id = NEW.chain_id AND seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'events are final'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_are_final_on_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are final'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_are_final_on_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are final'); END;
-- +goose StatementEnd

-- Answers are appended, and found by a digest of the principal and the key: of what arrives in no order only that is sorted. One
-- that is what an event says of its object after the change is in the event alone.
CREATE TABLE idempotency_keys (
  id          INTEGER PRIMARY KEY,
  digest      BLOB    NOT NULL,
  fingerprint BLOB    NOT NULL,
  event_id    BIGINT,
  answer      TEXT    NOT NULL,
  refused     BOOLEAN NOT NULL,
  created_at  BIGINT  NOT NULL
);
CREATE UNIQUE INDEX idempotency_keys_by_digest ON idempotency_keys (digest);

-- Who does a piece of periodic work now. Each holder has a higher epoch than the one before.
CREATE TABLE leases (
  name   TEXT PRIMARY KEY,
  holder TEXT   NOT NULL,
  epoch  BIGINT NOT NULL,
  until  BIGINT NOT NULL
);

-- Rows with the names of what they refer to, which they do not keep themselves. Looked up for each row that is answered: a
-- join would leave it to the planner to begin with the names.
CREATE VIEW named_pools AS
SELECT p.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = p.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT q.name FROM pools q WHERE q.id = p.parent_id), '') AS TEXT) AS parent_name,
  CAST(COALESCE((SELECT d.kind || ':' || d.name FROM principals d WHERE d.id = p.draft_principal_id), '') AS TEXT) AS draft_actor
FROM pools p;

CREATE VIEW named_allocations AS
SELECT a.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = a.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = a.pool_id), '') AS TEXT) AS pool_name
FROM allocations a;

CREATE VIEW named_sets AS
SELECT a.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = a.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = a.pool_id), '') AS TEXT) AS pool_name
FROM allocation_sets a;

CREATE VIEW named_reservations AS
SELECT r.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = r.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = r.pool_id), '') AS TEXT) AS pool_name
FROM reservations r;

CREATE VIEW named_holds AS
SELECT h.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = h.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = h.pool_id), '') AS TEXT) AS pool_name,
  CAST(COALESCE((SELECT w.kind || ':' || w.name FROM principals w WHERE w.id = h.principal_id), '') AS TEXT) AS actor
FROM holds h;

CREATE VIEW named_prefixes AS
SELECT x.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = x.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = x.space_id), '') AS TEXT) AS pool_name
FROM prefixes x;

CREATE VIEW named_accounts AS
SELECT a.*, CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = a.scope_id), '') AS TEXT) AS scope_name
FROM accounts a;

CREATE VIEW named_tokens AS
SELECT t.*, CAST(COALESCE((SELECT p.name FROM principals p WHERE p.id = t.id), '') AS TEXT) AS name
FROM tokens t;
