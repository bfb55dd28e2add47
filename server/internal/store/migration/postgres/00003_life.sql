-- +goose Up
-- Quarantine: what becomes of a block that is released in a pool which asks for that, before it is free.

-- How long a released block is kept, in seconds: empty where the pool around the pool decides, 0 where none is kept.
ALTER TABLE pools ADD COLUMN quarantine_seconds BIGINT CHECK (quarantine_seconds BETWEEN 0 AND 7776000);
ALTER TABLE allocations ADD COLUMN expires_at BIGINT;
CREATE INDEX allocations_by_age ON allocations (expires_at) WHERE expires_at IS NOT NULL;

ALTER TABLE prefixes DROP CONSTRAINT prefixes_kind_check;
ALTER TABLE prefixes ADD CONSTRAINT prefixes_kind_check CHECK (kind IN ('pool', 'allocation', 'reservation', 'hold', 'quarantine'));
ALTER TABLE prefixes DROP CONSTRAINT prefixes_status_check;
ALTER TABLE prefixes ADD CONSTRAINT prefixes_status_check CHECK (status IN ('reserved', 'allocated', 'held', 'quarantined'));

-- A block in quarantine, with the allocation that left it as it was, or '' of a part that one gave up which lives on. It stands in
-- a pool, or at the root of a scope when the pools around it are gone. The pool that the allocation was of may be gone: no foreign key.
CREATE TABLE quarantines (
  id            BIGINT PRIMARY KEY,
  scope_id      BIGINT NOT NULL REFERENCES scopes (id),
  space_id      BIGINT NOT NULL,
  pool_id       BIGINT NOT NULL,
  allocation_id BIGINT NOT NULL,
  name          TEXT COLLATE "C" NOT NULL,
  owner         TEXT   NOT NULL,
  cause         TEXT   NOT NULL CHECK (cause IN ('released', 'expired', 'shrunk')),
  allocation    TEXT   NOT NULL,
  family        BIGINT NOT NULL CHECK (family IN (4, 6)),
  first_ip      BYTEA  NOT NULL,
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
ALTER TABLE events
  ADD COLUMN source TEXT NOT NULL DEFAULT '',
  ADD COLUMN address TEXT NOT NULL DEFAULT '',
  ADD COLUMN reason TEXT NOT NULL DEFAULT '',
  ADD COLUMN family BIGINT,
  ADD COLUMN first_ip BYTEA,
  ADD COLUMN length BIGINT;
ALTER TABLE events DISABLE TRIGGER events_are_final;
UPDATE events SET
  family = family(c.cidr), length = masklen(c.cidr),
  first_ip = CASE family(c.cidr) WHEN 4 THEN '\x00000000000000000000ffff'::bytea ELSE ''::bytea END || substring(inet_send(c.cidr) FROM 5)
FROM (
  SELECT e.id, (COALESCE(NULLIF(e.after, ''), NULLIF(e.before, ''))::json ->> 'cidr')::inet AS cidr FROM events e
  WHERE e.object_kind IN ('pool', 'allocation', 'reservation', 'hold', 'quarantine')
) c
WHERE c.id = events.id AND c.cidr IS NOT NULL;
ALTER TABLE events ENABLE TRIGGER events_are_final;
CREATE INDEX events_by_address ON events (family, first_ip, length) WHERE family IS NOT NULL;

-- A seal is a signed statement of where chains of events ended at a time: of those that had moved since the one before. Number and hash
-- link them. What the server has logged of one, no hand in the database takes back.
CREATE TABLE seals (
  id         BIGINT PRIMARY KEY,
  at         BIGINT NOT NULL,
  heads      TEXT   NOT NULL,
  hash       BYTEA  NOT NULL,
  signature  BYTEA  NOT NULL,
  public_key BYTEA  NOT NULL
);
-- The key that the server made for itself, where it was given none.
CREATE TABLE seal_keys (
  id         BIGINT PRIMARY KEY CHECK (id = 1),
  seed       BYTEA  NOT NULL,
  created_at BIGINT NOT NULL
);
