-- +goose Up
-- What a plan was promised, longer than the promise stands: a plan that names itself is told when it applies what another
-- has by then, and so is one that does not (plan_id '') when the draft that it was promised a block in has been dropped. No
-- foreign key: it outlives its pool.
CREATE TABLE promises (
  space_id    TEXT NOT NULL,
  kind        TEXT   NOT NULL CHECK (kind IN ('hold', 'pool')),
  name        TEXT   NOT NULL,
  length      BIGINT NOT NULL,
  plan_id     TEXT   NOT NULL,
  first_ip    BLOB   NOT NULL,
  promised_at BIGINT NOT NULL,
  PRIMARY KEY (space_id, kind, name, length, plan_id)
);
CREATE INDEX promises_by_age ON promises (promised_at);

INSERT INTO promises (space_id, kind, name, length, plan_id, first_ip, promised_at)
SELECT space_id, 'pool', name, length, '', first_ip, left_at FROM last_blocks WHERE kind = 'draft';
DELETE FROM last_blocks WHERE kind = 'draft';

-- Who asked for a draft besides its actor, as of a hold.
ALTER TABLE pools ADD COLUMN draft_holder TEXT NOT NULL DEFAULT '';
-- What one actor holds in a pool is counted with every new hold, and drafts in a pool with every new draft.
CREATE INDEX holds_by_actor ON holds (pool_id, actor, kept, expires_at);
CREATE INDEX holds_by_replaced ON holds (pool_id, replaces);
CREATE INDEX holds_by_age ON holds (expires_at);
CREATE INDEX pools_by_draft ON pools (parent_id, draft_until);
