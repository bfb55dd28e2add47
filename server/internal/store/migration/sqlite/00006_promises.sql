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
