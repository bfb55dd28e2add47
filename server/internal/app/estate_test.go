package app_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/app"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestMetricsTellWhatThereIsAndWhatIsDone(t *testing.T) {
	for engine, url := range storetest.Empty(t) {
		for _, named := range []int{0, 1} {
			t.Run(fmt.Sprint(engine, " with ", named, " pools named"), func(t *testing.T) {
				c := serve(url(t))
				c.MetricsPools = named
				a, err := app.New(t.Context(), c, "1.2.3", slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				go func() { _ = a.Serve() }()
				t.Cleanup(func() { _ = a.Close() })
				l := looker{App: a}
				for _, made := range []string{
					`/pools {"name":"half-full","cidr":"10.0.0.0/24"}`, `/pools {"name":"fresh","cidr":"10.1.0.0/24"}`, `/pools {"name":"six","cidr":"fd00::/48"}`,
					`/allocations {"pool":"half-full","name":"a","prefix_length":26}`, `/allocations {"pool":"half-full","name":"b","prefix_length":26}`,
					`/reservations {"pool":"fresh","reason":"later","prefix_length":27}`,
					`/holds {"pool":"fresh","name":"c","prefix_length":28,"holder":"ws"}`,
					`/webhooks {"name":"inventory","url":"https://example.com/hook","actions":["allocation.*"]}`,
				} {
					path, body, _ := strings.Cut(made, " ")
					l.ask(t, "POST", path, body)
				}
				if engine == "sqlite" {
					if _, err := store.Backup(t.Context(), c.DatabaseURL, filepath.Join(t.TempDir(), "backup.db")); err != nil {
						t.Fatal(err)
					}
				}
				text := metrics(t, a)
				for _, says := range []string{
					`cloudpam_blocks{family="ipv4",use="allocated"} 2`, `cloudpam_blocks{family="ipv4",use="reserved"} 1`, `cloudpam_blocks{family="ipv4",use="held"} 1`,
					`cloudpam_blocks{family="ipv4",use="quarantined"} 0`, `cloudpam_space_used_ratio{family="ipv4"} 0.34375`, `cloudpam_space_used_ratio{family="ipv6"} 0`,
					`cloudpam_changes_total{action="allocation.created"} 2`, `cloudpam_changes_total{action="pool.created"} 3`, `cloudpam_webhook_deliveries_waiting 0`,
					`cloudpam_webhook_failing_seconds 0`,
				} {
					if !strings.Contains(text, "\n"+says+"\n") {
						t.Errorf("it does not say %s", says)
					}
				}
				if !regexp.MustCompile(`\ncloudpam_store_size_bytes [1-9]`).MatchString(text) {
					t.Error("the database has no size")
				}
				for _, sqlites := range []string{`\ncloudpam_store_log_bytes [1-9]`, `\ncloudpam_backup_last_timestamp_seconds [1-9]`} {
					if regexp.MustCompile(sqlites).MatchString(text) != (engine == "sqlite") {
						t.Errorf("%s", sqlites)
					}
				}
				if strings.Contains(text, `cloudpam_pool_used_ratio{pool="half-full",scope="default"} 0.5`) != (named == 1) || strings.Contains(text, `"fresh"`) {
					t.Errorf("%d pools are to be named, the fullest", named)
				}
			})
		}
	}
}

func metrics(t *testing.T, a *app.App) string {
	t.Helper()
	res, err := http.Get("http://" + a.Addr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
