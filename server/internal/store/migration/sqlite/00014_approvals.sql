-- +goose Up
-- Requests that a second person allows a change. They outlive their pool, as events do.
CREATE TABLE approvals (
  id           INTEGER PRIMARY KEY,
  scope_id     BIGINT  NOT NULL,
  pool_id      BIGINT  NOT NULL, -- of the first block: its lock, and its chain of events
  requester_id BIGINT  NOT NULL REFERENCES principals (id),
  action       TEXT    NOT NULL, -- of the event that would tell of the change
  target       TEXT    NOT NULL, -- what the change is about
  digest       TEXT    NOT NULL, -- of the blocks as they were shown
  blocks       TEXT    NOT NULL, -- JSON
  reason       TEXT    NOT NULL,
  source       TEXT    NOT NULL,
  status       TEXT    NOT NULL CHECK (status IN ('pending', 'approved', 'refused', 'used', 'expired', 'superseded', 'withdrawn')),
  decider_id   BIGINT  REFERENCES principals (id) CHECK (decider_id IS NULL OR emergency OR decider_id <> requester_id),
  decided_at   BIGINT,
  comment      TEXT    NOT NULL,
  emergency    BOOLEAN NOT NULL, -- approved by the first token, in place of a second person
  until        BIGINT  NOT NULL,
  version      BIGINT  NOT NULL,
  created_at   BIGINT  NOT NULL,
  updated_at   BIGINT  NOT NULL,
  CHECK (status NOT IN ('approved', 'refused') OR decider_id IS NOT NULL)
);
CREATE UNIQUE INDEX approvals_open ON approvals (requester_id, target) WHERE status IN ('pending', 'approved');
CREATE INDEX approvals_by_target ON approvals (requester_id, target, id);
CREATE INDEX approvals_by_pool ON approvals (pool_id, id);
CREATE INDEX approvals_by_scope ON approvals (scope_id, id);
CREATE INDEX approvals_by_end ON approvals (status, until);
CREATE INDEX approvals_waiting ON approvals (pool_id, id) WHERE status IN ('pending', 'approved');
CREATE VIEW named_approvals AS
SELECT a.*,
  CAST(COALESCE((SELECT w.kind || ':' || w.name FROM principals w WHERE w.id = a.requester_id), '') AS TEXT) AS actor,
  CAST(COALESCE((SELECT w.kind || ':' || w.name FROM principals w WHERE w.id = a.decider_id), '') AS TEXT) AS decided_by
FROM approvals a;

-- What is held for a request: no later plan displaces it, and nobody releases it.
ALTER TABLE holds ADD COLUMN approval_id BIGINT;
CREATE INDEX holds_by_approval ON holds (approval_id) WHERE approval_id IS NOT NULL;
DROP VIEW named_holds;
CREATE VIEW named_holds AS
SELECT h.*,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = h.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = h.pool_id), '') AS TEXT) AS pool_name,
  CAST(COALESCE((SELECT w.kind || ':' || w.name FROM principals w WHERE w.id = h.principal_id), '') AS TEXT) AS actor
FROM holds h;
