package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// bare opens a database that is not migrated.
func bare(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// handle reaches a database past the store.
func handle(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, address := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, address = "sqlite", "file:"+path+"?_pragma=busy_timeout(600000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func rows(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	found, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var line string
		if err := found.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// A column reads: table, column, type, whether it may be null, its place. PostgreSQL's names are made SQLite's.
// What goose keeps for itself is not ours.
var columns = map[string]string{
	"sqlite": `SELECT m.name || '.' || c.name || ' ' || replace(lower(c.type), 'integer', 'bigint') || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN '' ELSE ' null' END || ' #' || c.cid
		FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'schema_migrations'`,
	"postgres": `SELECT table_name || '.' || column_name || ' ' || CASE data_type WHEN 'bytea' THEN 'blob' ELSE data_type END
		|| CASE is_nullable WHEN 'YES' THEN ' null' ELSE '' END || ' #' || (ordinal_position - 1)
		FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT IN ('schema_migrations', 'goose_lock')`,
}

// An index reads: table, name, uniqueness, whether it leaves rows out, columns in order with DESC where it is. A primary key has
// no name of ours, and that of one number is SQLite's table itself.
var indexes = map[string]string{
	"sqlite": `SELECT m.name || ' ' || CASE l.origin WHEN 'pk' THEN 'primary' ELSE l.name END || CASE l."unique" WHEN 1 THEN ' unique' ELSE '' END || CASE l.partial WHEN 1 THEN ' partial' ELSE '' END || ' ' ||
		(SELECT group_concat(x.name || CASE x."desc" WHEN 1 THEN ' desc' ELSE '' END, ',') FROM (SELECT * FROM pragma_index_xinfo(l.name) WHERE key = 1 ORDER BY seqno) x)
		FROM sqlite_master m JOIN pragma_index_list(m.name) l WHERE m.type = 'table' AND m.name <> 'schema_migrations'`,
	"postgres": `SELECT t.relname || ' ' || CASE WHEN i.indisprimary THEN 'primary' ELSE x.relname END || CASE WHEN i.indisunique THEN ' unique' ELSE '' END || CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END || ' ' ||
		(SELECT string_agg(a.attname || CASE WHEN i.indoption[k.n - 1] & 1 = 1 THEN ' desc' ELSE '' END, ',' ORDER BY k.n)
		 FROM unnest(i.indkey) WITH ORDINALITY k(col, n) JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.col WHERE k.n <= i.indnkeyatts)
		FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace s ON s.oid = t.relnamespace
		WHERE s.nspname = 'public' AND t.relname NOT IN ('schema_migrations', 'goose_lock') AND NOT i.indisexclusion
		AND NOT (i.indisprimary AND i.indnkeyatts = 1 AND (SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = i.indkey[0]) = 'bigint'::regtype)`,
}

func TestBothEnginesHaveTheSameSchema(t *testing.T) {
	storetest.NeedPostgres(t)
	found := map[string]map[string][]string{}
	for engine, url := range storetest.Empty(t) {
		at := url(t)
		if err := bare(t, at).Migrate(t.Context(), "test"); err != nil {
			t.Fatal(err)
		}
		db := handle(t, at)
		found[engine] = map[string][]string{"columns": rows(t, db, columns[engine]), "indexes": rows(t, db, indexes[engine])}
	}
	for what, least := range map[string]int{"columns": 100, "indexes": 20} {
		lite, pg := found["sqlite"][what], found["postgres"][what]
		if len(lite) < least {
			t.Errorf("only %d %s were compared", len(lite), what)
		}
		for _, line := range lite {
			if !slices.Contains(pg, line) {
				t.Errorf("only SQLite has %s: %s", what, line)
			}
		}
		for _, line := range pg {
			if !slices.Contains(lite, line) {
				t.Errorf("only PostgreSQL has %s: %s", what, line)
			}
		}
	}
}

func TestMigrate(t *testing.T) {
	for engine, url := range storetest.Empty(t) {
		t.Run(engine, func(t *testing.T) {
			at := url(t)
			db := bare(t, at)
			status := func() store.SchemaStatus {
				s, err := db.SchemaStatus(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			fresh := status()
			if fresh.Current != 0 || fresh.Target < 1 || len(fresh.Pending) == 0 || !strings.HasPrefix(fresh.Pending[len(fresh.Pending)-1], fmt.Sprintf("%05d_", fresh.Target)) || fresh.Newer() {
				t.Errorf("an empty database: %+v", fresh)
			}
			if err := db.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "cloudpam migrate up") {
				t.Errorf("a start before migrating: %v", err)
			}
			for range 2 { // a second time changes nothing
				if err := db.Migrate(t.Context(), "1.2.3"); err != nil {
					t.Fatal(err)
				}
			}
			if s := status(); s.Current != fresh.Target || len(s.Pending) != 0 {
				t.Errorf("after migrating: %+v", s)
			}
			info := rows(t, handle(t, at), "SELECT schema_version || ' ' || app_version FROM schema_info")
			if want := fmt.Sprint([]string{fmt.Sprint(fresh.Target, " 1.2.3")}); fmt.Sprint(info) != want {
				t.Errorf("schema_info = %v, want %s", info, want)
			}
		})
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	for engine, url := range storetest.Empty(t) {
		t.Run(engine, func(t *testing.T) {
			at := url(t)
			db := bare(t, at)
			if err := db.Migrate(t.Context(), "test"); err != nil {
				t.Fatal(err)
			}
			before := rows(t, handle(t, at), "SELECT schema_version || app_version FROM schema_info")
			if _, err := handle(t, at).Exec("INSERT INTO schema_migrations (version_id, is_applied) VALUES (999, true)"); err != nil {
				t.Fatal(err)
			}
			for name, err := range map[string]error{"migrate": db.Migrate(t.Context(), "older"), "start": db.Start(t.Context())} {
				if err == nil || !strings.Contains(err.Error(), "schema 999") || !strings.Contains(err.Error(), "newer CloudPAM") {
					t.Errorf("%s: %v", name, err)
				}
			}
			if after := rows(t, handle(t, at), "SELECT schema_version || app_version FROM schema_info"); !slices.Equal(after, before) {
				t.Errorf("schema_info = %v, was %v", after, before)
			}
		})
	}
}

func TestStampRecordsWithoutRunning(t *testing.T) {
	for engine, url := range storetest.Empty(t) {
		t.Run(engine, func(t *testing.T) {
			db := bare(t, url(t))
			if err := db.Migrate(t.Context(), "test"); err != nil {
				t.Fatal(err)
			}
			status, err := db.SchemaStatus(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, version := range []int64{0, -1, status.Target + 1} {
				if err := db.Stamp(t.Context(), version, "test"); err == nil {
					t.Errorf("schema %d was stamped", version)
				}
			}
			if err := db.Stamp(t.Context(), status.Target, "test"); err != nil {
				t.Errorf("stamp what is there: %v", err)
			}
		})
	}
	t.Run("a schema made by hand needs no migration after it", func(t *testing.T) {
		for engine, url := range storetest.Empty(t) {
			at := url(t)
			db := bare(t, at)
			if err := db.Migrate(t.Context(), "test"); err != nil {
				t.Fatal(err)
			}
			forget := "DELETE FROM schema_migrations WHERE version_id > 0"
			if _, err := handle(t, at).Exec(forget); err != nil {
				t.Fatal(err)
			}
			status, err := db.SchemaStatus(t.Context())
			if err != nil || status.Current != 0 {
				t.Fatal(status, err)
			}
			if err := db.Stamp(t.Context(), status.Target, "by hand"); err != nil {
				t.Fatal(engine, err)
			}
			if after, err := db.SchemaStatus(t.Context()); err != nil || len(after.Pending) != 0 || db.Start(t.Context()) != nil {
				t.Errorf("%s: %+v, %v", engine, after, err)
			}
		}
	})
}

func TestOldSQLiteIsRefused(t *testing.T) {
	for version, old := range map[string]bool{
		"3.51.3": false, "3.51.4": false, "3.54.1": false, "3.52.0": false, "4.0.0": false, "3.51.10": false, "3.100.0": false,
		"3.51.2": true, "3.50.9": true, "3.9.99": true, "2.99.99": true, "3.51": true, "3": true, "": true, "garbage": true,
	} {
		if got := store.OldSQLite(version); got != old {
			t.Errorf("SQLite %q is too old: %v, want %v", version, got, old)
		}
	}
}
