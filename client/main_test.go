package cloudpam_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// The tests of this package that need a server meet the real one: it is built from this repository once, and runs on an
// empty SQLite file. The examples find it where every program does, in the environment.
func TestMain(m *testing.M) {
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withServer(run func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "cloudpam-client")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "cloudpam")
	build := exec.Command("go", "build", "-o", binary, "./cmd/cloudpam")
	build.Dir = filepath.Join("..", "server")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the server: %w\n%s", err, out)
	}
	address, err := freeAddress()
	if err != nil {
		return 1, err
	}
	const token = "cpam_clienttest_0123456789abcdefghijklmnopqrstuvwxyz"
	server := exec.Command(binary, "serve")
	server.Dir = dir
	server.Env = append(os.Environ(), "CLOUDPAM_LISTEN="+address, "CLOUDPAM_DATABASE_URL=sqlite://"+filepath.Join(dir, "cloudpam.db"),
		"CLOUDPAM_BOOTSTRAP_TOKEN="+token, "CLOUDPAM_LOG_LEVEL=warn")
	server.Stdout, server.Stderr = os.Stderr, os.Stderr
	if err := server.Start(); err != nil {
		return 1, err
	}
	exited := make(chan error, 1)
	go func() { exited <- server.Wait() }()
	endpoint := "http://" + address
	if err := ready(endpoint, exited); err != nil {
		_ = server.Process.Kill()
		return 1, err
	}
	_ = os.Setenv("CLOUDPAM_ENDPOINT", endpoint)
	_ = os.Setenv("CLOUDPAM_TOKEN", token)

	code = run()
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		return 1, err
	}
	return code, <-exited
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// ready polls until the server says that it is.
func ready(endpoint string, exited <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-exited:
			return fmt.Errorf("the server ended before it was ready: %w", err)
		case <-ctx.Done():
			return errors.New("the server was not ready in time")
		case <-poll.C:
		}
	}
}
