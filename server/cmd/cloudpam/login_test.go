package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestALoginIsKeptForItsUserAndItsServerAlone(t *testing.T) {
	address := estate(t)
	p := place{dir: t.TempDir()}
	token := filepath.Join(p.dir, "token")
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(p.dir, ".config", "cloudpam", "login.json")
	write(token, "cpam_nobody_0123456789\n", 0o600)
	if _, said := p.want(t, 1, "login", address, "--token-file", token); !strings.Contains(said, "unauthenticated") {
		t.Errorf("of a wrong token it says %s", said)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a wrong token was kept")
	}
	if _, said := p.want(t, 2, "pool", "list"); !strings.Contains(said, "log in: cloudpam login http://127.0.0.1:8080") {
		t.Errorf("without a login it says %s", said)
	}
	write(token, adminToken+"\n", 0o600)
	if out, _ := p.want(t, 0, "login", address+"/", "--token-file", token); !strings.Contains(out, "knows you as token:bootstrap") || strings.Contains(out, adminToken) {
		t.Errorf("it says %s", out)
	}
	for name, mode := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, mode)
		}
	}
	p.want(t, 0, "pool", "list")

	t.Run("another server does not get its token", func(t *testing.T) {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			t.Errorf("it was sent %q", r.Header.Get("Authorization"))
		}))
		defer other.Close()
		if _, said := p.want(t, 2, "pool", "list", "--endpoint", other.URL); !strings.Contains(said, "no token for "+other.URL) {
			t.Errorf("it says %s", said)
		}
	})
	t.Run("the environment wins", func(t *testing.T) {
		with := place{dir: p.dir, settings: []string{"CLOUDPAM_TOKEN=cpam_nobody_0123456789"}}
		if _, said := with.want(t, 1, "pool", "list"); !strings.Contains(said, "unauthenticated") {
			t.Errorf("it says %s", said)
		}
		with.settings = []string{"CLOUDPAM_ENDPOINT=http://127.0.0.1:1", "CLOUDPAM_TOKEN=x"}
		if _, said := with.want(t, 1, "pool", "list"); !strings.Contains(said, "http://127.0.0.1:1") {
			t.Errorf("it says %s", said)
		}
	})
	t.Run("what others can read is no secret", func(t *testing.T) {
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, said := p.want(t, 2, "pool", "list"); !strings.Contains(said, "others can read the token in "+file) {
			t.Errorf("it says %s", said)
		}
	})
	p.want(t, 0, "logout")
	p.want(t, 2, "pool", "list")
	if out, _ := p.want(t, 0, "logout"); out != "There was no login.\n" {
		t.Errorf("it says %s", out)
	}
}
