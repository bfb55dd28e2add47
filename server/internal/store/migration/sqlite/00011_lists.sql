-- +goose Up
-- What people find allocations by besides pool and address: the begin of a name, who has them, and the account they are for.
CREATE INDEX allocations_by_text ON allocations (lower(name), scope_id);
CREATE INDEX allocations_by_owner ON allocations (owner, id) WHERE owner <> '';
CREATE INDEX allocations_by_account ON allocations (account, id) WHERE account <> '';
