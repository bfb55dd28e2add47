// Package storetest gives tests real databases of both engines: SQLite files, and a PostgreSQL cluster of the test's own.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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

// Engines gives for each engine a function that makes the URL of a fresh, empty database.
func Engines(testing.TB) map[string]func(testing.TB) string {
	return map[string]func(testing.TB) string{"sqlite": SQLite, "postgres": Postgres}
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

// SQLite is the URL of a fresh file.
func SQLite(t testing.TB) string {
	return "sqlite://" + filepath.Join(t.TempDir(), "cloudpam.db")
}

var databases atomic.Int64

// Postgres is the URL of a fresh database: in the cluster of CLOUDPAM_TEST_POSTGRES_URL, or in one of this process.
func Postgres(t testing.TB) string {
	t.Helper()
	admin, err := cluster()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v\nInstall Debian's postgresql package, or set CLOUDPAM_TEST_POSTGRES_URL.", err)
	}
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprintf("cloudpam_test_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db, err := sql.Open("pgx", admin)
		if err != nil {
			t.Error(err)
			return
		}
		defer db.Close()
		if _, err := db.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

var running struct {
	once sync.Once
	url  string
	err  error
	stop func()
}

// Main runs a package's tests, then stops the cluster that they started and runs the package's own clean-up.
func Main(m *testing.M, cleanUp ...func()) {
	code := m.Run()
	for _, clean := range cleanUp {
		clean()
	}
	if running.stop != nil {
		running.stop()
	}
	os.Exit(code)
}

// cluster starts PostgreSQL once in this process.
func cluster() (string, error) {
	running.once.Do(func() {
		if given := os.Getenv("CLOUDPAM_TEST_POSTGRES_URL"); given != "" {
			running.url = given
			return
		}
		running.url, running.stop, running.err = startCluster()
	})
	return running.url, running.err
}

// instance is a PostgreSQL of the test's own, in a folder of its own.
type instance struct {
	bin, dir   string
	attributes *syscall.SysProcAttr
}

func newInstance() (*instance, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "cloudpam-pg-")
	if err != nil {
		return nil, err
	}
	attributes, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	return &instance{bin: bin, dir: dir, attributes: attributes}, nil
}

func (i *instance) run(name string, args ...string) error {
	c := exec.Command(filepath.Join(i.bin, name), args...)
	c.Dir, c.SysProcAttr = i.dir, i.attributes
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

func (i *instance) data() string { return filepath.Join(i.dir, "data") }

func (i *instance) initialize() error {
	return i.run("initdb", "-D", i.data(), "-U", "cloudpam", "--auth=trust", "--encoding=UTF8", "--no-sync")
}

// start listens on a Unix socket in a directory of its own: no port to collide on, and nobody else can reach it. pg_ctl would
// hand its pipes to the server and never see them close, hence the log file. The cluster outlives every crash that tests
// make, so it need not flush.
func (i *instance) start() error {
	options := "-c fsync=off -c listen_addresses= -c max_connections=120 -c shared_buffers=64MB -k " + i.dir
	return i.run("pg_ctl", "-D", i.data(), "-w", "-t", "60", "-l", filepath.Join(i.dir, "log"), "-o", options, "start")
}

func (i *instance) stop() {
	_ = i.run("pg_ctl", "-D", i.data(), "-m", "immediate", "stop")
	_ = os.RemoveAll(i.dir)
}

func (i *instance) url(database string) string {
	return "postgres://cloudpam@/" + database + "?host=" + url.QueryEscape(i.dir)
}

func startCluster() (string, func(), error) {
	i, err := newInstance()
	if err != nil {
		return "", nil, err
	}
	if err := errors.Join(i.initialize(), i.start()); err != nil {
		return "", nil, err
	}
	return i.url("postgres"), i.stop, nil
}

// programs finds the newest installed PostgreSQL.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path) // the other programs are where it is
		return filepath.Dir(path), err
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", fmt.Errorf("initdb is not installed")
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) < version(found[j]) })
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged makes commands run as another user when the test runs as root, which PostgreSQL refuses.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	attributes := &syscall.SysProcAttr{}
	if os.Geteuid() != 0 {
		return attributes, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, os.Chown(dir, uid, gid)
}

// Exec runs a statement beside a server on the database of a URL, in SQL that both engines know: for rows to age, which no
// request makes them.
func Exec(database, statement string, args ...any) error {
	driver, source := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite://"); ok {
		driver, source = "sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return fmt.Errorf("open %s: %w", driver, err)
	}
	defer db.Close()
	if _, err := db.Exec(statement, args...); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// Value asks a database for one value, as hands next to a server would.
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
