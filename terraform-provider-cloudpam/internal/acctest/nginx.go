package acctest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/devserver"
)

// nginxConfig compresses JSON as many do, which makes nginx weaken the ETags of what it compresses.
const nginxConfig = `
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  gzip on;
  gzip_types application/json application/problem+json;
  gzip_min_length 20;
  gzip_proxied any;
  server {
    listen %[2]s;
    location / { proxy_pass %[3]s; }
  }
}
`

// Nginx starts nginx, which must be installed, in front of the server until the test ends, and returns its URL.
func (s *Server) Nginx(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx" // Debian keeps servers out of a user's PATH
	}
	dir := t.TempDir()
	listen, endpoint, err := devserver.Address("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, nginxConfig, dir, listen, s.Endpoint), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &output{}
	cmd := exec.Command(program, "-p", dir, "-e", "stderr", "-c", file)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("nginx, which these tests need: %v. On Debian: apt-get install nginx", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := <-ended; err != nil {
			t.Log("nginx ended with", err)
		}
	})
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if conn, err := net.Dial("tcp", target.Host); err == nil {
			_ = conn.Close()
			return endpoint
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("nginx ended: %v\n%s", err, log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
