package cloudpam_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

func TestATokenThatIsWrittenAnewIsSentFromThenOn(t *testing.T) {
	var sent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"kind":"machine","bindings":[],"rules":[]}`))
	}))
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "token")
	written := time.Now()
	write := func(token string) {
		t.Helper()
		written = written.Add(time.Second)
		if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	file, err := cloudpam.OpenTokenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	client, err := cloudpam.New(server.URL, "", cloudpam.WithTokenFrom(file.Token))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ write, want string }{{"", "first"}, {"second\n", "second"}, {"\n", "second"}, {"two words", "second"}, {"third.a.b", "third.a.b"}} {
		if step.write != "" {
			write(step.write)
		}
		if _, err := client.GetMe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if sent != "Bearer "+step.want {
			t.Errorf("after %q it sent %q", step.write, sent)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetMe(t.Context()); err != nil || sent != "Bearer third.a.b" {
		t.Errorf("without the file it sent %q, %v", sent, err)
	}
	if _, err := cloudpam.OpenTokenFile(path); err == nil {
		t.Error("a file that is not there was opened")
	}
}
