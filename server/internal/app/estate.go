package app

import (
	"context"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/httpapi"
	"github.com/cloudpam/cloudpam/server/internal/insight"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// restOfLooks is how old figures of what there is may be at least before they are read again.
const restOfLooks = 30 * time.Second

// estate reads what metrics tell of all there is.
func (a *App) estate(ctx context.Context) (httpapi.Estate, error) {
	use, err := insight.New(a.kernel).Fullest(ctx, a.config.MetricsPools)
	if err != nil {
		return httpapi.Estate{}, err
	}
	figures, err := a.db.Figures(ctx)
	if err != nil {
		return httpapi.Estate{}, err
	}
	e := httpapi.Estate{
		Use: use, Size: figures.Size, Log: figures.Log, OldestRead: figures.OldestRead, BackedUp: figures.BackedUp, Now: a.kernel.Now(), SQLite: a.db.Engine() == store.SQLite,
	}
	hooks := func(p ipam.Page) ([]ipam.Webhook, error) { return a.webhooks.Webhooks(ctx, ipam.Everything, p) }
	return e, change.EachPage(hooks, func(w ipam.Webhook) string { return string(w.ID) }, func(w ipam.Webhook) error {
		if w.Enabled {
			e.Webhooks = append(e.Webhooks, w.Health)
		}
		return nil
	})
}
