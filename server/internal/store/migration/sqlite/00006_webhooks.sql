-- +goose Up
-- Where events are sent. The secrets sign messages, so they are kept as they are; no answer, event or log has them.
CREATE TABLE webhooks (
  id              INTEGER PRIMARY KEY,
  name            TEXT    NOT NULL,
  description     TEXT    NOT NULL,
  url             TEXT    NOT NULL,
  scope_id        BIGINT,           -- only events of this scope, which may have ended
  actions         TEXT    NOT NULL,
  format          TEXT    NOT NULL CHECK (format IN ('standard', 'slack')),
  enabled         BOOLEAN NOT NULL,
  secret          TEXT    NOT NULL,
  former_secret   TEXT    NOT NULL,
  former_until    BIGINT,           -- until then messages are signed with the former secret too
  failures        BIGINT  NOT NULL, -- in a row, of the receiver as a whole
  failing_since   BIGINT,
  retry_at        BIGINT,
  last_error      TEXT    NOT NULL,
  version         BIGINT  NOT NULL,
  created_at      BIGINT  NOT NULL,
  updated_at      BIGINT  NOT NULL
);
CREATE UNIQUE INDEX webhooks_by_name ON webhooks (name);
CREATE VIEW named_webhooks AS
SELECT w.*, CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = w.scope_id), '') AS TEXT) AS scope_name
FROM webhooks w;

-- How far the events of each chain have been given to the webhooks.
CREATE TABLE webhook_feed (
  chain_id INTEGER PRIMARY KEY,
  seq      BIGINT NOT NULL
);

-- One event for one webhook. A key rises with the event's place, so those of an object are in its order.
CREATE TABLE deliveries (
  id         INTEGER PRIMARY KEY,
  webhook_id BIGINT NOT NULL REFERENCES webhooks (id),
  event_id   BIGINT NOT NULL,
  object_id  BIGINT NOT NULL,
  action     TEXT   NOT NULL,
  state      TEXT   NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
  attempts   BIGINT NOT NULL,
  status     BIGINT NOT NULL, -- what the receiver answered last, 0 for nothing
  error      TEXT   NOT NULL,
  retry_at   BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at   BIGINT
);
CREATE UNIQUE INDEX deliveries_by_event ON deliveries (webhook_id, event_id);
CREATE INDEX deliveries_waiting ON deliveries (webhook_id, retry_at, id) WHERE state = 'waiting';
CREATE INDEX deliveries_in_order ON deliveries (webhook_id, object_id, id) WHERE state = 'waiting';
CREATE INDEX deliveries_by_age ON deliveries (created_at) WHERE state = 'waiting';
CREATE INDEX deliveries_by_state ON deliveries (webhook_id, state, id);
CREATE INDEX deliveries_by_end ON deliveries (state, ended_at) WHERE ended_at IS NOT NULL;
