package acctest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/devserver"
)

// Token is the administrator's token of every server that Start starts.
const Token = "cpam_acctest_0123456789abcdefghijklmnopqrstuvwxyz"

// Server is a running CloudPAM server with a database of its own.
type Server struct {
	Endpoint string
	Client   *cloudpam.Client

	process *devserver.Server
}

// Start builds the server, once per test binary, and runs it on an empty database until the test ends. Settings are
// environment variables, NAME=value.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := &Server{process: &devserver.Server{Binary: serverBuild.binary(t), Dir: t.TempDir()}}
	s.process.Env = append(os.Environ(),
		"CLOUDPAM_DATABASE_URL=sqlite://"+s.process.Database(),
		"CLOUDPAM_BOOTSTRAP_TOKEN="+Token,
		"CLOUDPAM_LOG_LEVEL=warn")
	s.process.Env = append(s.process.Env, settings...)
	t.Cleanup(func() {
		s.Stop(t)
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.process.Log())
		}
	})
	var err error
	for range 5 { // somebody else may take the free port first
		if s.process.Listen, s.process.URL, err = devserver.Address("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if err = s.process.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "address already in use") {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Endpoint = s.process.URL
	if s.Client, err = cloudpam.New(s.Endpoint, Token); err != nil {
		t.Fatal(err)
	}
	return s
}

// Restart starts the server, which is stopped or killed, on the database and the address that it had.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.process.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server as a power cut does.
func (s *Server) Kill(testing.TB) { s.process.Kill() }

// Stop ends the server as an operator does, and fails the test when it does not end in order.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.process.Stop(); err != nil {
		t.Error(err)
	}
}

// ProviderConfig is a provider block for this server.
func (s *Server) ProviderConfig() string {
	return fmt.Sprintf("provider \"cloudpam\" {\n  endpoint = %q\n  token    = %q\n}\n", s.Endpoint, Token)
}

// setting is the value of an environment variable of the server; where it is set twice, the last counts.
func (s *Server) setting(name string) string {
	for _, variable := range slices.Backward(s.process.Env) {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

// Nowhere is the URL of a server that is down.
func Nowhere(t testing.TB) string {
	t.Helper()
	_, url, err := devserver.Address("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return url
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
	cmd := exec.Command(s.process.Binary, "token", "create", name, "--role", "admin")
	cmd.Dir, cmd.Env = s.process.Dir, s.process.Env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("token create %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}
