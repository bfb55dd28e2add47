package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestToolsLeaveNothingAtAMisspeltPath(t *testing.T) {
	p := place{dir: t.TempDir()}
	wrong := "--database-url=sqlite://" + filepath.Join(p.dir, "typo", "cloudpam.db")
	for _, args := range [][]string{
		{"verify"}, {"token", "list"}, {"token", "create", "ci", "--role", "admin"}, {"token", "revoke", "token_x"}, {"migrate", "status"}, {"migrate", "stamp", "1"}, {"backup", "b.db"},
	} {
		if _, said := p.want(t, 1, append(args, wrong)...); !strings.Contains(said, "there is no database at "+filepath.Join(p.dir, "typo", "cloudpam.db")) {
			t.Errorf("%v: it says %q", args, said)
		}
	}
	if left, err := os.ReadDir(p.dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestVerifyNamesGuardsThatAreGoneAndServeIsRefused(t *testing.T) {
	p := place{dir: t.TempDir()}
	_, _, stop := p.serve(t)
	stop()
	alter(t, p.database(), "DROP TRIGGER events_are_final_on_delete")
	if out, _ := p.want(t, 3, "verify"); !strings.Contains(out, "schema: events_are_final_on_delete is missing") {
		t.Errorf("verify says %q", out)
	}
	if _, said := p.want(t, 1, "serve"); !strings.Contains(said, "events_are_final_on_delete is missing") || !strings.Contains(said, "cloudpam restore FILE") {
		t.Errorf("serve says %q", said)
	}
}

// alter works on a database past the program.
func alter(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}
