package acctest

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

var databases atomic.Int64

// StartOnPostgres is Start on a PostgreSQL cluster of this test binary's own, or on that of CLOUDPAM_TEST_POSTGRES_URL.
func StartOnPostgres(t testing.TB, settings ...string) *Server {
	t.Helper()
	postgres.once.Do(postgres.start)
	if postgres.err != nil {
		t.Fatalf("PostgreSQL for tests: %v\nInstall Debian's postgresql package, or set CLOUDPAM_TEST_POSTGRES_URL.", postgres.err)
	}
	database, err := url.Parse(postgres.url)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("cloudpam_acctest_%d_%d", os.Getpid(), databases.Add(1))
	psql(t, postgres.url, "CREATE DATABASE "+name)
	t.Cleanup(func() { psql(t, postgres.url, "DROP DATABASE "+name+" WITH (FORCE)") })
	database.Path = "/" + name
	return Start(t, append(settings, "CLOUDPAM_DATABASE_URL="+database.String())...)
}

func psql(t testing.TB, database, statement string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(postgres.bin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, database)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("psql %s: %v\n%s", statement, err, out)
	}
}

// postgres is the cluster of this test binary, started when the first test needs it.
var postgres cluster

type cluster struct {
	once sync.Once
	bin  string // where the programs are
	dir  string
	user *syscall.SysProcAttr
	url  string
	err  error
}

func (c *cluster) start() {
	if c.bin, c.err = programs(); c.err != nil {
		return
	}
	if c.url = os.Getenv("CLOUDPAM_TEST_POSTGRES_URL"); c.url != "" {
		return
	}
	if c.dir, c.err = os.MkdirTemp("", "cloudpam-pg-"); c.err != nil {
		return
	}
	if c.user, c.err = unprivileged(c.dir); c.err != nil {
		return
	}
	if c.err = c.run("initdb", "-D", c.data(), "-U", "cloudpam", "--auth=trust", "--encoding=UTF8", "--no-sync"); c.err != nil {
		return
	}
	// A Unix socket in a directory of our own: no port to collide on, and nobody else can reach it.
	// pg_ctl would hand its pipes to the server and never see them close, hence the log file.
	options := "-c fsync=off -c listen_addresses= -c max_connections=120 -k " + c.dir
	c.err = c.run("pg_ctl", "-D", c.data(), "-w", "-t", "30", "-l", filepath.Join(c.dir, "log"), "-o", options, "start")
	c.url = "postgres://cloudpam@/postgres?host=" + url.QueryEscape(c.dir)
}

func (c *cluster) stop() {
	if c.dir == "" {
		return
	}
	_ = c.run("pg_ctl", "-D", c.data(), "-m", "immediate", "stop")
	_ = os.RemoveAll(c.dir)
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) run(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = c.dir, c.user
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// programs finds PostgreSQL where PATH leads, or where Debian puts it.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil { // psql stands beside the real one
			return filepath.Dir(path), nil
		}
	}
	newest, best := "", 0
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, path := range found {
		if n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))); n > best {
			newest, best = filepath.Dir(path), n
		}
	}
	if newest == "" {
		return "", fmt.Errorf("initdb is not installed")
	}
	return newest, nil
}

// unprivileged makes commands run as another user when the test runs as root, which PostgreSQL refuses.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}
