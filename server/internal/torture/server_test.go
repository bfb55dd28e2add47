// Package torture runs the real server as separate processes and treats it badly: many clients at once, kill -9 under load,
// shutdown in the middle of a request. What must hold then is what docs/reliability.md promises.
package torture

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// secret is the first token of every server here.
const secret = "cpam_torture_0123456789abcdefghijklmnopqrstuv"

// startLimit is far above what a start takes, so that a busy machine does not fail the tests; how long it took is logged.
const startLimit = 10 * time.Second

var built struct {
	once   sync.Once
	dir    string
	output []byte
	err    error
}

func TestMain(m *testing.M) {
	storetest.Main(m, func() { _ = os.RemoveAll(built.dir) })
}

// program builds the server once for all tests.
func program(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "cloudpam-torture-"); built.err != nil {
			return
		}
		command := exec.Command("go", "build", "-o", built.dir, "../../cmd/cloudpam")
		// The server as it is shipped, also when the tests run with the race detector.
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		built.output, built.err = command.CombinedOutput()
	})
	if built.err != nil {
		t.Fatalf("build the server: %v\n%s", built.err, built.output)
	}
	return filepath.Join(built.dir, "cloudpam")
}

// server is one process.
type server struct {
	url     string
	started time.Duration // from the start of the process to its first answer
	command *exec.Cmd
	pipe    io.ReadCloser
	lines   chan string // of its log, closed at its end
	ended   chan struct{}
	log     []string // all lines, once ended is closed
	err     error    // of the process, once ended is closed
}

// launch starts a server and returns before it is ready.
func launch(t testing.TB, database string) *server {
	t.Helper()
	s := &server{command: exec.Command(program(t), "serve"), lines: make(chan string, 64), ended: make(chan struct{})}
	s.command.Dir = t.TempDir()
	s.command.Env = append(os.Environ(), "CLOUDPAM_DATABASE_URL="+database, "CLOUDPAM_LISTEN=127.0.0.1:0",
		"CLOUDPAM_BOOTSTRAP_TOKEN="+secret, "CLOUDPAM_LOG_LEVEL=info", "CLOUDPAM_LOG_FORMAT=json")
	var err error
	if s.pipe, err = s.command.StderrPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	go s.follow()
	t.Cleanup(func() { s.kill() })
	return s
}

// follow reads the log to its end, which is the end of the process, so that the process never waits for a reader.
func (s *server) follow() {
	defer close(s.ended)
	defer close(s.lines)
	scan := bufio.NewScanner(s.pipe)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		line := scan.Text()
		if strings.Contains(line, `"msg":"served"`) {
			continue
		}
		s.log = append(s.log, line)
		select {
		case s.lines <- line:
		default: // nobody listens once the server is up
		}
	}
	s.err = s.command.Wait()
}

// start starts a server and waits until it is ready.
func start(t testing.TB, database string) *server {
	t.Helper()
	begin := time.Now()
	s := launch(t, database)
	limit := time.After(startLimit)
	for s.url == "" {
		select {
		case line, open := <-s.lines:
			if !open {
				t.Fatalf("the server ended at its start:\n%s", strings.Join(s.log, "\n"))
			}
			var entry struct{ Msg, Address string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "listening" {
				s.url = "http://" + entry.Address
			}
		case <-limit:
			t.Fatalf("the server does not listen after %s", startLimit)
		}
	}
	// It listens, so this request waits for its turn: nothing to repeat.
	answer, err := (&http.Client{Timeout: startLimit}).Get(s.url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("/readyz answers %s", answer.Status)
	}
	s.started = time.Since(begin)
	return s
}

// kill ends the process as a power switch would, as far as the process can tell, and waits for its end.
func (s *server) kill() {
	_ = s.command.Process.Kill() // it may have ended
	<-s.ended
}

// terminate asks the process to end.
func (s *server) terminate(t testing.TB) {
	t.Helper()
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// exited waits for the process, which must have ended well.
func (s *server) exited(t testing.TB) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the server does not end")
	}
	if s.err != nil {
		t.Fatalf("the server ended with %v:\n%s", s.err, strings.Join(s.log, "\n"))
	}
}

// verify runs "cloudpam verify" beside the servers.
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
