package cloudpam

import (
	"context"
	"iter"
)

// Webhooks lists webhooks by age.
func (c *Client) Webhooks(ctx context.Context, filter ListWebhooksParams) iter.Seq2[Webhook, error] {
	return pages(func(token *string) ([]Webhook, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListWebhooks(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListWebhooks reads one page of webhooks. Use Webhooks to walk all of them.
func (c *Client) ListWebhooks(ctx context.Context, filter ListWebhooksParams) (WebhookPage, error) {
	resp, err := c.raw.ListWebhooks(ctx, &filter)
	return answer[WebhookPage](&call{}, resp, err)
}

// CreateWebhook makes a webhook for all events from now on. Where the request has no secret, the answer has the one that was made: it
// is shown this once, and a retry whose first attempt had arrived is answered without it (RotateWebhookSecret makes another). It fails
// with ErrNameTaken.
func (c *Client) CreateWebhook(ctx context.Context, webhook NewWebhook, opts ...CallOption) (WebhookWithSecret, error) {
	call := newCall(opts)
	resp, err := c.raw.CreateWebhook(ctx, nil, webhook, call.edit)
	return answer[WebhookWithSecret](call, resp, err)
}

// GetWebhook reads a webhook by its id or name, and how its deliveries go. It fails with ErrNotFound.
func (c *Client) GetWebhook(ctx context.Context, id string, opts ...CallOption) (Webhook, error) {
	call := newCall(opts)
	resp, err := c.raw.GetWebhook(ctx, id, call.edit)
	return answer[Webhook](call, resp, err)
}

// UpdateWebhook changes a webhook. Without WithIfMatch it changes whatever version stands. It fails with ErrNotFound,
// ErrNameTaken or ErrPreconditionFailed.
func (c *Client) UpdateWebhook(ctx context.Context, id string, patch WebhookPatch, opts ...CallOption) (Webhook, error) {
	return current(opts,
		func(etag CallOption) error { _, err := c.GetWebhook(ctx, id, etag); return err },
		func(call *call) (Webhook, error) {
			resp, err := c.raw.UpdateWebhook(ctx, id, nil, patch, call.edit)
			return answer[Webhook](call, resp, err)
		})
}

// DeleteWebhook deletes a webhook and what waits for it. Without WithIfMatch it deletes whatever version stands. It fails with
// ErrNotFound or ErrPreconditionFailed.
func (c *Client) DeleteWebhook(ctx context.Context, id string, opts ...CallOption) error {
	_, err := current(opts,
		func(etag CallOption) error { _, err := c.GetWebhook(ctx, id, etag); return err },
		func(call *call) (struct{}, error) {
			return struct{}{}, done(c.raw.DeleteWebhook(ctx, id, nil, call.edit))
		})
	return err
}

// RotateWebhookSecret gives a webhook another secret, a given one or one that is made and shown in the answer. For a day messages are
// signed with the one before too. It fails with ErrNotFound.
func (c *Client) RotateWebhookSecret(ctx context.Context, id string, secret NewWebhookSecret, opts ...CallOption) (WebhookWithSecret, error) {
	call := newCall(opts)
	resp, err := c.raw.RotateWebhookSecret(ctx, id, nil, secret, call.edit)
	return answer[WebhookWithSecret](call, resp, err)
}

// TestWebhook sends a message now and tells how it went. It fails with ErrNotFound.
func (c *Client) TestWebhook(ctx context.Context, id string) (WebhookTest, error) {
	resp, err := c.raw.TestWebhook(ctx, id)
	return answer[WebhookTest](&call{}, resp, err)
}

// Deliveries lists the deliveries of a webhook, the newest first.
func (c *Client) Deliveries(ctx context.Context, webhook string, filter ListDeliveriesParams) iter.Seq2[Delivery, error] {
	return pages(func(token *string) ([]Delivery, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListDeliveries(ctx, webhook, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListDeliveries reads one page of deliveries. Use Deliveries to walk all of them.
func (c *Client) ListDeliveries(ctx context.Context, webhook string, filter ListDeliveriesParams) (DeliveryPage, error) {
	resp, err := c.raw.ListDeliveries(ctx, webhook, &filter)
	return answer[DeliveryPage](&call{}, resp, err)
}

// ReplayWebhook lets events be sent again, under the ids that they had. It fails with ErrNotFound or ErrInvalid.
func (c *Client) ReplayWebhook(ctx context.Context, webhook string, what NewReplay, opts ...CallOption) (Replay, error) {
	call := newCall(opts)
	resp, err := c.raw.ReplayWebhook(ctx, webhook, nil, what, call.edit)
	return answer[Replay](call, resp, err)
}
