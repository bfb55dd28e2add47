package app_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/app"
	"github.com/cloudpam/cloudpam/server/internal/config"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func serve(url string) config.Serve {
	return config.Serve{Database: config.Database{DatabaseURL: url}, Listen: "127.0.0.1:0", PostgresRead: 2, PostgresWrite: 2, PostgresAuth: 1, SessionIdle: time.Hour, SessionLength: 12 * time.Hour, ApprovalTTL: 24 * time.Hour, Migrate: true, BootstrapToken: strings.Repeat("s", 32)}
}

func TestAServerStartsServesAndStops(t *testing.T) {
	for engine, url := range storetest.Empty(t) {
		t.Run(engine, func(t *testing.T) {
			c := serve(url(t))
			a, err := app.New(t.Context(), c, "1.2.3", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- a.Run(ctx) }()
			for path, says := range map[string]string{
				"/readyz": "ready", "/api/v1/version": `"engine":"` + engine + `"`, "/metrics": "cloudpam_store_writes_total ", "/": "<!doctype html>",
			} {
				res, err := http.Get("http://" + a.Addr() + path)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK || !strings.Contains(strings.ToLower(string(body)), says) {
					t.Errorf("%s: %d %.200s", path, res.StatusCode, body)
				}
			}
			if a.URL() != "http://"+a.Addr() {
				t.Errorf("a server without a certificate says that it is at %s", a.URL())
			}
			if a.FirstToken != "" || a.FirstTokenFile != "" {
				t.Error("a token that was chosen by hand is shown")
			}
			stop()
			if err := <-ended; err != nil {
				t.Errorf("run: %v", err)
			}
			if err := a.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

func TestAnOldSchemaIsNotTouchedUnlessAsked(t *testing.T) {
	c := serve("sqlite://" + filepath.Join(t.TempDir(), "x.db"))
	c.Migrate = false
	if _, err := app.New(t.Context(), c, "1.2.3", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "cloudpam migrate up") {
		t.Errorf("it started: %v", err)
	}
}
