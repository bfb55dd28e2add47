package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListWebhooks lists a page of webhooks.
func (s *Server) ListWebhooks(ctx context.Context, req api.ListWebhooksRequestObject) (api.ListWebhooksResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	items, err := s.webhooks.Webhooks(ctx, caller(ctx).Reaches(), p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(w ipam.Webhook) ipam.Cursor { return ipam.Cursor{ID: string(w.ID)} })
	return api.ListWebhooks200JSONResponse{Items: each(items, webhook), NextPageToken: next}, nil
}

// CreateWebhook adds a webhook.
func (s *Server) CreateWebhook(ctx context.Context, req api.CreateWebhookRequestObject) (api.CreateWebhookResponseObject, error) {
	b := req.Body
	created, err := s.webhooks.CreateWebhook(ctx, caller(ctx), ipam.Webhook{
		Name: b.Name, Description: value(b.Description), URL: b.URL, Scope: value(b.Scope), Actions: value(b.Actions), Format: string(value(b.Format)),
		Enabled: b.Enabled == nil || *b.Enabled, Secrets: ipam.Secrets{Now: value(b.Secret)},
	})
	if err != nil {
		return nil, err
	}
	return api.CreateWebhook201JSONResponse{
		Body:    api.WebhookWithSecret{Webhook: webhook(created.Webhook), Secret: optional(created.Secret)},
		Headers: api.CreateWebhook201ResponseHeaders{ETag: etag(created.ETag())},
	}, nil
}

// GetWebhook reads a webhook.
func (s *Server) GetWebhook(ctx context.Context, req api.GetWebhookRequestObject) (api.GetWebhookResponseObject, error) {
	found, err := s.webhooks.Webhook(ctx, caller(ctx).Reaches(), req.Webhook)
	if err != nil {
		return nil, err
	}
	return api.GetWebhook200JSONResponse{Body: webhook(found), Headers: api.GetWebhook200ResponseHeaders{ETag: etag(found.ETag())}}, nil
}

// UpdateWebhook changes a webhook.
func (s *Server) UpdateWebhook(ctx context.Context, req api.UpdateWebhookRequestObject) (api.UpdateWebhookResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	b := req.Body
	changed, err := s.webhooks.UpdateWebhook(ctx, caller(ctx), req.Webhook, version, ipam.WebhookPatch{
		Name: b.Name, Description: b.Description, URL: b.URL, Actions: b.Actions, Format: (*string)(b.Format), Enabled: b.Enabled,
	})
	if err != nil {
		return nil, err
	}
	return api.UpdateWebhook200JSONResponse{Body: webhook(changed), Headers: api.UpdateWebhook200ResponseHeaders{ETag: etag(changed.ETag())}}, nil
}

// DeleteWebhook removes a webhook.
func (s *Server) DeleteWebhook(ctx context.Context, req api.DeleteWebhookRequestObject) (api.DeleteWebhookResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := s.webhooks.DeleteWebhook(ctx, caller(ctx), req.Webhook, version); err != nil {
		return nil, err
	}
	return api.DeleteWebhook204Response{}, nil
}

// RotateWebhookSecret gives a webhook another secret.
func (s *Server) RotateWebhookSecret(ctx context.Context, req api.RotateWebhookSecretRequestObject) (api.RotateWebhookSecretResponseObject, error) {
	changed, err := s.webhooks.RotateSecret(ctx, caller(ctx), req.Webhook, value(req.Body.Secret))
	if err != nil {
		return nil, err
	}
	return api.RotateWebhookSecret201JSONResponse{
		Body:    api.WebhookWithSecret{Webhook: webhook(changed.Webhook), Secret: optional(changed.Secret)},
		Headers: api.RotateWebhookSecret201ResponseHeaders{ETag: etag(changed.ETag())},
	}, nil
}

// TestWebhook sends a message now.
func (s *Server) TestWebhook(ctx context.Context, req api.TestWebhookRequestObject) (api.TestWebhookResponseObject, error) {
	a, err := s.webhooks.Test(ctx, caller(ctx).Reaches(), req.Webhook)
	if err != nil {
		return nil, err
	}
	return api.TestWebhook200JSONResponse{Delivered: a.Delivered, Status: optional(a.Status), Error: optional(a.Error), TookMs: a.Took.Milliseconds()}, nil
}

// ListDeliveries lists a page of the deliveries of a webhook, the newest first.
func (s *Server) ListDeliveries(ctx context.Context, req api.ListDeliveriesRequestObject) (api.ListDeliveriesResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	items, err := s.webhooks.Deliveries(ctx, caller(ctx).Reaches(), req.Webhook, ipam.DeliveryState(value(req.Params.State)), p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(d ipam.Delivery) ipam.Cursor { return ipam.Cursor{ID: string(d.ID)} })
	return api.ListDeliveries200JSONResponse{Items: each(items, delivery), NextPageToken: next}, nil
}

// ReplayWebhook lets events be sent again.
func (s *Server) ReplayWebhook(ctx context.Context, req api.ReplayWebhookRequestObject) (api.ReplayWebhookResponseObject, error) {
	b := req.Body
	n, err := s.webhooks.Replay(ctx, caller(ctx), req.Webhook, ipam.Replay{Delivery: ipam.UID(value(b.Delivery)), Since: value(b.Since), Until: value(b.Until)})
	if err != nil {
		return nil, err
	}
	return api.ReplayWebhook200JSONResponse{Count: n}, nil
}

func webhook(w ipam.Webhook) api.Webhook {
	return api.Webhook{
		ID: string(w.ID), Name: w.Name, Description: w.Description, URL: w.URL, Scope: w.Scope, Actions: w.Actions, Format: api.WebhookFormat(w.Format), Enabled: w.Enabled,
		Waiting: w.Health.Waiting, Dead: w.Health.Dead, FailingSince: w.Health.FailingSince, LastError: optional(w.Health.LastError), RetryAt: w.Health.RetryAt,
		Version: w.Version, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
	}
}

func delivery(d ipam.Delivery) api.Delivery {
	out := api.Delivery{
		ID: string(d.ID), Webhook: string(d.Webhook), Event: d.Event, Action: d.Action, ObjectID: d.ObjectID, State: api.DeliveryState(d.State), Attempts: d.Attempts,
		Status: optional(d.Status), Error: optional(d.Error), CreatedAt: d.At, EndedAt: d.EndedAt,
	}
	if d.State == ipam.DeliveryWaiting {
		out.RetryAt = &d.RetryAt
	}
	return out
}
