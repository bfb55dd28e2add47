//go:build unix

package main

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
	"strings"
	"syscall"
	"time"
)

// server is a running `cloudpam serve` and what one needs to talk to it.
type server struct {
	url, token, database string

	cmd     *exec.Cmd
	logFile string
	exited  chan struct{} // closed when the process has ended
}

// startServer runs the binary on an empty database in dir and returns when it is ready.
func startServer(ctx context.Context, binary, dir, token string) (*server, error) {
	listen, url, err := address(os.Getenv("CLOUDPAM_LISTEN"))
	if err != nil {
		return nil, err
	}
	s := &server{
		url:      url,
		token:    token,
		database: filepath.Join(dir, "cloudpam.db"),
		logFile:  filepath.Join(dir, "server.log"),
		exited:   make(chan struct{}),
	}
	log, err := os.Create(s.logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()

	s.cmd = exec.Command(binary, "serve")
	s.cmd.Dir = dir
	s.cmd.Env = append(cleanEnv(),
		"CLOUDPAM_LISTEN="+listen,
		"CLOUDPAM_DATABASE_URL=sqlite://"+s.database,
		"CLOUDPAM_BOOTSTRAP_TOKEN="+token,
	)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	// A process group of its own: Ctrl-C reaches the demo, and the demo stops the server in order.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.exited)
	}()
	if err := s.waitReady(ctx); err != nil {
		_ = s.stop()
		return nil, err
	}
	return s, nil
}

func (s *server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
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
			return s.failure("the server did not start")
		case <-ctx.Done():
			return s.failure("the server did not become ready")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop asks the server to finish and waits until it has. Stopping twice is fine.
func (s *server) stop() error {
	select {
	case <-s.exited:
		return nil
	default:
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.exited
		return errors.New("the server did not stop within 20 seconds")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return s.failure(fmt.Sprintf("the server stopped with exit code %d", code))
	}
	return nil
}

// failure adds the end of the server's log, which is removed with the rest of the run.
func (s *server) failure(what string) error {
	log, err := os.ReadFile(s.logFile)
	if err != nil || len(log) == 0 {
		return errors.New(what)
	}
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	return fmt.Errorf("%s; its last lines:\n%s", what, bytes.Join(lines[max(0, len(lines)-20):], []byte("\n")))
}

// address answers with where the server listens and how a client on this machine reaches it: the wanted address where
// it is free, else a free port.
func address(wanted string) (listen, url string, err error) {
	if wanted == "" {
		wanted = "127.0.0.1:8080"
	}
	probe, err := net.Listen("tcp", wanted)
	if err != nil {
		probe, err = net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", fmt.Errorf("find a free port: %w", err)
		}
		wanted = probe.Addr().String()
	}
	bound := probe.Addr().(*net.TCPAddr)
	if err := probe.Close(); err != nil {
		return "", "", err
	}
	host := bound.IP
	if host.IsUnspecified() {
		host = net.IPv4(127, 0, 0, 1)
	}
	return wanted, "http://" + net.JoinHostPort(host.String(), fmt.Sprint(bound.Port)), nil
}

// cleanEnv is the environment without settings of another CloudPAM or Terraform, which would reach into the demo.
func cleanEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "CLOUDPAM_") && !strings.HasPrefix(entry, "TF_") {
			env = append(env, entry)
		}
	}
	return env
}
