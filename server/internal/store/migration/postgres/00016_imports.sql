-- +goose Up
-- Files that were imported. What they made and changed is in the events of their rows.
CREATE TABLE imports (
  id           BIGINT PRIMARY KEY,
  principal_id BIGINT NOT NULL REFERENCES principals (id),
  kind         TEXT COLLATE "C" NOT NULL, -- of the rows
  digest       TEXT COLLATE "C" NOT NULL, -- of the file and its verdicts
  created      BIGINT NOT NULL, -- rows that did
  updated      BIGINT NOT NULL,
  unchanged    BIGINT NOT NULL,
  reason       TEXT COLLATE "C" NOT NULL,
  created_at   BIGINT NOT NULL,
  undone_at    BIGINT,          -- NULL: it stands
  undone_by    BIGINT REFERENCES principals (id)
);
CREATE INDEX imports_by_principal ON imports (principal_id, id);
CREATE VIEW named_imports AS
SELECT i.*,
  CAST(COALESCE((SELECT p.kind || ':' || p.name FROM principals p WHERE p.id = i.principal_id), '') AS TEXT) AS actor,
  CAST(COALESCE((SELECT p.kind || ':' || p.name FROM principals p WHERE p.id = i.undone_by), '') AS TEXT) AS undoer
FROM imports i;

-- The rows of files that made or changed something; id is the key of the event of that.
CREATE TABLE import_rows (
  id        BIGINT PRIMARY KEY,
  import_id BIGINT NOT NULL REFERENCES imports (id),
  number    BIGINT NOT NULL -- in the file, whose header is row 1
);
CREATE INDEX import_rows_by_import ON import_rows (import_id, id);
