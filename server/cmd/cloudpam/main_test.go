package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is the program when it is told so: the tests run what users run, signals and exit codes included.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_AS_CLOUDPAM") == "1" {
		main()
	}
	os.Exit(m.Run())
}

// place is a directory with a database in it, and the commands on that database.
type place struct {
	dir      string
	settings []string // more of the environment
}

func (p place) database() string { return filepath.Join(p.dir, "cloudpam.db") }

func (p place) command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Dir = p.dir
	c.Env = []string{"RUN_AS_CLOUDPAM=1", "PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "CLOUDPAM_DATABASE_URL=sqlite://" + p.database(), "CLOUDPAM_LISTEN=127.0.0.1:0"}
	c.Env = append(c.Env, p.settings...)
	return c
}

// want runs a command to its end and asserts its exit code.
func (p place) want(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	c := p.command(args...)
	var out, problems bytes.Buffer
	c.Stdout, c.Stderr = &out, &problems
	err := c.Run()
	exit := &exec.ExitError{}
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := c.ProcessState.ExitCode(); got != code {
		t.Fatalf("%v: exit code %d, want %d\n%s%s", args, got, code, &out, &problems)
	}
	return out.String(), problems.String()
}

// serve starts a server and returns its address, what it said until then, and how to stop it.
func (p place) serve(t *testing.T) (address, said string, stop func()) {
	t.Helper()
	address, said, end := p.launch(t)
	return address, said, func() { end(syscall.SIGTERM) }
}

// launch starts a server, which end ends by a signal.
func (p place) launch(t *testing.T) (address, said string, end func(syscall.Signal)) {
	t.Helper()
	c := p.command("serve")
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	listening := regexp.MustCompile(`"listening","address":"([^"]+)"`)
	for address == "" && lines.Scan() {
		said += lines.Text() + "\n"
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			address = found[1]
		}
	}
	if address == "" {
		t.Fatalf("it did not start: %v\n%s", c.Wait(), said)
	}
	drained := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, stderr); close(drained) }()
	ended := false
	end = func(by syscall.Signal) {
		if ended {
			return
		}
		ended = true
		_ = c.Process.Signal(by)
		<-drained
		if err := c.Wait(); err != nil && by == syscall.SIGTERM {
			t.Errorf("it did not end well: %v", err)
		}
	}
	t.Cleanup(func() { end(syscall.SIGTERM) })
	return address, said, end
}

func status(t *testing.T, address, secret string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+"/api/v1/scopes", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func TestVersion(t *testing.T) {
	if out, _ := (place{dir: t.TempDir()}).want(t, 0, "version"); !strings.HasPrefix(out, "cloudpam dev\nbuilt with go") {
		t.Errorf("it says %q", out)
	}
}

func TestWrongUsageIsCode2(t *testing.T) {
	p := place{dir: t.TempDir()}
	for _, args := range [][]string{{"nonsense"}, {"serve", "--nonsense"}, {"token", "create"}, {"migrate", "stamp", "x"}} {
		if _, said := p.want(t, 2, args...); !strings.HasPrefix(said, "cloudpam: ") {
			t.Errorf("%v: it says %q", args, said)
		}
	}
	if _, said := p.want(t, 2, "serve", "--log-level=loud", "--log-format=xml"); !strings.Contains(said, "loud") || !strings.Contains(said, "xml") {
		t.Errorf("it says %q", said)
	}
}

func TestWhoSaysNothingMoreIsShownHelp(t *testing.T) {
	p := place{dir: t.TempDir()}
	for want, args := range map[string][]string{"pool tree": {"pool"}, "Ask a server": {}, "migrate up": {"migrate"}} {
		if out, _ := p.want(t, 0, args...); !strings.Contains(out, want) {
			t.Errorf("%v: it says %q", args, out)
		}
	}
}

func TestMigrateStatusIsCode3UntilUp(t *testing.T) {
	p := place{dir: t.TempDir()}
	if err := os.WriteFile(p.database(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := p.want(t, 3, "migrate", "status"); !strings.Contains(out, "pending 00001_init.sql") {
		t.Errorf("it says %q", out)
	}
	p.want(t, 1, "verify") // the schema is not there
	p.want(t, 0, "migrate", "up")
	p.want(t, 0, "migrate", "status")
	p.want(t, 0, "migrate", "up")
}

func TestTheFirstStartShowsATokenOnce(t *testing.T) {
	p := place{dir: t.TempDir()}
	address, said, stop := p.serve(t)
	secret := regexp.MustCompile(`cpam_[0-9a-z_]+`).FindString(said)
	if secret == "" || strings.Count(said, secret) != 1 || status(t, address, secret) != http.StatusOK {
		t.Fatalf("it said %q", said)
	}
	file := filepath.Join(p.dir, "cloudpam-admin-token")
	written, err := os.ReadFile(file)
	if err != nil || string(written) != secret+"\n" {
		t.Errorf("the file holds %q, %v", written, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	stop()
	address, said, _ = p.serve(t)
	if strings.Contains(said, "cpam_") || status(t, address, secret) != http.StatusOK {
		t.Errorf("the second start said %q", said)
	}
}

func TestTokensBesideARunningServer(t *testing.T) {
	p := place{dir: t.TempDir()}
	address, _, _ := p.serve(t)
	out, _ := p.want(t, 0, "token", "create", "ci", "--role", "viewer")
	secret := strings.TrimSpace(out)
	if got := status(t, address, secret); got != http.StatusOK {
		t.Errorf("a new token: %d", got)
	}
	list, _ := p.want(t, 0, "token", "list")
	id := regexp.MustCompile(`(?m)^(token_\w+) +ci .* never$`).FindStringSubmatch(list)
	if id == nil || strings.Contains(list, secret) {
		t.Fatalf("the list is %q", list)
	}
	p.want(t, 0, "token", "revoke", id[1])
	for limit := time.Now().Add(time.Minute); status(t, address, secret) != http.StatusUnauthorized; { // a server believes a token for a second
		if time.Now().After(limit) {
			t.Fatal("a revoked token still lets somebody in")
		}
	}
	if _, said := p.want(t, 1, "token", "revoke", id[1]); !strings.Contains(said, "still lets anyone in") {
		t.Errorf("a second time it says %q", said)
	}
	t.Run("a second server is refused", func(t *testing.T) {
		if _, said := p.want(t, 1, "serve"); !strings.Contains(said, "another CloudPAM") {
			t.Errorf("it says %q", said)
		}
	})
	t.Run("verify works beside it", func(t *testing.T) {
		if out, _ := p.want(t, 0, "verify"); !strings.Contains(out, "no differences") {
			t.Errorf("it says %q", out)
		}
	})
}

func TestVerifyIsCode3OnDamage(t *testing.T) {
	p := place{dir: t.TempDir()}
	_, _, stop := p.serve(t)
	stop()
	p.want(t, 0, "verify")
	db, err := sql.Open("sqlite", "file:"+p.database())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE scopes SET version = 7"); err != nil {
		t.Fatal(err)
	}
	if out, _ := p.want(t, 3, "verify"); !strings.Contains(out, "scopes.version is 7, but its last event") {
		t.Errorf("it says %q", out)
	}
}
