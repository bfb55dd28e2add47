package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// The commands are run as docs/operations.md has them, but for where the databases are.
func TestAServerMovesToPostgreSQLAndBackAsDocumented(t *testing.T) {
	storetest.NeedPostgres(t)
	docs, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(docs), "\n## From one engine to the other\n")
	block := regexp.MustCompile("(?s)```sh\n(.*?)```").FindStringSubmatch(section)
	if block == nil {
		t.Fatal("docs/operations.md shows no commands")
	}
	lite, large := place{dir: t.TempDir()}, storetest.Empty(t)["postgres"](t)
	postgres := place{lite.dir, []string{"CLOUDPAM_DATABASE_URL=" + large}}
	file := filepath.Join(lite.dir, "move.ndjson")
	move := func(from, to string) {
		t.Helper()
		for line := range strings.Lines(strings.NewReplacer("sqlite:///var/lib/cloudpam/cloudpam.db", from, "postgres://cloudpam@localhost/cloudpam", to, "/backup/move.ndjson", file).Replace(block[1])) {
			out, said := lite.want(t, 0, strings.Fields(line)[1:]...)
			if strings.Contains(line, " load ") && !strings.Contains(out, "no differences") {
				t.Errorf("%s says %s%s", line, out, said)
			}
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the dump is %v, %v", info, err)
		}
	}

	address, said, stop := lite.serve(t)
	secret := regexp.MustCompile(`cpam_[0-9a-z_]+`).FindString(said)
	allocate(t, address, secret, 0, 20)
	stop()
	move("sqlite://"+lite.database(), large)
	address, _, stop = postgres.serve(t)
	if n := allocations(t, address, secret); n != 20 {
		t.Errorf("%d allocations are on PostgreSQL, of 20", n)
	}
	if code, body := ask(t, "POST", "http://"+address+"/api/v1/allocations", secret, `{"pool":"p","name":"twice","cidr":"10.0.0.0/28"}`); code != http.StatusConflict {
		t.Errorf("a block that is taken is answered with %d %s", code, body)
	}
	allocate(t, address, secret, 20, 30)
	stop()
	if _, said := lite.want(t, 1, "dump", "--database-url", large, file); !strings.Contains(said, "name a file that is not") {
		t.Errorf("a second dump over the first says %s", said)
	}

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	back := place{dir: t.TempDir()}
	move(large, "sqlite://"+back.database())
	address, _, _ = back.serve(t)
	if n := allocations(t, address, secret); n != 30 {
		t.Errorf("%d allocations are back on SQLite, of 30", n)
	}
	if _, said := lite.want(t, 1, "load", "--database-url", large, file); !strings.Contains(said, "nothing was loaded: the database has been used") {
		t.Errorf("a load into what is used says %s", said)
	}
}
