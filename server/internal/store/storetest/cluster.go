package storetest

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
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
	bin, err := programs()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "cloudpam-pg-")
	if err != nil {
		return "", nil, err
	}
	attributes, err := unprivileged(dir)
	if err != nil {
		return "", nil, err
	}
	command := func(name string, args ...string) error {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.Dir, c.SysProcAttr = dir, attributes
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", name, err, out)
		}
		return nil
	}
	data := filepath.Join(dir, "data")
	stop = func() {
		_ = command("pg_ctl", "-D", data, "-m", "immediate", "stop")
		_ = os.RemoveAll(dir)
	}
	if err := command("initdb", "-D", data, "-U", "cloudpam", "--auth=trust", "--encoding=UTF8", "--no-sync"); err != nil {
		stop()
		return "", nil, err
	}
	// A Unix socket in a directory of our own: no port to collide on, and nobody else can reach it.
	// pg_ctl would hand its pipes to the server and never see them close, hence the log file.
	// The cluster outlives every crash that tests make, so it need not flush. All suites at once may be its clients.
	options := "-c fsync=off -c full_page_writes=off -c listen_addresses= -c max_connections=400 -c shared_buffers=128MB -k " + dir
	if err := command("pg_ctl", "-D", data, "-w", "-t", "600", "-l", filepath.Join(dir, "log"), "-o", options, "start"); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		stop()
		return "", nil, fmt.Errorf("%w%s", err, log)
	}
	return "postgres://cloudpam@/postgres?host=" + url.QueryEscape(dir), stop, nil
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
