package storetest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

var running struct {
	once sync.Once
	url  string
	err  error
	stop func()
}

// cluster is the one of CLOUDPAM_TEST_POSTGRES_URL, or one that this process starts when it is first asked.
func cluster() (string, error) {
	running.once.Do(func() {
		if running.url = os.Getenv("CLOUDPAM_TEST_POSTGRES_URL"); running.url == "" {
			running.url, running.stop, running.err = StartPostgres()
		}
	})
	return running.url, running.err
}

func stopCluster() {
	if running.stop != nil {
		running.stop()
	}
}

// StartPostgres starts an empty PostgreSQL cluster, which stop ends and removes.
func StartPostgres() (address string, stop func(), err error) {
	i, err := newInstance()
	if err != nil {
		return "", nil, err
	}
	if err := errors.Join(i.initialize(), i.start()); err != nil {
		i.stop()
		return "", nil, err
	}
	return i.url("postgres"), i.stop, nil
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
	dir, err := os.MkdirTemp(memory(), "cloudpam-pg-")
	if err != nil {
		return nil, err
	}
	attributes, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	return &instance{bin: bin, dir: dir, attributes: attributes}, nil
}

// memory is a folder that is kept in memory, where there is one with room; "" elsewhere. Each test has a database of its own, and that is
// hundreds of files: on a disk, to make them takes longer than most tests.
func memory() string {
	const folder, least = "/dev/shm", 4 << 30
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil || s.Bavail*uint64(s.Bsize) < least {
		return ""
	}
	return folder
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
// make, so it need not flush. All suites at once may be its clients.
func (i *instance) start() error {
	options := "-c fsync=off -c full_page_writes=off -c listen_addresses= -c max_connections=400 -c shared_buffers=128MB -k " + i.dir
	log := filepath.Join(i.dir, "log")
	err := i.run("pg_ctl", "-D", i.data(), "-w", "-t", "600", "-l", log, "-o", options, "start")
	if err != nil {
		text, _ := os.ReadFile(log)
		return fmt.Errorf("%w%s", err, text)
	}
	return nil
}

func (i *instance) stop() {
	_ = i.run("pg_ctl", "-D", i.data(), "-m", "immediate", "stop")
	_ = os.RemoveAll(i.dir)
}

func (i *instance) url(database string) string {
	return "postgres://cloudpam@/" + database + "?host=" + url.QueryEscape(i.dir)
}

// Programs is the folder of PostgreSQL's programs.
func Programs(t testing.TB) string {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// programs finds PostgreSQL where PATH leads, or the newest where Debian puts it.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		// A link may lead to one program alone; the others are next to the real one.
		if path, err = filepath.EvalSymlinks(path); err == nil {
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
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, uid, gid)
}
