package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// ask sends a request and returns its status and body.
func ask(t *testing.T, method, url, secret, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// allocate makes allocations with the numbers from first up to last in the pool p, which it makes too when first is 0.
func allocate(t *testing.T, address, secret string, first, last int) {
	t.Helper()
	base := "http://" + address + "/api/v1"
	if first == 0 {
		if code, body := ask(t, "POST", base+"/pools", secret, `{"name":"p","cidr":"10.0.0.0/8"}`); code != http.StatusCreated {
			t.Fatal(code, body)
		}
	}
	for i := first; i < last; i++ {
		if code, body := ask(t, "POST", base+"/allocations", secret, fmt.Sprintf(`{"pool":"p","name":"a%d","prefix_length":28}`, i)); code != http.StatusCreated {
			t.Fatal(code, body)
		}
	}
}

func allocations(t *testing.T, address, secret string) int {
	t.Helper()
	code, body := ask(t, "GET", "http://"+address+"/api/v1/allocations?limit=1000", secret, "")
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal([]byte(body), &list); err != nil || code != http.StatusOK {
		t.Fatal(code, body)
	}
	return len(list.Items)
}

func firstToken(t *testing.T, said string) string {
	t.Helper()
	secret := regexp.MustCompile(`cpam_[0-9a-z_]+`).FindString(said)
	if secret == "" {
		t.Fatalf("no token in %q", said)
	}
	return secret
}

// crash makes a backup at 40 allocations, then 200 more, kills the server, and leaves its log next to the database.
func crash(t *testing.T, p place) (backup, secret string) {
	t.Helper()
	address, said, end := p.launch(t)
	secret = firstToken(t, said)
	allocate(t, address, secret, 0, 40)
	backup = filepath.Join(p.dir, "backup.db")
	p.want(t, 0, "backup", backup)
	allocate(t, address, secret, 40, 240)
	end(syscall.SIGKILL)
	if info, err := os.Stat(p.database() + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("the killed server left no log: %v", err)
	}
	return backup, secret
}

func TestABackupIsRestoredOverTheFilesOfAServerThatWasKilled(t *testing.T) {
	p := place{dir: t.TempDir()}
	backup, secret := crash(t, p)
	out, _ := p.want(t, 0, "restore", backup)
	if !strings.Contains(out, "restored "+p.database()) {
		t.Errorf("it says %q", out)
	}
	p.want(t, 0, "verify")
	address, _, stop := p.serve(t)
	if n := allocations(t, address, secret); n != 40 {
		t.Errorf("%d allocations, the backup has 40", n)
	}
	allocate(t, address, secret, 40, 50)
	stop()
	p.want(t, 0, "verify")

	// What was there is whole under its new name, with what its log held.
	aside := regexp.MustCompile(`(?m)^what was there is now (.*Z)$`).FindStringSubmatch(out)
	if aside == nil {
		t.Fatalf("it says %q", out)
	}
	if said, _ := p.want(t, 0, "verify", "--database-url=sqlite://"+aside[1]); !strings.Contains(said, "allocations 240,") {
		t.Errorf("the old database: %q", said)
	}
	for _, name := range []string{p.database(), backup, aside[1]} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v, %v", name, info.Mode(), err)
		}
	}
}

func TestABackupCopiedOverTheFileOfAServerThatWasKilledIsRefused(t *testing.T) {
	p := place{dir: t.TempDir()}
	backup, secret := crash(t, p)
	wrong, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.database(), wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first refusal has repaired nothing
		if _, said := p.want(t, 1, "serve"); !strings.Contains(said, "damaged") || !strings.Contains(said, "cloudpam restore FILE") {
			t.Errorf("it says %q", said)
		}
	}
	p.want(t, 0, "restore", backup)
	address, _, _ := p.serve(t)
	if n := allocations(t, address, secret); n != 40 {
		t.Errorf("%d allocations, the backup has 40", n)
	}
}

func TestARestoreNeedsTheServerStopped(t *testing.T) {
	p := place{dir: t.TempDir()}
	address, said, stop := p.serve(t)
	secret := firstToken(t, said)
	backup := filepath.Join(p.dir, "backup.db")
	p.want(t, 0, "backup", backup)
	allocate(t, address, secret, 0, 1)
	if _, said := p.want(t, 1, "restore", backup); !strings.Contains(said, "stop the server first") {
		t.Errorf("it says %q", said)
	}
	if n := allocations(t, address, secret); n != 1 {
		t.Errorf("%d allocations", n)
	}
	stop()
	p.want(t, 0, "restore", backup)
}

func TestABackupNeverOverwrites(t *testing.T) {
	p := place{dir: t.TempDir()}
	p.want(t, 0, "migrate", "up")
	for _, name := range []string{"kept", "cloudpam.db"} {
		path := filepath.Join(p.dir, name)
		if name == "kept" {
			if err := os.WriteFile(path, []byte("dear"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before, _ := os.ReadFile(path)
		if _, said := p.want(t, 1, "backup", path); !strings.Contains(said, "is there already") {
			t.Errorf("it says %q", said)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestWhatIsNoBackupIsNotRestored(t *testing.T) {
	p := place{dir: t.TempDir()}
	_, _, stop := p.serve(t)
	good := filepath.Join(p.dir, "good.db")
	p.want(t, 0, "backup", good)
	stop()
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(p.database())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ make, says string }{
		"nothing":   {"", "no such file"},
		"junk":      {"junk", "damaged or no SQLite database"},
		"empty":     {"empty", "not a database of CloudPAM"},
		"half":      {"half", "damaged or no SQLite database"},
		"unguarded": {"DROP TRIGGER prefixes_never_overlap_on_insert", "prefixes_never_overlap_on_insert is missing"},
		"newer":     {"INSERT INTO schema_migrations (version_id, is_applied) VALUES (999, true)", "use a newer CloudPAM"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := filepath.Join(p.dir, name+".bad")
			switch c.make {
			case "":
			case "junk":
				err = os.WriteFile(bad, []byte(strings.Repeat("junk", 5000)), 0o600)
			case "empty":
				err = os.WriteFile(bad, nil, 0o600)
			case "half":
				err = os.WriteFile(bad, whole[:len(whole)/2], 0o600)
			default:
				err = os.WriteFile(bad, whole, 0o600)
				alter(t, bad, c.make)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, said := p.want(t, 1, "restore", bad); !strings.Contains(said, c.says) {
				t.Errorf("it says %q", said)
			}
		})
	}
	if after, err := os.ReadFile(p.database()); err != nil || string(after) != string(before) {
		t.Errorf("the database was changed: %v", err)
	}
	if left, _ := filepath.Glob(p.database() + ".re*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestARestoreThatIsCutShortLeavesNoMixAndMayBeRunAgain(t *testing.T) {
	for cut, ends := range map[string][]string{"after the database": {""}, "after its log": {"", "-wal"}, "before the new one": {"", "-wal", "-shm"}} {
		t.Run(cut, func(t *testing.T) {
			p := place{dir: t.TempDir()}
			backup, secret := crash(t, p)
			const stamp = "20260101T000000.000Z"
			if err := os.WriteFile(p.database()+".restoring-"+stamp, []byte("half a copy"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, end := range ends {
				if err := os.Rename(p.database()+end, p.database()+".replaced-"+stamp+end); err != nil {
					t.Fatal(err)
				}
			}
			if _, said := p.want(t, 1, "serve"); !strings.Contains(said, "is missing, but there was one") || !strings.Contains(said, "cloudpam restore FILE") {
				t.Errorf("a start says %q", said)
			}
			p.want(t, 0, "restore", backup)
			address, _, _ := p.serve(t)
			if n := allocations(t, address, secret); n != 40 {
				t.Errorf("%d allocations, the backup has 40", n)
			}
			old, _ := p.want(t, 0, "verify", "--database-url=sqlite://"+p.database()+".replaced-"+stamp)
			if !strings.Contains(old, "allocations 240,") {
				t.Errorf("the old database has lost its log: %q", old)
			}
		})
	}
}

func TestAServerThatLostItsDatabaseDoesNotBeginANewOne(t *testing.T) {
	p := place{dir: t.TempDir()}
	address, said, stop := p.serve(t)
	secret := firstToken(t, said)
	allocate(t, address, secret, 0, 3)
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(p.database() + end); err != nil {
			t.Fatal(err)
		}
	}
	if code, body := ask(t, "POST", "http://"+address+"/api/v1/allocations", secret, `{"pool":"p","name":"lost","prefix_length":28}`); code != http.StatusServiceUnavailable || !strings.Contains(body, "deleted or replaced") {
		t.Errorf("a write: %d %s", code, body)
	}
	if code, body := ask(t, "GET", "http://"+address+"/readyz", "", ""); code != http.StatusServiceUnavailable || strings.Contains(body, p.dir) {
		t.Errorf("ready: %d %s", code, body)
	}
	stop()
	for range 2 {
		if _, said := p.want(t, 1, "serve"); !strings.Contains(said, "cloudpam.db.lock") || !strings.Contains(said, "cloudpam-admin-token") {
			t.Errorf("it says %q", said)
		}
	}
	if _, err := os.Stat(p.database()); err == nil {
		t.Error("there is a new database")
	}
}

func TestPostgreSQLIsBackedUpByItsOwnTools(t *testing.T) {
	p := place{dir: t.TempDir()}
	for command, tool := range map[string]string{"backup": "pg_dump", "restore": "pg_restore"} {
		if _, said := p.want(t, 1, command, "x.db", "--database-url=postgres://nobody@127.0.0.1:1/none"); !strings.Contains(said, tool) || !strings.Contains(said, "docs/operations.md") {
			t.Errorf("%s says %q", command, said)
		}
	}
}
