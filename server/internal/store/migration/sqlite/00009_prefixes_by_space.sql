-- +goose Up
-- Without the family in it, SQLite took prefixes_by_address for what is below an address in a space, in the overlap
-- triggers too, and walked down through the prefixes of all other spaces.
DROP INDEX prefixes_by_space;
CREATE INDEX prefixes_by_space ON prefixes (space_id, family, first_ip, length);
