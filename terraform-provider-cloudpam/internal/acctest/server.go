package acctest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// Token is the administrator's token of every server that Start starts.
const Token = "cpam_acctest_0123456789abcdefghijklmnopqrstuvwxyz"

// Server is a running CloudPAM server with a database of its own.
type Server struct {
	Endpoint string
	Client   *cloudpam.Client

	binary string
	dir    string
	env    []string
	cmd    *exec.Cmd
	log    *output
	exited chan struct{}
	killed bool
}

// Start builds the server, once per test binary, and runs it on an empty database until the test ends. Settings are
// environment variables, NAME=value.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	address := freeAddress(t)
	s := &Server{Endpoint: "http://" + address, binary: serverBuild.binary(t), dir: t.TempDir(), log: &output{}}
	s.env = append(os.Environ(),
		"CLOUDPAM_LISTEN="+address,
		"CLOUDPAM_DATABASE_URL=sqlite://"+filepath.Join(s.dir, "cloudpam.db"),
		"CLOUDPAM_BOOTSTRAP_TOKEN="+Token,
		"CLOUDPAM_LOG_LEVEL=warn")
	s.env = append(s.env, settings...)
	client, err := cloudpam.New(s.Endpoint, Token)
	if err != nil {
		t.Fatal(err)
	}
	s.Client = client
	t.Cleanup(func() { s.Stop(t) })
	s.Restart(t)
	return s
}

// Restart starts the server, which is stopped or killed, on the database and the address that it had.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	cmd, exited := exec.Command(s.binary, "serve"), make(chan struct{})
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the server: %v", err)
	}
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	s.cmd, s.exited, s.killed = cmd, exited, false
	s.waitReady(t)
}

// Kill ends the server as a power cut does.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Errorf("kill the server: %v", err)
	}
	<-s.exited
	s.killed = true
}

// Stop ends the server as an operator does, and fails the test when it does not end in order.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.cmd == nil || s.killed {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
		if code := s.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the server ended with code %d:\n%s", code, s.log)
		}
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		t.Errorf("the server did not end after SIGTERM:\n%s", s.log)
	}
	if t.Failed() {
		t.Logf("the server's log:\n%s", s.log)
	}
}

// ProviderConfig is a provider block for this server.
func (s *Server) ProviderConfig() string {
	return fmt.Sprintf("provider \"cloudpam\" {\n  endpoint = %q\n  token    = %q\n}\n", s.Endpoint, Token)
}

// setting is the value of an environment variable of the server; where it is set twice, the last counts.
func (s *Server) setting(name string) string {
	for _, variable := range slices.Backward(s.env) {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

func (s *Server) waitReady(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-s.exited:
			t.Fatalf("the server ended before it was ready:\n%s", s.log)
		case <-ctx.Done():
			t.Fatalf("the server was not ready in time:\n%s", s.log)
		case <-poll.C:
		}
	}
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// Nowhere is the URL of a server that is down.
func Nowhere(t testing.TB) string {
	t.Helper()
	return "http://" + freeAddress(t)
}

// output gathers a process's output while a test reads it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

// String is everything written so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// NewToken makes another token on the server's machine, as an operator does.
func (s *Server) NewToken(t testing.TB, name string) string {
	t.Helper()
	cmd := exec.Command(s.binary, "token", "create", name)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("token create %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}
