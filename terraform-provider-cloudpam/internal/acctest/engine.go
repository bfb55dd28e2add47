package acctest

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the engine of a server that is not told otherwise
)

// Engines runs a test once on each database: start starts a server on an empty one.
func Engines(t *testing.T, body func(t *testing.T, start func(testing.TB, ...string) *Server)) {
	t.Helper()
	engines := map[string]func(testing.TB, ...string) *Server{"sqlite": Start}
	if withPostgres() {
		engines["postgres"] = StartOnPostgres
	}
	for name, start := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body(t, start)
		})
	}
}

// checkEngines reads CLOUDPAM_TEST_ENGINES as the server's tests do: all, the default, or sqlite where there is no PostgreSQL.
// Nothing is left out in silence, and nothing in CI.
func checkEngines() error {
	switch engines := os.Getenv("CLOUDPAM_TEST_ENGINES"); {
	case engines == "" || engines == "all":
	case engines != "sqlite":
		return fmt.Errorf("CLOUDPAM_TEST_ENGINES is all, the default, or sqlite, not %q", engines)
	case os.Getenv("CI") == "true":
		return fmt.Errorf("CLOUDPAM_TEST_ENGINES=%s leaves tests out, which CI never does", engines)
	default:
		fmt.Fprintln(os.Stderr, "CLOUDPAM_TEST_ENGINES=sqlite: every test on PostgreSQL is left out")
	}
	return nil
}

func withPostgres() bool { return os.Getenv("CLOUDPAM_TEST_ENGINES") != "sqlite" }

// SQL changes the server's database behind its back, as the passing of time does.
func (s *Server) SQL(t testing.TB, statement string) {
	t.Helper()
	url := s.setting("CLOUDPAM_DATABASE_URL")
	file, ok := strings.CutPrefix(url, "sqlite://")
	if !ok {
		psql(t, url, statement)
		return
	}
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(600000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}
