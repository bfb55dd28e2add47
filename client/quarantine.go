package cloudpam

import (
	"context"
	"iter"
)

// Quarantines lists blocks in quarantine, the oldest first.
func (c *Client) Quarantines(ctx context.Context, filter ListQuarantinesParams) iter.Seq2[Quarantine, error] {
	return pages(func(token *string) ([]Quarantine, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListQuarantines(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListQuarantines reads one page of quarantines. Use Quarantines to walk all of them.
func (c *Client) ListQuarantines(ctx context.Context, filter ListQuarantinesParams) (QuarantinePage, error) {
	resp, err := c.raw.ListQuarantines(ctx, &filter)
	return answer[QuarantinePage](&call{}, resp, err)
}

// GetQuarantine reads a quarantine. It fails with ErrNotFound.
func (c *Client) GetQuarantine(ctx context.Context, id string, opts ...CallOption) (Quarantine, error) {
	call := newCall(opts)
	resp, err := c.raw.GetQuarantine(ctx, id, call.edit)
	return answer[Quarantine](call, resp, err)
}

// EndQuarantine makes a block free before its time. It fails with ErrNotFound.
func (c *Client) EndQuarantine(ctx context.Context, id string, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.EndQuarantine(ctx, id, nil, call.edit))
}

// RestoreAllocation brings an allocation back whose block is in quarantine. It fails with ErrNotFound, ErrNameTaken or
// ErrPreconditionFailed (it lives, or its pool is gone).
func (c *Client) RestoreAllocation(ctx context.Context, id string, opts ...CallOption) (Allocation, error) {
	call := newCall(opts)
	resp, err := c.raw.RestoreAllocation(ctx, id, nil, call.edit)
	return answer[Allocation](call, resp, err)
}
