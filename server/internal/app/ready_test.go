package app_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/app"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// journal is a log that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// running starts a server until the test ends.
func running(t *testing.T, url string) (get func(path string) (int, string), log *journal) {
	t.Helper()
	log = &journal{}
	a, err := app.New(t.Context(), serve(url), "1.2.3", slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Log("the server ended with", err)
		}
		_ = a.Close()
	})
	return func(path string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+a.Addr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+strings.Repeat("s", 32))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}, log
}

func TestStrangersAreNotToldWhereTheDatabaseIs(t *testing.T) {
	url := storetest.Postgres(t)
	get, log := running(t, url)
	if code, body := get("/readyz"); code != http.StatusOK {
		t.Fatal(code, body)
	}
	name := url[strings.LastIndex(url, "cloudpam_test_"):]
	name, _, _ = strings.Cut(name, "?")
	other := storetest.Postgres(t)
	for _, statement := range []string{
		"ALTER DATABASE " + name + " ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name + "'",
	} {
		if err := storetest.Exec(other, statement); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if code, body := get("/readyz"); code != http.StatusServiceUnavailable || body != "the database does not answer\n" {
			t.Errorf("%d %q", code, body)
		}
	}
	if n := strings.Count(log.String(), `"msg":"not ready"`); n != 1 || !strings.Contains(log.String(), name) {
		t.Errorf("the log has the reason %d times:\n%s", n, log)
	}
	if err := storetest.Exec(other, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS true"); err != nil {
		t.Fatal(err)
	}
	if code, body := get("/readyz"); code != http.StatusOK || !strings.Contains(log.String(), `"msg":"ready again"`) {
		t.Errorf("afterwards: %d %q\n%s", code, body, log)
	}
}

func TestAServerWhoseFileIsLostOrDamagedIsNotReadyAndSaysSo(t *testing.T) {
	for what, harm := range map[string]func(path string) error{
		"deleted or replaced": os.Remove,
		"damaged":             smash,
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cloudpam.db")
			a, err := app.New(t.Context(), serve("sqlite://"+path), "1.2.3", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Close(); err != nil { // so that all of it is in the file, and nothing in a cache
				t.Fatal(err)
			}
			get, log := running(t, "sqlite://"+path)
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			if what == "damaged" {
				if code, body := get("/api/v1/accounts"); code != http.StatusServiceUnavailable || !strings.Contains(body, `"code":"unavailable"`) || !strings.Contains(body, what) {
					t.Errorf("a request: %d %s", code, body)
				}
			}
			for range 2 {
				code, body := get("/readyz")
				if code != http.StatusServiceUnavailable || !strings.Contains(body, what) || strings.Contains(body, "cloudpam.db") {
					t.Errorf("%d %q", code, body)
				}
			}
			if !strings.Contains(log.String(), `"msg":"not ready"`) {
				t.Errorf("the log has\n%s", log)
			}
		})
	}
}

// smash overwrites all pages but the first.
func smash(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, int(info.Size()-4096)), 4096)
	return err
}
