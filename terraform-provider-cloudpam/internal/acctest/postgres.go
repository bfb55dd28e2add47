package acctest

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var databases atomic.Int64

// StartOnPostgres is Start on a database of its own in the PostgreSQL of CLOUDPAM_TEST_POSTGRES_URL, or in one that this
// test binary starts.
func StartOnPostgres(t testing.TB, settings ...string) *Server {
	t.Helper()
	postgres.once.Do(func() { postgres.err = startPostgres(t) })
	if postgres.err != nil {
		t.Fatalf("PostgreSQL for tests: %v\nInstall Debian's postgresql package, set CLOUDPAM_TEST_POSTGRES_URL, or leave it out with CLOUDPAM_TEST_ENGINES=sqlite.", postgres.err)
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
	cmd := exec.Command("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, database)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("psql %s: %v\n%s", statement, err, out)
	}
}

// postgres is the cluster of these tests. This module knows nothing of the server's, so a program of that one starts it.
var postgres struct {
	once    sync.Once
	url     string
	err     error
	program *exec.Cmd
	stdin   io.Closer // whose end is the cluster's
}

func startPostgres(t testing.TB) (err error) {
	if postgres.url = os.Getenv("CLOUDPAM_TEST_POSTGRES_URL"); postgres.url != "" {
		return nil
	}
	program := exec.Command(postgresBuild.binary(t))
	program.Stderr = os.Stderr
	if postgres.stdin, err = program.StdinPipe(); err != nil {
		return err
	}
	stdout, err := program.StdoutPipe()
	if err != nil {
		return err
	}
	if err := program.Start(); err != nil {
		return err
	}
	postgres.program = program
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("%s printed no URL: %w", filepath.Base(program.Path), err)
	}
	postgres.url = strings.TrimSpace(line)
	return nil
}

func stopPostgres() {
	if postgres.program != nil {
		_ = postgres.stdin.Close()
		_ = postgres.program.Wait()
	}
}
