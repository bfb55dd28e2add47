package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// documented are the commands of a section of docs/operations.md, block by block.
func documented(t *testing.T, section string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n### "+section+"\n")
	if !found {
		t.Fatalf("there is no section %s", section)
	}
	after, _, _ = strings.Cut(after, "\n## ")
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(after, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// The commands are run as they are written, but for where the server and the backups are. The role is no superuser, as it should be.
func TestTheDocumentedBackupOfPostgreSQLIsRestoredAsDocumented(t *testing.T) {
	storetest.NeedPostgres(t)
	blocks := documented(t, "PostgreSQL")
	if len(blocks) != 2 {
		t.Fatalf("the section has %d blocks of commands; one makes a backup, and one restores it", len(blocks))
	}
	backup, restore := blocks[0], blocks[1]
	restore, last := strings.CutSuffix(restore, "cloudpam serve\n")
	if !last {
		t.Fatal("the last command does not start a server")
	}
	admin, stop, err := storetest.StartPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	for _, statement := range []string{"CREATE ROLE postgres SUPERUSER LOGIN", "CREATE ROLE ipam LOGIN", "CREATE DATABASE ipam OWNER ipam"} {
		if err := storetest.Exec(admin, statement); err != nil {
			t.Fatal(err)
		}
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	place := func(user, database string) string {
		return fmt.Sprintf("postgres://%s@/%s?%s", user, database, u.RawQuery)
	}
	p := onPostgres{t: t, dir: t.TempDir(), backups: t.TempDir(), place: place}
	p.wrap()

	address, secret, end := p.serve(place("ipam", "ipam") + "&statement_timeout=30s")
	allocate(t, address, secret, 0, 20)
	p.run(strings.ReplaceAll(backup, "/cloudpam\n", "/ipam\n"))
	allocate(t, address, secret, 20, 30)
	end()

	p.run(restore)
	address, _, end = p.serve(place("ipam", "cloudpam_restored"))
	defer end()
	if n := allocations(t, address, secret); n != 20 {
		t.Errorf("%d allocations are restored, of 20", n)
	}
	if code, body := ask(t, "POST", "http://"+address+"/api/v1/allocations", secret, `{"pool":"p","name":"twice","cidr":"10.0.0.0/28"}`); code != http.StatusConflict {
		t.Errorf("a block that is taken is answered with %d %s", code, body)
	}
	allocate(t, address, secret, 100, 105)
}

// onPostgres runs what is documented on a machine that is a little different.
type onPostgres struct {
	t            *testing.T
	dir, backups string
	place        func(user, database string) string
}

// wrap makes a program cloudpam of this one.
func (p onPostgres) wrap() {
	p.t.Helper()
	script := "#!/bin/sh\nRUN_AS_CLOUDPAM=1 exec " + os.Args[0] + ` "$@"` + "\n"
	if err := os.WriteFile(filepath.Join(p.dir, "cloudpam"), []byte(script), 0o700); err != nil {
		p.t.Fatal(err)
	}
}

var onLocalhost = regexp.MustCompile(`postgres://(\w+)@localhost/(\w+)`)

// run runs commands, of which each must do well.
func (p onPostgres) run(commands string) {
	p.t.Helper()
	commands = onLocalhost.ReplaceAllStringFunc(commands, func(at string) string {
		m := onLocalhost.FindStringSubmatch(at)
		return "'" + p.place(strings.Replace(m[1], "cloudpam", "ipam", 1), m[2]) + "'"
	})
	commands = strings.NewReplacer("/backup/", p.backups+"/", "--owner=cloudpam", "--owner=ipam").Replace(commands)
	c := exec.Command("sh", "-eux", "-c", commands)
	c.Dir = p.dir
	c.Env = []string{"PATH=" + p.dir + ":" + storetest.Programs(p.t) + ":" + os.Getenv("PATH"), "HOME=" + p.dir}
	out, err := c.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(commands, "cloudpam verify") && !strings.Contains(string(out), "no differences") {
		p.t.Errorf("verify says\n%s", out)
	}
}

// serve starts a server on a database.
func (p onPostgres) serve(database string) (address, secret string, end func()) {
	p.t.Helper()
	secret = "cpam_restored_0123456789abcdefghijklmnopqrstuv"
	s := place{p.dir, []string{"CLOUDPAM_DATABASE_URL=" + database, "CLOUDPAM_BOOTSTRAP_TOKEN=" + secret}}
	address, _, end = s.serve(p.t)
	return address, secret, end
}
