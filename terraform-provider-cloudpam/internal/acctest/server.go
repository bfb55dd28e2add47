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

	cmd    *exec.Cmd
	log    *output
	exited chan struct{}
}

// Start builds the server, once per test binary, and runs it on an empty database until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	binary := serverBuild.binary(t)
	address := freeAddress(t)
	s := &Server{Endpoint: "http://" + address, log: &output{}, exited: make(chan struct{})}
	s.cmd = exec.Command(binary, "serve")
	s.cmd.Dir = t.TempDir()
	s.cmd.Env = append(os.Environ(),
		"CLOUDPAM_LISTEN="+address,
		"CLOUDPAM_DATABASE_URL=sqlite://"+filepath.Join(s.cmd.Dir, "cloudpam.db"),
		"CLOUDPAM_BOOTSTRAP_TOKEN="+Token,
		"CLOUDPAM_LOG_LEVEL=warn")
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start the server: %v", err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.exited)
	}()
	t.Cleanup(func() { s.Stop(t) })
	s.waitReady(t)

	client, err := cloudpam.New(s.Endpoint, Token)
	if err != nil {
		t.Fatal(err)
	}
	s.Client = client
	return s
}

// Stop ends the server as an operator does, and fails the test when it does not end in order.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
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
