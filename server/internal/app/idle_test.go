package app_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/app"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// Servers of which nobody wants anything leave the disk alone: what they do more often than once a minute writes nothing, also where
// there are webhooks, and whoever has the work.
func TestIdleServersWriteNothingBetweenTwoMinutes(t *testing.T) {
	for engine, url := range storetest.Empty(t) {
		t.Run(engine, func(t *testing.T) {
			c := serve(url(t))
			var servers []*app.App
			for range map[string]int{"sqlite": 1, "postgres": 2}[engine] {
				a, err := app.New(t.Context(), c, "1.2.3", slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = a.Close() })
				servers = append(servers, a)
			}
			hook := ipam.Webhook{Name: "inventory", URL: "https://example.com/hook", Enabled: true, Actions: []string{"allocation.*"}}
			if _, err := servers[0].Webhooks().CreateWebhook(t.Context(), ipam.System("test"), hook); err != nil {
				t.Fatal(err)
			}
			often := func() (jobs int) {
				for _, s := range servers {
					for _, j := range s.Jobs() {
						if j.Every >= time.Minute {
							continue
						}
						jobs++
						if _, err := j.Run(t.Context()); err != nil {
							t.Errorf("%s: %v", j.Name, err)
						}
					}
				}
				return jobs
			}
			writes := func() (n uint64) {
				for _, s := range servers {
					n += s.Writes()
				}
				return n
			}
			start := writes()
			if often() == 0 || writes() == start {
				t.Fatal("nothing is written while there is something to do, so this shows nothing")
			}
			before := writes()
			often()
			if n := writes() - before; n != 0 {
				t.Errorf("idle servers wrote %d times", n)
			}
		})
	}
}
