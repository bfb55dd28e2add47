package app_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/app"
)

// What tracing costs a request, and what it costs where nobody wants traces.
func BenchmarkARequest(b *testing.B) {
	discard := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(discard.Close)
	for _, to := range []struct{ name, collector string }{{"untraced", ""}, {"traced", discard.URL}} {
		b.Run(to.name, func(b *testing.B) {
			b.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", to.collector)
			a, err := app.New(b.Context(), serve("sqlite://"+filepath.Join(b.TempDir(), "x.db")), "1.2.3", slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = a.Close() })
			ask := func(method, path, body string, status int) {
				r := httptest.NewRequestWithContext(b.Context(), method, path, strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+strings.Repeat("s", 32))
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				if a.Handler().ServeHTTP(w, r); w.Code != status {
					b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
				}
			}
			ask("POST", "/api/v1/pools", `{"name":"top","cidr":"10.0.0.0/8"}`, http.StatusCreated)
			b.Run("read", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					ask("GET", "/api/v1/pools/top", "", http.StatusOK)
				}
			})
			n := 0
			b.Run("write", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					n++
					ask("POST", "/api/v1/allocations", fmt.Sprintf(`{"pool":"top","name":"n%d","prefix_length":28}`, n), http.StatusCreated)
				}
			})
		})
	}
}
