-- +goose Up
-- The hourly sweeps look for what has expired in all pools: among reservations and pools, most of which never do.
CREATE INDEX reservations_by_age ON reservations (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX pools_by_draft_age ON pools (draft_until) WHERE draft_until IS NOT NULL;
CREATE INDEX scopes_by_draft_age ON scopes (draft_until) WHERE draft_until IS NOT NULL;
