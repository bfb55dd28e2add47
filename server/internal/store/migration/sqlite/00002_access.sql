-- +goose Up
-- Who may do what where. Without a scope it is everywhere; with a scope and no pool, all of that; with a pool, that and what is below it.
-- No foreign key to these: a binding outlives its place, and gives nothing then.
CREATE TABLE bindings (
  id           INTEGER PRIMARY KEY,
  principal_id BIGINT NOT NULL REFERENCES principals (id),
  role         TEXT NOT NULL CHECK (role = 'viewer' OR role = 'planner' OR role = 'operator' OR role = 'admin'),
  scope_id     BIGINT,
  pool_id      BIGINT CHECK (pool_id IS NULL OR scope_id IS NOT NULL),
  largest      BIGINT NOT NULL CHECK (largest BETWEEN 0 AND 128),
  labels       TEXT NOT NULL,
  created_at   BIGINT NOT NULL
);
CREATE INDEX bindings_by_principal ON bindings (principal_id, id);
CREATE INDEX bindings_by_scope ON bindings (scope_id, id);

-- Tokens could do everything before there were bindings. These have keys below all that are made, and no events.
INSERT INTO bindings (id, principal_id, role, largest, labels, created_at)
SELECT ROW_NUMBER() OVER (ORDER BY id) + 1, id, 'admin', 0, '{}', created_at FROM tokens;

-- The scope that all of a token reaches, in which its name is unique; none where it reaches more.
ALTER TABLE tokens ADD COLUMN scope_id BIGINT;
ALTER TABLE tokens ADD COLUMN used_at BIGINT;

DROP VIEW named_tokens;
CREATE VIEW named_tokens AS
SELECT t.*, CAST(COALESCE((SELECT p.name FROM principals p WHERE p.id = t.id), '') AS TEXT) AS name
FROM tokens t;

CREATE VIEW named_bindings AS
SELECT b.*,
  CAST(COALESCE((SELECT w.kind || ':' || w.name FROM principals w WHERE w.id = b.principal_id), '') AS TEXT) AS actor,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = b.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = b.pool_id), '') AS TEXT) AS pool_name
FROM bindings b;
