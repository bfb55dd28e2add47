-- +goose Up
-- Whom an issuer vouches for: empty of principals that are ours alone. A subject is one principal for ever; its name may change.
ALTER TABLE principals ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
ALTER TABLE principals ADD COLUMN subject TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX principals_by_subject ON principals (issuer, subject) WHERE issuer <> '';

-- Who is signed in with a browser. A session that ends is deleted; the events of it stay.
CREATE TABLE sessions (
  id           INTEGER PRIMARY KEY,
  principal_id BIGINT NOT NULL REFERENCES principals (id),
  token_id     BIGINT REFERENCES tokens (id), -- that opened it, and ends it; NULL where an issuer did
  hash         BLOB   NOT NULL,
  claims       TEXT   NOT NULL, -- what the rules of the issuer look at, as it was at the login
  created_at   BIGINT NOT NULL,
  ends_at      BIGINT NOT NULL, -- at the latest
  used_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX sessions_by_hash ON sessions (hash);
CREATE INDEX sessions_by_principal ON sessions (principal_id, id);
CREATE VIEW named_sessions AS
SELECT s.*,
  CAST(COALESCE((SELECT p.kind FROM principals p WHERE p.id = s.principal_id), '') AS TEXT) AS kind,
  CAST(COALESCE((SELECT p.name FROM principals p WHERE p.id = s.principal_id), '') AS TEXT) AS name,
  CAST(COALESCE((SELECT p.issuer FROM principals p WHERE p.id = s.principal_id), '') AS TEXT) AS issuer,
  CAST(COALESCE((SELECT p.subject FROM principals p WHERE p.id = s.principal_id), '') AS TEXT) AS subject
FROM sessions s;
