-- +goose Up
-- Quarantine: what becomes of a block that is released in a pool which asks for that, before it is free.

-- How long a released block is kept, in seconds: empty where the pool around the pool decides, 0 where none is kept.
ALTER TABLE pools ADD COLUMN quarantine_seconds BIGINT CHECK (quarantine_seconds BETWEEN 0 AND 7776000);
ALTER TABLE allocations ADD COLUMN expires_at BIGINT;
CREATE INDEX allocations_by_age ON allocations (expires_at) WHERE expires_at IS NOT NULL;

-- SQLite changes no check of a table: it is made anew.
DROP VIEW named_prefixes;
CREATE TABLE prefixes_anew (
  id         INTEGER PRIMARY KEY,
  scope_id   BIGINT NOT NULL REFERENCES scopes (id),
  space_id   BIGINT NOT NULL,
  kind       TEXT   NOT NULL CHECK (kind = 'pool' OR kind = 'allocation' OR kind = 'reservation' OR kind = 'hold' OR kind = 'quarantine'),
  status     TEXT   NOT NULL CHECK (status = 'reserved' OR status = 'allocated' OR status = 'held' OR status = 'quarantined'),
  name       TEXT   NOT NULL,
  cidr       TEXT   NOT NULL,
  family     BIGINT NOT NULL CHECK (family IN (4, 6)),
  first_ip   BLOB   NOT NULL,
  last_ip    BLOB   NOT NULL,
  length     BIGINT NOT NULL CHECK (length BETWEEN 0 AND 128),
  created_at BIGINT NOT NULL
);
INSERT INTO prefixes_anew SELECT * FROM prefixes;
DROP TABLE prefixes;
ALTER TABLE prefixes_anew RENAME TO prefixes;
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
CREATE VIEW named_prefixes AS
SELECT x.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = x.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = x.space_id), '') AS TEXT) AS pool_name
FROM prefixes x;

-- A block in quarantine, with the allocation that left it as it was, or '' of a part that one gave up which lives on. It stands in
-- a pool, or at the root of a scope when the pools around it are gone. The pool that the allocation was of may be gone: no foreign key.
CREATE TABLE quarantines (
  id            INTEGER PRIMARY KEY,
  scope_id      BIGINT NOT NULL REFERENCES scopes (id),
  space_id      BIGINT NOT NULL,
  pool_id       BIGINT NOT NULL,
  allocation_id BIGINT NOT NULL,
  name          TEXT NOT NULL,
  owner         TEXT   NOT NULL,
  cause         TEXT   NOT NULL CHECK (cause IN ('released', 'expired', 'shrunk')),
  allocation    TEXT   NOT NULL,
  family        BIGINT NOT NULL CHECK (family IN (4, 6)),
  first_ip      BLOB   NOT NULL,
  length        BIGINT NOT NULL CHECK (length BETWEEN 0 AND 128),
  until         BIGINT NOT NULL,
  created_at    BIGINT NOT NULL
);
CREATE INDEX quarantines_by_space ON quarantines (space_id, until);
CREATE INDEX quarantines_by_scope ON quarantines (scope_id, id);
CREATE INDEX quarantines_by_address ON quarantines (family, first_ip, length);
CREATE INDEX quarantines_by_allocation ON quarantines (allocation_id);
CREATE INDEX quarantines_by_pool ON quarantines (pool_id);
CREATE INDEX quarantines_by_age ON quarantines (until);

CREATE VIEW named_quarantines AS
SELECT q.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = q.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = q.space_id), '') AS TEXT) AS pool_name
FROM quarantines q;

-- A view keeps the columns that its table had when it was made.
DROP VIEW named_pools;
CREATE VIEW named_pools AS
SELECT p.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = p.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT q.name FROM pools q WHERE q.id = p.parent_id), '') AS TEXT) AS parent_name,
  CAST(COALESCE((SELECT d.kind || ':' || d.name FROM principals d WHERE d.id = p.draft_principal_id), '') AS TEXT) AS draft_actor
FROM pools p;
DROP VIEW named_allocations;
CREATE VIEW named_allocations AS
SELECT a.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = a.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = a.pool_id), '') AS TEXT) AS pool_name
FROM allocations a;

-- Events say from where a change came, why, and at which addresses: of the state after it, or before where that is none. What was written
-- before this has no source; its addresses are filled in. They are derived from the states, which the hash covers.
ALTER TABLE events ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN family BIGINT;
ALTER TABLE events ADD COLUMN first_ip BLOB;
ALTER TABLE events ADD COLUMN length BIGINT;
DROP TRIGGER events_are_final_on_update;
UPDATE events SET
  family = CASE WHEN instr(c.cidr, ':') > 0 THEN 6 ELSE 4 END, length = CAST(substr(c.cidr, instr(c.cidr, '/') + 1) AS INTEGER),
  first_ip = cloudpam_ip(c.cidr)
FROM (
  SELECT e.id, CASE WHEN e.after <> '' THEN json_extract(e.after, '$.cidr') ELSE json_extract(e.before, '$.cidr') END AS cidr FROM events e
  WHERE e.object_kind IN ('pool', 'allocation', 'reservation', 'hold', 'quarantine')
) c
WHERE c.id = events.id AND c.cidr IS NOT NULL;
-- +goose StatementBegin
CREATE TRIGGER events_are_final_on_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are final'); END;
-- +goose StatementEnd
CREATE INDEX events_by_address ON events (family, first_ip, length) WHERE family IS NOT NULL;

-- A seal is a signed statement of where chains of events ended at a time: of those that had moved since the one before. Number and hash
-- link them. What the server has logged of one, no hand in the database takes back.
CREATE TABLE seals (
  id         INTEGER PRIMARY KEY,
  at         BIGINT NOT NULL,
  heads      TEXT   NOT NULL,
  hash       BLOB   NOT NULL,
  signature  BLOB   NOT NULL,
  public_key BLOB   NOT NULL
);
-- The key that the server made for itself, where it was given none.
CREATE TABLE seal_keys (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  seed       BLOB   NOT NULL,
  created_at BIGINT NOT NULL
);
