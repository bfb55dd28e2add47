package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/web"
)

func fetch(t *testing.T, h http.Handler, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, answer *http.Response) string {
	t.Helper()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func assetsIn(t *testing.T, h http.Handler, page string) []string {
	t.Helper()
	return regexp.MustCompile(`/assets/[0-9a-f]+/[^"]+`).FindAllString(body(t, fetch(t, h, "GET", page)), -1)
}

func TestHandler(t *testing.T) {
	h := web.Handler("1.2.3")

	t.Run("every answer carries the security headers", func(t *testing.T) {
		for _, path := range []string{"/", "/login", "/pools", "/allocations", "/holds", "/no/such/page", "/assets/0/x.js", assetsIn(t, h, "/login")[0]} {
			got := fetch(t, h, "GET", path).Header
			policy := got.Get("Content-Security-Policy")
			for _, part := range []string{
				"default-src 'self';", "script-src 'self';", "style-src 'self';", "base-uri 'none';", "frame-ancestors 'none';",
				"form-action 'self';", "object-src 'none';", "require-trusted-types-for 'script';",
			} {
				if !strings.Contains(policy+";", part) {
					t.Errorf("%s: the policy lacks %s", path, part)
				}
			}
			if strings.Contains(policy, "unsafe") || strings.Contains(policy, "data:") || strings.Contains(policy, "*") {
				t.Errorf("%s: the policy is loose: %s", path, policy)
			}
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
				"Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY",
			} {
				if got.Get(name) != want {
					t.Errorf("%s: %s is %q", path, name, got.Get(name))
				}
			}
		}
	})

	t.Run("pages answer on their own address and are asked for anew", func(t *testing.T) {
		for page, want := range map[string]string{"/login": "<title>Sign in", "/pools": "<title>Pools", "/allocations": "<title>Allocations", "/holds": "<title>Holds"} {
			answer := fetch(t, h, "GET", page)
			if answer.StatusCode != 200 || answer.Header.Get("Cache-Control") != "no-cache" || answer.Header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s: %d %v", page, answer.StatusCode, answer.Header)
			}
			if html := body(t, answer); !strings.Contains(html, want) || !strings.Contains(html, "1.2.3") {
				t.Errorf("%s lacks its title or the version", page)
			}
			again := fetch(t, h, "GET", page, "If-None-Match", answer.Header.Get("ETag"))
			if again.StatusCode != http.StatusNotModified {
				t.Errorf("%s unchanged answers %d", page, again.StatusCode)
			}
		}
		if root := fetch(t, h, "GET", "/"); root.StatusCode != http.StatusFound || root.Header.Get("Location") != "/dashboard" {
			t.Errorf("/ answers %d", root.StatusCode)
		}
	})

	t.Run("an unknown address is a page that says so", func(t *testing.T) {
		for _, path := range []string{"/nothing", "/missing", "/pools/x", "/embed.go", "/page/login.html", "/../go.mod"} {
			answer := fetch(t, h, "GET", path)
			if answer.StatusCode != 404 || !strings.Contains(body(t, answer), "No such page") {
				t.Errorf("%s answers %d", path, answer.StatusCode)
			}
		}
	})

	t.Run("only reading is allowed", func(t *testing.T) {
		if answer := fetch(t, h, "POST", "/login"); answer.StatusCode != 405 || answer.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST answers %d", answer.StatusCode)
		}
		if answer := fetch(t, h, "HEAD", "/nothing"); answer.StatusCode != 404 || body(t, answer) != "" {
			t.Errorf("HEAD answers %d with a body", answer.StatusCode)
		}
	})

	t.Run("assets are immutable under the hash of the release", func(t *testing.T) {
		assets := append(append(assetsIn(t, h, "/pools"), assetsIn(t, h, "/login")...), append(assetsIn(t, h, "/allocations"), assetsIn(t, h, "/holds")...)...)
		types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
		for _, asset := range assets {
			answer := fetch(t, h, "GET", asset)
			if answer.StatusCode != 200 || answer.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || answer.Header.Get("Content-Type") != types[filepath.Ext(asset)] {
				t.Errorf("%s: %d %v", asset, answer.StatusCode, answer.Header)
			}
		}
		other := strings.Replace(assets[0], "/assets/", "/assets/0", 1)
		if answer := fetch(t, h, "GET", other); answer.StatusCode != 404 || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("another release's asset answers %d %s", answer.StatusCode, answer.Header.Get("Cache-Control"))
		}
	})

	t.Run("the hash follows the content of the assets, not the version", func(t *testing.T) {
		if web := assetsIn(t, web.Handler("9.9.9"), "/pools")[0]; web != assetsIn(t, h, "/pools")[0] {
			t.Error("the version changed the names of unchanged assets")
		}
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
			t.Fatal(err)
		}
		copied, err := web.HandlerFromDir(dir, "1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		same := assetsIn(t, copied, "/pools")[0]
		if same != assetsIn(t, h, "/pools")[0] {
			t.Error("equal assets have different names")
		}
		appendTo(t, filepath.Join(dir, "js", "format.js"), "\n")
		if assetsIn(t, copied, "/pools")[0] == same {
			t.Error("a changed asset kept its name")
		}
	})

	t.Run("text travels compressed to who accepts it", func(t *testing.T) {
		page := fetch(t, h, "GET", "/pools", "Accept-Encoding", "br, gzip;q=0.8")
		if page.Header.Get("Content-Encoding") != "gzip" || page.Header.Get("Vary") != "Accept-Encoding" {
			t.Fatalf("not compressed: %v", page.Header)
		}
		unzipped, err := gzip.NewReader(page.Body)
		if err != nil {
			t.Fatal(err)
		}
		html, err := io.ReadAll(unzipped)
		if err != nil || string(html) != body(t, fetch(t, h, "GET", "/pools")) {
			t.Errorf("the compressed page differs (%v)", err)
		}
		if fetch(t, h, "GET", "/pools", "Accept-Encoding", "gzip;q=0").Header.Get("Content-Encoding") != "" {
			t.Error("gzip was refused and sent")
		}
	})

	t.Run("a version cannot write markup", func(t *testing.T) {
		if strings.Contains(body(t, fetch(t, web.Handler("<b>x"), "GET", "/login")), "<b>x") {
			t.Error("the version is not escaped")
		}
	})
}

func TestHandlerFromDir(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "web"), os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	h, err := web.HandlerFromDir(filepath.Join(dir, "web"), "dev")
	if err != nil {
		t.Fatal(err)
	}

	t.Run("serves what is on the disk now and caches nothing", func(t *testing.T) {
		appendTo(t, filepath.Join(dir, "web", "css", "base.css"), "/* edited */")
		for _, asset := range assetsIn(t, h, "/pools") {
			if !strings.HasSuffix(asset, "base.css") {
				continue
			}
			answer := fetch(t, h, "GET", asset)
			if answer.Header.Get("Cache-Control") != "no-store" || !strings.Contains(body(t, answer), "/* edited */") {
				t.Errorf("%s is stale or cached", asset)
			}
		}
	})

	t.Run("reaches nothing outside the directory and no source", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(dir, "secret.js"), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(dir, "secret.js"), filepath.Join(dir, "web", "js", "link.js")); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/pools", "/assets/x/js/link.js", "/embed.go"} {
			if strings.Contains(body(t, fetch(t, h, "GET", path)), "secret") {
				t.Errorf("%s leaks", path)
			}
		}
	})

	t.Run("a directory that is no interface is refused", func(t *testing.T) {
		if _, err := web.HandlerFromDir(t.TempDir(), "dev"); err == nil {
			t.Error("an empty directory was accepted")
		}
		if _, err := web.HandlerFromDir(filepath.Join(dir, "none"), "dev"); err == nil {
			t.Error("a missing directory was accepted")
		}
	})
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
