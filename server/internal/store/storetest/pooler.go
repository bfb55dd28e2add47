package storetest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Pooler starts PgBouncer in front of a database, in transaction mode and as it is set by default, and gives the URL through
// it. It has fewer connections than its clients, so that their transactions meet those of others.
func Pooler(t testing.TB, database string) string {
	t.Helper()
	program := "/usr/sbin/pgbouncer"
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		program = path
	}
	u, err := url.Parse(database)
	if err != nil || u.Query().Get("host") == "" {
		t.Fatalf("%s is not on a Unix socket: %v", database, err)
	}
	dir, err := os.MkdirTemp("", "cloudpam-pgb-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	attributes, err := unprivileged(dir)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	settings := fmt.Sprintf(`[databases]
%s = host=%s port=5432 dbname=%s
[pgbouncer]
listen_port = 5432
unix_socket_dir = %s
auth_type = trust
auth_file = %s/users
pool_mode = transaction
default_pool_size = 5
max_client_conn = 100
logfile = %s/log
`, name, u.Query().Get("host"), name, dir, dir, dir)
	for file, text := range map[string]string{"ini": settings, "users": `"` + u.User.Username() + `" ""` + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(program, filepath.Join(dir, "ini"))
	command.SysProcAttr, command.Dir = attributes, dir
	if err := command.Start(); err != nil {
		t.Fatalf("PgBouncer for tests: %v\nInstall Debian's pgbouncer package.", err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-ended
	})
	limit := time.Now().Add(time.Minute)
	for {
		conn, err := net.Dial("unix", filepath.Join(dir, ".s.PGSQL.5432"))
		if err == nil {
			_ = conn.Close()
			return "postgres://" + u.User.String() + "@" + u.Path + "?host=" + url.QueryEscape(dir)
		}
		if time.Now().After(limit) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Fatalf("PgBouncer does not start: %v\n%s", err, log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
