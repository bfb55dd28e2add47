package examples_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// proxied is a program that stands in front of the server, as its file in proxies says but for the names and ports of this machine.
type proxied struct {
	file string
	// start writes the configuration around the file and answers the command.
	start func(t *testing.T, dir, file string) *exec.Cmd
	here  func(listen, upstream, cert, key string) []string // old, new, ... of the file; each old is in it
}

var proxies = map[string]proxied{
	"nginx": {
		"nginx.conf", func(t *testing.T, dir, file string) *exec.Cmd {
			// As Debian has it around conf.d, and compressing what we say, which weakens ETags.
			around := "daemon off;\nmaster_process off;\npid " + dir + "/pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\ngzip on;\ngzip_proxied any;\ngzip_types application/json;\ngzip_min_length 20;\n"
			for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
				around += kind + "_temp_path " + filepath.Join(dir, kind) + ";\n"
			}
			main := filepath.Join(dir, "main.conf")
			write(t, main, around+"include "+file+";\n}\n")
			return exec.Command(program("nginx"), "-p", dir, "-e", "stderr", "-c", main)
		},
		func(listen, upstream, cert, key string) []string {
			return []string{
				"listen 443", "listen " + listen, "ipam.example.com", "localhost", "http://127.0.0.1:8080", "http://" + upstream,
				"/etc/ssl/ipam/tls.crt", cert, "/etc/ssl/ipam/tls.key", key,
			}
		},
	},
	"Caddy": {
		"Caddyfile", func(t *testing.T, dir, file string) *exec.Cmd {
			c := exec.Command(program("caddy"), "run", "--adapter", "caddyfile", "--config", file)
			c.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
			return c
		},
		func(listen, upstream, cert, key string) []string {
			_, port, _ := net.SplitHostPort(listen)
			return []string{
				"# /etc/caddy/Caddyfile", "{\n\tadmin off\n\tauto_https off\n}\n# /etc/caddy/Caddyfile",
				"ipam.example.com {", "https://localhost:" + port + " {\n\ttls " + cert + " " + key, "127.0.0.1:8080", upstream,
			}
		},
	},
}

// What passes a proxy is told who asks, is as long as we take it, and meets the version that was read though the proxy compresses.
func TestProxiesAsTheyAreShownWork(t *testing.T) {
	run(t, "make", "-C", "..", "build/server")
	for name, p := range proxies {
		t.Run(name, func(t *testing.T) {
			dir, upstream, listen := t.TempDir(), free(t), free(t)
			token := strings.Repeat("t", 32)
			serve := exec.Command("../bin/cloudpam", "serve", "--listen", upstream, "--database-url", "sqlite://"+filepath.Join(dir, "cloudpam.db"))
			serve.Env = append(os.Environ(), "CLOUDPAM_TRUSTED_PROXIES=127.0.0.1/32", "CLOUDPAM_BOOTSTRAP_TOKEN="+token)
			await(t, background(t, serve), "http://"+upstream+"/readyz", http.DefaultClient)
			cert, key, authority := certificate(t, dir)
			text, err := os.ReadFile(filepath.Join("proxies", p.file))
			if err != nil {
				t.Fatal(err)
			}
			here := string(text)
			pairs := p.here(listen, upstream, cert, key)
			for i := 0; i < len(pairs); i += 2 {
				if !strings.Contains(here, pairs[i]) {
					t.Fatalf("proxies/%s does not say %q any more", p.file, pairs[i])
				}
				here = strings.ReplaceAll(here, pairs[i], pairs[i+1])
			}
			file := filepath.Join(dir, p.file)
			write(t, file, here)
			ended := background(t, p.start(t, dir, file))
			_, port, _ := net.SplitHostPort(listen)
			b := behind{t: t, url: "https://localhost:" + port, token: token, client: &http.Client{Transport: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: authority}, ForceAttemptHTTP2: true, DisableCompression: true,
				// From an address that is not the proxy's own, to see which one is told.
				DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
					return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}).DialContext(ctx, network, listen)
				},
			}}}
			await(t, ended, b.url+"/readyz", b.client)

			made := b.send("POST", "/api/v1/pools", `{"name":"corp","cidr":"10.0.0.0/8","description":"`+strings.Repeat("long enough to compress ", 30)+`"}`, "X-Forwarded-For", "203.0.113.7")
			if made.status != http.StatusCreated {
				t.Fatalf("a pool: %d %s", made.status, made.body)
			}
			var page struct{ Items []struct{ Address string } }
			if err := json.Unmarshal(b.send("GET", "/api/v1/events?action=pool.created", "").body, &page); err != nil || len(page.Items) != 1 || page.Items[0].Address != "127.0.0.9" {
				t.Errorf("the event says of where it was asked for: %+v, %v", page, err)
			}

			read := b.send("GET", "/api/v1/pools/corp", "", "Accept-Encoding", "gzip")
			if !read.compressed {
				t.Error("the proxy does not compress, so this says nothing of ETags")
			}
			if changed := b.send("PATCH", "/api/v1/pools/corp", `{"owner":"net"}`, "If-Match", read.etag); changed.status != http.StatusOK {
				t.Errorf("a change of what was read as %s: %d %s", read.etag, changed.status, changed.body)
			}

			signed := b.send("POST", "/session", "", "Origin", b.url)
			if signed.status >= 300 || !strings.Contains(signed.cookie, "Secure") {
				t.Errorf("a browser signs in: %d %s, cookie %q", signed.status, signed.body, signed.cookie)
			}

			csv, err := json.Marshal(map[string]string{"kind": "allocations", "csv": "pool,name,wrong\n" + strings.Repeat("corp,a,\n", 1<<20)})
			if err != nil {
				t.Fatal(err)
			}
			if large := b.send("POST", "/api/v1/imports", string(csv), "Cloudpam-Dry-Run", "true"); !strings.Contains(string(large.body), `"code":`) {
				t.Errorf("a file of 8 MiB does not arrive: %d %.300s", large.status, large.body)
			}
		})
	}
}

type behind struct {
	t          *testing.T
	url, token string
	client     *http.Client
}

type reply struct {
	status       int
	body         []byte
	etag, cookie string
	compressed   bool
}

func (b behind) send(method, path, body string, headers ...string) reply {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	out := reply{status: answer.StatusCode, etag: answer.Header.Get("ETag"), cookie: answer.Header.Get("Set-Cookie"), compressed: answer.Header.Get("Content-Encoding") == "gzip"}
	from := io.Reader(answer.Body)
	if out.compressed {
		if from, err = gzip.NewReader(answer.Body); err != nil {
			b.t.Fatal(err)
		}
	}
	if out.body, err = io.ReadAll(from); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// program is where a server is, which Debian keeps out of a user's PATH.
func program(name string) string {
	if found, err := exec.LookPath(name); err == nil {
		return found
	}
	return filepath.Join("/usr/sbin", name)
}

// background runs a program until the test ends, and shows what it said where that failed. The channel has how it ended before.
func background(t *testing.T, c *exec.Cmd) <-chan error {
	t.Helper()
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatalf("%v; on Debian: apt-get install nginx caddy", err)
	}
	ended, over := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- c.Wait()
		close(over)
	}()
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		<-over
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(c.Path), &log)
		}
	})
	return ended
}

// await waits until a URL answers well, as long as the program behind it runs.
func await(t *testing.T, ended <-chan error, url string, client *http.Client) {
	t.Helper()
	for {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := client.Do(r); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-ended:
			t.Fatalf("it ended before it was ready: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// certificate writes one of localhost, and answers who believes it.
func certificate(t *testing.T, dir string) (cert, key string, authority *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	text, err := x509.CreateCertificate(rand.Reader, &of, &of, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: text})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	authority = x509.NewCertPool()
	authority.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: text}))
	return cert, key, authority
}
