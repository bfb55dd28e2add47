package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// Rows of which one in a hundred is what a sweep looks for: it has a time, or an early one.
const (
	many   = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
	seldom = "CASE WHEN i % 100 = 0 THEN 5 END"
	early  = "CASE WHEN i % 100 = 0 THEN 5 ELSE 1000 + i END"
)

var crowded = []string{
	"INSERT INTO scopes (id, name, description, labels, version, space_revision, created_at, updated_at, draft_until) " + many +
		"SELECT i, 's' || i, '', '{}', 1, 1, 0, 0, " + seldom + " FROM n",
	"INSERT INTO pools (id, scope_id, name, parent_id, family, first_ip, length, strategy, description, owner, account, region, environment, labels," +
		" deletion_protection, version, space_revision, draft_holder, draft_run, draft_named, draft_encloses, created_at, updated_at, draft_until) " + many +
		"SELECT i, 1, 'p' || i, NULL, 4, $1, 8, 'best_fit', '', '', '', '', '', '{}', FALSE, 1, 1, '', '', FALSE, FALSE, 0, 0, " + seldom + " FROM n",
	"INSERT INTO reservations (id, scope_id, pool_id, name, family, first_ip, length, reason, owner, labels, expires_at, version, created_at, updated_at) " + many +
		"SELECT i, 1, i, '', 4, $1, 24, '', '', '{}', " + seldom + ", 1, 0, 0 FROM n",
	"INSERT INTO holds (id, scope_id, pool_id, name, family, first_ip, length, principal_id, holder, run, named, replaces, inherits, kept, expires_at, created_at, renewed_at) " + many +
		"SELECT i, 1, i, 'n', 4, $1, 24, 1, '', '', FALSE, '', FALSE, TRUE, " + early + ", 0, 0 FROM n",
	"INSERT INTO promises (space_id, kind, name, length, plan_id, first_ip, promised_at) " + many + "SELECT i, 'hold', 'n', 24, '', $1, " + early + " FROM n",
	"INSERT INTO last_blocks (space_id, kind, name, length, first_ip, left_at) " + many + "SELECT i, 'allocation', 'n', 24, $1, " + early + " FROM n",
	"INSERT INTO former_names (kind, scope_id, name, object_id, left_at) " + many + "SELECT 'pool', 1, 'n' || i, i, " + early + " FROM n",
	"INSERT INTO idempotency_keys (id, digest, fingerprint, answer, refused, created_at) " + many + "SELECT i, CAST('k' || i AS BYTES), $1, '', FALSE, " + early + " FROM n",
}

// What runs every hour costs what there is to do, not what there is.
func TestASweepReadsAnIndexOfTimes(t *testing.T) {
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			at := url(t)
			storetest.Open(t, at)
			db := handle(t, at)
			for _, fill := range crowded {
				args := []any{make([]byte, 16)}
				if !strings.Contains(fill, "$1") {
					args = nil
				}
				fill = strings.ReplaceAll(fill, "BYTES", map[string]string{"sqlite": "BLOB", "postgres": "BYTEA"}[engine])
				if _, err := db.ExecContext(t.Context(), fill, args...); err != nil {
					t.Fatalf("%s: %v", fill, err)
				}
			}
			if engine == "postgres" { // which does that by itself, in time; SQLite never does
				if _, err := db.ExecContext(t.Context(), "ANALYZE"); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range []struct{ file, query, index string }{
				{"reservation", "ExpiredReservations", "reservations_by_age"},
				{"hold", "StaleDrafts", "pools_by_draft_age"},
				{"scope", "StaleScopeDrafts", "scopes_by_draft_age"},
				{"hold", "StaleHolds", "holds_by_age"},
				{"promise", "ForgetPromises", "promises_by_age"},
				{"prefix", "ForgetLastBlocks", "last_blocks_by_age"},
				{"pool", "ForgetNames", "former_names_by_age"},
				{"server", "ForgetAnswers", "idempotency_keys_pkey"},
			} {
				if engine == "sqlite" && strings.HasSuffix(c.index, "_pkey") {
					c.index = "USING INTEGER PRIMARY KEY"
				}
				plan := planOf(t, db, engine, statement(t, c.file, c.query))
				if !strings.Contains(plan, c.index) {
					t.Errorf("%s does not use %s:\n%s", c.query, c.index, plan)
				}
			}
		})
	}
}

// statement reads a query from its file, with values for what it is given.
func statement(t *testing.T, file, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("query", file+".sql"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "-- name: "+name+" :")
	_, body, more := strings.Cut(rest, "\n")
	body, _, end := strings.Cut(body, ";")
	if !found || !more || !end {
		t.Fatalf("there is no query %s in %s.sql", name, file)
	}
	return regexp.MustCompile(`\$\d+|@\w+`).ReplaceAllString(body, "50")
}

func planOf(t *testing.T, db *sql.DB, engine, statement string) string {
	t.Helper()
	explain := map[string]string{"sqlite": "EXPLAIN QUERY PLAN ", "postgres": "EXPLAIN "}[engine]
	found, err := db.QueryContext(t.Context(), explain+statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer found.Close()
	var plan strings.Builder
	for found.Next() {
		var line string
		into := []any{&line}
		if engine == "sqlite" {
			var skip [3]int
			into = []any{&skip[0], &skip[1], &skip[2], &line}
		}
		if err := found.Scan(into...); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
