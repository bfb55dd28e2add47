package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const adminToken = "browser-test-0123456789-abcdefghijklmnop"

// server is the real server in a process of its own, on a database of its own.
type server struct {
	t   *testing.T
	url string
}

// startServer starts it with some settings more, NAME=value, in which $URL is its address.
func startServer(t *testing.T, settings ...string) *server {
	t.Helper()
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()

	var log bytes.Buffer
	cmd := exec.Command(buildServer(t), "serve")
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), ours), "CLOUDPAM_LISTEN="+address,
		"CLOUDPAM_DATABASE_URL=sqlite://"+filepath.Join(dir, "cloudpam.db"), "CLOUDPAM_BOOTSTRAP_TOKEN="+adminToken)
	for _, s := range settings {
		cmd.Env = append(cmd.Env, strings.ReplaceAll(s, "$URL", "http://"+address))
	}
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-exited:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-exited
		}
		if t.Failed() {
			t.Logf("the server said:\n%s", log.String())
		}
	})

	s := &server{t: t, url: "http://" + address}
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !s.ready() {
		select {
		case <-exited:
			t.Fatal("the server ended before it was ready")
		case <-deadline:
			t.Fatal("the server is not ready")
		case <-tick.C:
		}
	}
	return s
}

// ours keeps the settings of whoever runs the tests out of the server under test.
func ours(variable string) bool { return strings.HasPrefix(variable, "CLOUDPAM_") }

// scratch is a folder of this run.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "cloudpam-web"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// build builds the server beside this module, once for all tests.
var build = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(scratch, "cloudpam")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/cloudpam")
	cmd.Dir = filepath.Join("..", "server")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the server does not build: %w\n%s", err, out)
	}
	return binary, nil
})

// buildServer is the program that the tests run; CLOUDPAM_SERVER names one that is built already.
func buildServer(t *testing.T) string {
	t.Helper()
	if built := os.Getenv("CLOUDPAM_SERVER"); built != "" {
		return built
	}
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func (s *server) ready() bool {
	answer, err := http.Get(s.url + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

type object = map[string]any

// post creates one object through the public API and returns it.
func (s *server) post(path string, body object) object {
	s.t.Helper()
	return s.send(path, body, http.StatusCreated)
}

// promise asks for what a plan asks for: a hold or a draft pool.
func (s *server) promise(path string, body object) object {
	s.t.Helper()
	return s.send(path, body, http.StatusOK)
}

// gone asks for something to be given up; the answer has no body.
func (s *server) gone(path string) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodDelete, s.url+"/api/v1"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		s.t.Fatalf("DELETE %s: %d", path, answer.StatusCode)
	}
}

// signIn opens a session in the browser without walking through the login page.
func (s *server) signIn(b *chromium) {
	s.t.Helper()
	b.open(s.url + "/login")
	b.await(canSignIn)
	b.await("await fetch('/session', {method: 'POST', headers: {Authorization: 'Bearer " + adminToken + "'}}).then(r => r.ok)")
}

// put sets one object through the public API.
func (s *server) put(path string, body object) {
	s.t.Helper()
	if status, got := s.request(http.MethodPut, path, adminToken, strings.NewReader(raw(s.t, body))); status != http.StatusOK {
		s.t.Fatalf("PUT %s: %d %v", path, status, got)
	}
}

func (s *server) send(path string, body object, want int) object {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	status, got := s.request(http.MethodPost, path, adminToken, bytes.NewReader(raw))
	if status != want {
		s.t.Fatalf("POST %s %s: %d %v", path, raw, status, got)
	}
	return got
}

// tried asks what would be made.
func (s *server) tried(path string, body object) object {
	s.t.Helper()
	status, got := s.request(http.MethodPost, path, adminToken, strings.NewReader(raw(s.t, body)), "Cloudpam-Dry-Run")
	if status != http.StatusCreated {
		s.t.Fatalf("POST %s, tried: %d %v", path, status, got)
	}
	return got
}

// request asks the API; switches are headers that are "true".
func (s *server) request(method, path, token string, body io.Reader, switches ...string) (int, object) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+"/api/v1"+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range switches {
		r.Header.Set(name, "true")
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	var got object
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		s.t.Fatalf("%s %s: %d, not JSON: %v", method, path, answer.StatusCode, err)
	}
	return answer.StatusCode, got
}
