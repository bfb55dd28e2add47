package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestToolsLeaveNothingAtAMisspeltPath(t *testing.T) {
	p := place{t.TempDir()}
	wrong := "--database-url=sqlite://" + filepath.Join(p.dir, "typo", "cloudpam.db")
	for _, args := range [][]string{
		{"verify"}, {"token", "list"}, {"token", "create", "ci"}, {"token", "revoke", "token_x"}, {"migrate", "status"}, {"migrate", "stamp", "1"},
	} {
		if _, said := p.want(t, 1, append(args, wrong)...); !strings.Contains(said, "there is no database at "+filepath.Join(p.dir, "typo", "cloudpam.db")) {
			t.Errorf("%v: it says %q", args, said)
		}
	}
	if left, err := os.ReadDir(p.dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
