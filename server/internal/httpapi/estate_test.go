package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/httpapi"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// scrape is what Prometheus reads of a server that sees what look says.
func scrape(t *testing.T, look func(context.Context) (httpapi.Estate, error)) func() string {
	t.Helper()
	m := httpapi.NewMetrics(func() (uint64, uint64, int) { return 7, 3, 1 }, func() (differs, behind, doubted time.Duration) { return 0, 0, 0 })
	m.Estate(look, time.Hour)
	return func() string {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
}

// A look reads every pool. However many scrape, it rests in between.
func TestFiguresOfWhatThereIsAreNotReadForEachScrape(t *testing.T) {
	looks := 0
	read := scrape(t, func(context.Context) (httpapi.Estate, error) {
		looks++
		return httpapi.Estate{Size: 4096}, nil
	})
	for range 3 {
		if text := read(); !strings.Contains(text, "cloudpam_store_size_bytes 4096") {
			t.Errorf("it is not shown: %s", text)
		}
	}
	if looks != 1 {
		t.Errorf("%d looks for three scrapes", looks)
	}
}

// A database that does not answer must not take the figures with it that tell of that.
func TestALookThatFailsTakesNoOtherFigureWithIt(t *testing.T) {
	text := scrape(t, func(context.Context) (httpapi.Estate, error) {
		return httpapi.Estate{}, errors.New("the database does not answer")
	})()
	if !strings.Contains(text, "cloudpam_store_writes_total 7") || strings.Contains(text, "cloudpam_store_size_bytes ") {
		t.Errorf("it shows: %s", text)
	}
}

func TestFiguresTellForHowLongTheWorstWebhookHasFailed(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	minute, hour := now.Add(-time.Minute), now.Add(-time.Hour)
	text := scrape(t, func(context.Context) (httpapi.Estate, error) {
		return httpapi.Estate{Now: now, BackedUp: time.Unix(1700000000, 0), Webhooks: []ipam.WebhookHealth{{Waiting: 3, FailingSince: &minute}, {Waiting: 4, Dead: 2, FailingSince: &hour}, {}}}, nil
	})()
	for _, says := range []string{"cloudpam_webhook_deliveries_waiting 7", "cloudpam_webhook_deliveries_dead 2", "cloudpam_webhook_failing_seconds 3600", "cloudpam_backup_last_timestamp_seconds 1.7e+09"} {
		if !strings.Contains(text, "\n"+says+"\n") {
			t.Errorf("it does not say %s", says)
		}
	}
}
