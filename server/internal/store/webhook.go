package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Webhook reads a webhook by its id or its name; CodeNotFound when there is none to see.
func (tx *Tx) Webhook(see ipam.Visible, id string) (ipam.Webhook, error) {
	var row query.NamedWebhook
	var err error
	if key := ipam.KeyOf(webhookKey, id); key != 0 {
		row, err = tx.rows.Webhook(tx.ctx, key)
	} else {
		row, err = tx.rows.WebhookNamed(tx.ctx, id)
	}
	if err != nil {
		return ipam.Webhook{}, absent(err, "webhook", id)
	}
	w, err := tx.counted(webhook(row))
	return seen(tx, see, w, w.In(), err, "webhook", id)
}

// counted is a webhook with the numbers of what waits for it and of what was given up.
func (tx *Tx) counted(w ipam.Webhook, err error) (ipam.Webhook, error) {
	if err != nil {
		return w, err
	}
	counts, err := tx.rows.CountDeliveries(tx.ctx, w.ID.Key())
	for _, c := range counts {
		switch ipam.DeliveryState(c.State) {
		case ipam.DeliveryWaiting:
			w.Health.Waiting = c.N
		case ipam.DeliveryDead:
			w.Health.Dead = c.N
		}
	}
	return w, err
}

const webhookColumns = "id, name, description, url, scope_id, actions, format, enabled, secret, former_secret, former_until, failures, failing_since, retry_at, last_error, version, created_at, updated_at, scope_name"

// Webhooks lists a page of webhooks by age, with the numbers of their deliveries.
func (tx *Tx) Webhooks(see ipam.Visible, p ipam.Page) ([]ipam.Webhook, error) {
	hooks, err := tx.Receivers(see, p)
	for i := range hooks {
		if hooks[i], err = tx.counted(hooks[i], err); err != nil {
			return nil, err
		}
	}
	return hooks, err
}

// Receivers lists a page of webhooks by age, without numbers.
func (tx *Tx) Receivers(see ipam.Visible, p ipam.Page) ([]ipam.Webhook, error) {
	s := tx.from("named_webhooks", webhookColumns)
	s.sees(see, "scope_id", "")
	s.page(p, webhookKey, false)
	return list(tx, s, func(r *query.NamedWebhook) []any {
		return []any{
			&r.ID, &r.Name, &r.Description, &r.Url, &r.ScopeID, &r.Actions, &r.Format, &r.Enabled, &r.Secret, &r.FormerSecret, &r.FormerUntil,
			&r.Failures, &r.FailingSince, &r.RetryAt, &r.LastError, &r.Version, &r.CreatedAt, &r.UpdatedAt, &r.ScopeName,
		}
	}, webhook)
}

// InsertWebhook adds a webhook. Events from now on are for it: where it is the first, the feed starts here.
func (tx *Tx) InsertWebhook(w ipam.Webhook) error {
	others, err := tx.Receivers(ipam.Everything, ipam.Page{Limit: 1})
	if err != nil {
		return err
	}
	if len(others) == 0 {
		if err := tx.rows.StartFeed(tx.ctx); err != nil {
			return err
		}
	}
	return tx.rows.InsertWebhook(tx.ctx, query.InsertWebhookParams{
		ID: w.ID.Key(), Name: w.Name, Description: w.Description, Url: w.URL, ScopeID: keyOrNull(w.ScopeUID), Actions: encodeList(w.Actions), Format: w.Format,
		Enabled: w.Enabled, Secret: w.Secrets.Now, CreatedAt: micros(w.CreatedAt),
	})
}

// UpdateWebhook writes what may change of a webhook, and its secrets, and moves its version.
func (tx *Tx) UpdateWebhook(w ipam.Webhook, at time.Time) error {
	return tx.rows.UpdateWebhook(tx.ctx, query.UpdateWebhookParams{
		ID: w.ID.Key(), Name: w.Name, Description: w.Description, Url: w.URL, Actions: encodeList(w.Actions), Format: w.Format, Enabled: w.Enabled,
		Secret: w.Secrets.Now, FormerSecret: w.Secrets.Former, FormerUntil: optionalMicros(w.Secrets.FormerUntil), UpdatedAt: micros(at),
	})
}

// SetWebhookHealth writes how deliveries go.
func (tx *Tx) SetWebhookHealth(webhook ipam.UID, h ipam.WebhookHealth) error {
	return tx.rows.SetWebhookHealth(tx.ctx, query.SetWebhookHealthParams{
		ID: webhook.Key(), Failures: int64(h.Failures), FailingSince: optionalMicros(h.FailingSince), RetryAt: optionalMicros(h.RetryAt), LastError: h.LastError,
	})
}

// DeleteWebhook removes a webhook and its deliveries.
func (tx *Tx) DeleteWebhook(w ipam.Webhook) error {
	if _, err := tx.rows.DropDeliveries(tx.ctx, w.ID.Key()); err != nil {
		return err
	}
	return tx.rows.DeleteWebhook(tx.ctx, w.ID.Key())
}

func webhook(row query.NamedWebhook) (ipam.Webhook, error) {
	w := ipam.Webhook{
		ID: uid(webhookKey, row.ID), Name: row.Name, Description: row.Description, URL: row.Url, Scope: row.ScopeName, ScopeUID: optionalUID(scopeKey, row.ScopeID),
		Format: row.Format, Enabled: row.Enabled, Secrets: ipam.Secrets{Now: row.Secret, Former: row.FormerSecret, FormerUntil: optionalMoment(row.FormerUntil)},
		Health: ipam.WebhookHealth{
			Failures: int(row.Failures), FailingSince: optionalMoment(row.FailingSince), RetryAt: optionalMoment(row.RetryAt), LastError: row.LastError,
		},
		Version: row.Version, CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt),
	}
	if err := json.Unmarshal([]byte(row.Actions), &w.Actions); err != nil {
		return w, fmt.Errorf("read actions from the database: %w", err)
	}
	return w, nil
}
