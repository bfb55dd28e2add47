// Package servertest builds the server and runs it as a process of its own, as its users do: for tests that treat it badly
// and for measurements. It says where it listens, so no port is chosen, and nothing is polled.
package servertest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Build builds the server into dir: as it is shipped, or with the race detector in it.
func Build(ctx context.Context, dir string, race bool) (string, error) {
	path := filepath.Join(dir, "cloudpam")
	args := []string{"build", "-o", path, "github.com/cloudpam/cloudpam/server/cmd/cloudpam"}
	cgo := "CGO_ENABLED=0"
	if race {
		args, cgo = append([]string{args[0], "-race"}, args[1:]...), "CGO_ENABLED=1"
	}
	c := exec.CommandContext(ctx, "go", args...)
	c.Env = append(os.Environ(), cgo)
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return path, nil
}

// Server is one process.
type Server struct {
	URL       string        // once it is ready
	StartedIn time.Duration // from the start of the process to its first answer
	Ended     chan struct{} // closed at its end

	command *exec.Cmd
	begin   time.Time
	pipe    io.ReadCloser
	lines   chan string // of its log, closed at its end
	log     []string    // without the requests; whole once Ended is closed
	err     error       // once Ended is closed
}

// Launch starts a server in dir and returns before it is ready. Settings are environment variables, NAME=value.
func Launch(binary, dir string, settings ...string) (*Server, error) {
	s := &Server{command: exec.Command(binary, "serve"), begin: time.Now(), lines: make(chan string, 64), Ended: make(chan struct{})}
	s.command.Dir = dir
	s.command.Env = append(os.Environ(), "CLOUDPAM_LISTEN=127.0.0.1:0", "CLOUDPAM_LOG_LEVEL=info", "CLOUDPAM_LOG_FORMAT=json")
	s.command.Env = append(s.command.Env, settings...)
	var err error
	if s.pipe, err = s.command.StderrPipe(); err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	go s.follow()
	return s, nil
}

// follow reads the log to its end, which is the end of the process, so that the process never waits for a reader.
func (s *Server) follow() {
	defer close(s.Ended)
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

// Ready waits until the server answers that it is ready.
func (s *Server) Ready(ctx context.Context) error {
	for s.URL == "" {
		select {
		case line, open := <-s.lines:
			if !open {
				<-s.Ended
				return fmt.Errorf("the server ended at its start:\n%s", s.Log())
			}
			var entry struct{ Msg, Address string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "listening" {
				s.URL = "http://" + entry.Address
			}
		case <-ctx.Done():
			return fmt.Errorf("the server does not listen: %w", ctx.Err())
		}
	}
	for { // it listens, so a request waits for its turn; on a busy machine its look at the database may still be too slow
		answer, err := get(ctx, s.URL+"/readyz")
		if err != nil {
			return err
		}
		if answer == http.StatusOK {
			break
		}
		if answer != http.StatusServiceUnavailable {
			return fmt.Errorf("/readyz answers %d", answer)
		}
	}
	s.StartedIn = time.Since(s.begin)
	return nil
}

func get(ctx context.Context, url string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	answer.Body.Close()
	return answer.StatusCode, nil
}

// Log is what the server has said, but for the requests. It is whole once the server has ended, and not to be read before.
func (s *Server) Log() string { return strings.Join(s.log, "\n") }

// PID is of the process.
func (s *Server) PID() int { return s.command.Process.Pid }

// ExitCode is of the process, once it has ended.
func (s *Server) ExitCode() int { return s.command.ProcessState.ExitCode() }

// Kill ends the process as a power switch would, as far as the process can tell, and waits for its end.
func (s *Server) Kill() {
	_ = s.command.Process.Kill() // it may have ended
	<-s.Ended
}

// Signal sends a signal.
func (s *Server) Signal(sig syscall.Signal) error { return s.command.Process.Signal(sig) }

// Terminate asks the process to end, as an operator does.
func (s *Server) Terminate() error { return s.command.Process.Signal(syscall.SIGTERM) }

// Wait waits for the end of the process, which must be a good one.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-s.Ended:
	case <-ctx.Done():
		return errors.New("the server does not end")
	}
	if s.err != nil {
		return fmt.Errorf("the server ended with %w:\n%s", s.err, s.Log())
	}
	return nil
}

// Stop asks the process to end and waits for it.
func (s *Server) Stop(ctx context.Context) error {
	if err := s.Terminate(); err != nil {
		return err
	}
	return s.Wait(ctx)
}
