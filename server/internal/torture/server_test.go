// Package torture runs the real server as separate processes and treats it badly: many clients at once, kill -9 under load,
// shutdown in the middle of a request. What must hold then is what docs/reliability.md promises.
package torture

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/servertest"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// secret is the first token of every server here.
const secret = "cpam_torture_0123456789abcdefghijklmnopqrstuv"

// One server is built for all tests: as it is shipped, and with the race detector when the tests run with it.
var built struct {
	once sync.Once
	dir  string
	path string
	err  error
}

func TestMain(m *testing.M) {
	storetest.Main(m, func() { _ = os.RemoveAll(built.dir) })
}

func program(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "cloudpam-torture-"); built.err == nil {
			built.path, built.err = servertest.Build(context.Background(), built.dir, raced)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// share is how much of a load is worth its time: a server with the race detector is slow, and meets a race early or never.
func share(n int) int {
	if raced {
		return max(1, n/10)
	}
	return n
}

type server struct{ *servertest.Server }

// launch starts a server and returns before it is ready.
func launch(t testing.TB, database string) *server {
	t.Helper()
	// A server that finds a race in itself ends at once, and its last words are the report.
	s, err := servertest.Launch(program(t), t.TempDir(), "CLOUDPAM_DATABASE_URL="+database, "CLOUDPAM_BOOTSTRAP_TOKEN="+secret, "GORACE=halt_on_error=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Kill()
		if strings.Contains(s.Log(), "DATA RACE") {
			t.Error(s.Log())
		}
	})
	return &server{s}
}

// start starts a server and waits until it is ready.
func start(t testing.TB, database string) *server {
	t.Helper()
	s := launch(t, database)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// terminate asks the process to end.
func (s *server) terminate(t testing.TB) {
	t.Helper()
	if err := s.Terminate(); err != nil {
		t.Fatal(err)
	}
}

// exited waits for the process, which must have ended well.
func (s *server) exited(t testing.TB) {
	t.Helper()
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// verify runs "cloudpam verify" next to the servers.
func verify(t testing.TB, database string) {
	t.Helper()
	command := exec.Command(program(t), "verify")
	command.Env = append(os.Environ(), "CLOUDPAM_DATABASE_URL="+database)
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "no differences") {
		t.Fatalf("cloudpam verify: %v\n%s", err, out)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	t.Log("verified: ", first)
}

func poolName(i int) string { return fmt.Sprintf("pool-%02d", i) }
