// Package devserver runs the built CloudPAM server as a process of its own, for the demo and for the provider's tests.
package devserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// patience is only for a server that hangs: on a busy machine a start or a stop may take a while.
const patience = 5 * time.Minute

// Server is a `cloudpam serve`, and how to run it. It may be started again on the same address and database after its end.
type Server struct {
	Binary string
	Dir    string   // where it runs, and where server.log is
	Env    []string // all of its environment but the next two
	Listen string
	URL    string // how a client on this machine reaches what listens there
	// OwnGroup keeps a Ctrl-C of the terminal away from the server, for those who stop it in order themselves.
	OwnGroup bool

	cmd    *exec.Cmd
	exited chan struct{}
	killed bool
}

// Database is the SQLite file that the server has, unless Env says otherwise.
func (s *Server) Database() string { return filepath.Join(s.Dir, "cloudpam.db") }

// Start starts the server and returns when it is ready.
func (s *Server) Start(ctx context.Context) error {
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd, exited := exec.Command(s.Binary, "serve"), make(chan struct{})
	cmd.Dir = s.Dir
	cmd.Env = append([]string{"CLOUDPAM_DATABASE_URL=sqlite://" + s.Database()}, s.Env...)
	cmd.Env = append(cmd.Env, "CLOUDPAM_LISTEN="+s.Listen)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: s.OwnGroup}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	s.cmd, s.exited, s.killed = cmd, exited, false
	if err := s.ready(ctx); err != nil {
		_ = s.Stop()
		return err
	}
	return nil
}

func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/readyz", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.exited:
			return s.Failure("the server did not start")
		case <-ctx.Done():
			return s.Failure("the server did not become ready")
		case <-poll.C:
		}
	}
}

// Exited is closed when the server has ended.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Stop asks the server to finish, waits until it has, and fails when it did not end in order. Stopping what was stopped or
// killed, or never started, is fine.
func (s *Server) Stop() error {
	if s.cmd == nil || s.killed {
		return nil
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.exited:
	case <-time.After(patience):
		s.Kill()
		return s.Failure("the server did not end after SIGTERM")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return s.Failure(fmt.Sprintf("the server ended with code %d", code))
	}
	return nil
}

// Kill ends the server as a power cut does.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.exited
	s.killed = true
}

// Log is all that the server has said so far.
func (s *Server) Log() string {
	log, _ := os.ReadFile(s.logFile())
	return string(log)
}

// Failure is an error with the end of the server's log.
func (s *Server) Failure(what string) error {
	lines := bytes.Split(bytes.TrimSpace([]byte(s.Log())), []byte("\n"))
	if len(lines[0]) == 0 {
		return errors.New(what)
	}
	return fmt.Errorf("%s; its last lines:\n%s", what, bytes.Join(lines[max(0, len(lines)-20):], []byte("\n")))
}

func (s *Server) logFile() string { return filepath.Join(s.Dir, "server.log") }

// Address answers with where a server listens and how a client on this machine reaches it: the wanted address where it is
// free, else a free port.
func Address(wanted string) (listen, url string, err error) {
	probe, err := net.Listen("tcp", wanted)
	if err != nil {
		probe, err = net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", fmt.Errorf("find a free port: %w", err)
		}
		wanted = "127.0.0.1:0"
	}
	bound := probe.Addr().(*net.TCPAddr)
	if err := probe.Close(); err != nil {
		return "", "", err
	}
	if _, port, _ := net.SplitHostPort(wanted); port == "0" {
		wanted = bound.String()
	}
	host := bound.IP
	if host.IsUnspecified() {
		host = net.IPv4(127, 0, 0, 1)
	}
	return wanted, "http://" + net.JoinHostPort(host.String(), fmt.Sprint(bound.Port)), nil
}
