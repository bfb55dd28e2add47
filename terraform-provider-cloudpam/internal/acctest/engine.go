package acctest

import (
	"database/sql"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the engine of a server that is not told otherwise
)

// Engines runs a test once on each database: start starts a server on an empty one.
func Engines(t *testing.T, body func(t *testing.T, start func(testing.TB, ...string) *Server)) {
	t.Helper()
	for name, start := range map[string]func(testing.TB, ...string) *Server{"sqlite": Start, "postgres": StartOnPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body(t, start)
		})
	}
}

// SQL changes the server's database behind its back, as the passing of time does.
func (s *Server) SQL(t testing.TB, statement string) {
	t.Helper()
	url := s.setting("CLOUDPAM_DATABASE_URL")
	file, ok := strings.CutPrefix(url, "sqlite://")
	if !ok {
		psql(t, url, statement)
		return
	}
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}
