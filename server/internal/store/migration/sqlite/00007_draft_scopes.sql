-- +goose Up
-- A draft is a scope that only a plan knows: drafts of pools may stand in it, but nobody else sees it.
ALTER TABLE scopes ADD COLUMN draft_until BIGINT;
