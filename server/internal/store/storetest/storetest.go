// Package storetest gives tests real databases of both engines: SQLite files, and databases in a PostgreSQL cluster that
// .ci/test.sh has started for all suites, or that the package's own tests start.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // reaches the cluster to create databases in it

	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Each runs a test once for each engine, on a fresh and migrated database.
func Each(t *testing.T, body func(t *testing.T, db *store.DB)) {
	t.Helper()
	for name, url := range Engines(t) {
		t.Run(name, func(t *testing.T) { body(t, Open(t, url(t))) })
	}
}

// Engines gives for each engine a function that makes the URL of a fresh and migrated database.
func Engines(testing.TB) map[string]func(testing.TB) string {
	return chosen(SQLite, Postgres)
}

// Empty gives for each engine a function that makes the URL of a database with nothing in it: for tests of migrations.
func Empty(testing.TB) map[string]func(testing.TB) string {
	return chosen(emptySQLite, emptyPostgres)
}

// Open opens a database, migrated and started, until the test ends.
func Open(t testing.TB, url string) *store.DB {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(ctx, "test"); err != nil {
		t.Fatal(err)
	}
	if err := db.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return db
}

// Main runs a package's tests, then the package's own clean-up, and removes what the tests have left.
func Main(m *testing.M, cleanUp ...func()) {
	left, err := leftOut(os.Getenv("CLOUDPAM_TEST_ENGINES"), os.Getenv("CI"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if left != "" {
		fmt.Fprintln(os.Stderr, left)
	}
	code := m.Run()
	for _, clean := range append(cleanUp, removeTemplates, stopCluster) {
		clean()
	}
	os.Exit(code)
}

// leftOut says which tests CLOUDPAM_TEST_ENGINES leaves out, in one line: nothing is skipped in silence, and nothing in CI.
func leftOut(engines, ci string) (string, error) {
	switch {
	case engines == "" || engines == "all":
		return "", nil
	case engines != "sqlite":
		return "", fmt.Errorf("CLOUDPAM_TEST_ENGINES is all, the default, or sqlite, not %q", engines)
	case ci == "true":
		return "", fmt.Errorf("CLOUDPAM_TEST_ENGINES=%s leaves tests out, which CI never does", engines)
	}
	return "CLOUDPAM_TEST_ENGINES=sqlite: every test on PostgreSQL is left out", nil
}

func withPostgres() bool { return os.Getenv("CLOUDPAM_TEST_ENGINES") != "sqlite" }

func chosen(sqlite, postgres func(testing.TB) string) map[string]func(testing.TB) string {
	engines := map[string]func(testing.TB) string{"sqlite": sqlite}
	if withPostgres() {
		engines["postgres"] = postgres
	}
	return engines
}

// NeedPostgres leaves a test out where CLOUDPAM_TEST_ENGINES says that there is no PostgreSQL.
func NeedPostgres(t testing.TB) {
	t.Helper()
	if !withPostgres() {
		t.Skip("CLOUDPAM_TEST_ENGINES=sqlite")
	}
}

// Exec runs a statement next to a server on the database of a URL, in SQL that both engines know: for rows to age, which no
// request makes them.
func Exec(database, statement string, args ...any) error {
	db, err := open(database)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Exec(statement, args...); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// open opens the database of a URL next to a server.
func open(database string) (*sql.DB, error) {
	driver, source := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite://"); ok {
		driver, source = "sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(600000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", driver, err)
	}
	return db, nil
}

// Value asks a PostgreSQL database for one value, as hands next to a server would.
func Value(t testing.TB, database, query string, args ...any) (value string) {
	t.Helper()
	db, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}
