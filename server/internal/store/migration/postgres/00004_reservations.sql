-- +goose Up
-- A block that is kept out of use. A prefix of kind reservation owned by it takes the space; expired, it keeps it until the
-- space is needed.
CREATE TABLE reservations (
  id         TEXT COLLATE "C" PRIMARY KEY,
  scope_id   TEXT COLLATE "C" NOT NULL REFERENCES scopes (id),
  pool_id    TEXT COLLATE "C" NOT NULL REFERENCES pools (id),
  cidr       TEXT   NOT NULL,
  family     BIGINT NOT NULL,
  first_ip   BYTEA  NOT NULL,
  last_ip    BYTEA  NOT NULL,
  length     BIGINT NOT NULL,
  reason     TEXT   NOT NULL,
  owner      TEXT   NOT NULL,
  labels     TEXT   NOT NULL,
  expires_at BIGINT,
  version    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX reservations_by_pool ON reservations (pool_id, id);
CREATE INDEX reservations_by_address ON reservations (family, first_ip, length);
CREATE INDEX reservations_by_expiry ON reservations (pool_id, expires_at);
