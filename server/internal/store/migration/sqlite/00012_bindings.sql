-- +goose Up
-- Bindings say who their principal is to his issuer.
DROP VIEW named_bindings;
CREATE VIEW named_bindings AS
SELECT b.*,
  CAST(COALESCE((SELECT w.kind || ':' || w.name FROM principals w WHERE w.id = b.principal_id), '') AS TEXT) AS actor,
  CAST(COALESCE((SELECT w.issuer FROM principals w WHERE w.id = b.principal_id), '') AS TEXT) AS issuer,
  CAST(COALESCE((SELECT w.subject FROM principals w WHERE w.id = b.principal_id), '') AS TEXT) AS subject,
  CAST(COALESCE((SELECT s.name FROM scopes s WHERE s.id = b.scope_id), '') AS TEXT) AS scope_name,
  CAST(COALESCE((SELECT p.name FROM pools p WHERE p.id = b.pool_id), '') AS TEXT) AS pool_name
FROM bindings b;
