-- +goose Up
CREATE INDEX holds_by_address ON holds (family, first_ip, length);
