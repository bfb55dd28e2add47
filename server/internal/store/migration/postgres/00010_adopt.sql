-- +goose Up
-- What is observed, by the name that its cloud gives it.
CREATE INDEX observations_by_cloud_id ON observations (cloud_id, id);
