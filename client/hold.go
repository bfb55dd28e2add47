package cloudpam

import (
	"context"
	"fmt"
	"iter"
	"net/http"
)

// Holds lists holds, the oldest first, lost ones too.
func (c *Client) Holds(ctx context.Context, filter ListHoldsParams) iter.Seq2[Hold, error] {
	return pages(func(token *string) ([]Hold, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListHolds(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListHolds reads one page of holds. Use Holds to walk all of them.
func (c *Client) ListHolds(ctx context.Context, filter ListHoldsParams) (HoldPage, error) {
	resp, err := c.raw.ListHolds(ctx, &filter)
	return answer[HoldPage](&call{}, resp, err)
}

// PlaceHold promises a plan the block that the allocation of this pool, name and prefix length will get. Asking again
// renews the promise and answers the same block. It fails like CreateAllocation, and with ErrHoldLost or ErrHoldConflict.
func (c *Client) PlaceHold(ctx context.Context, hold NewHold, opts ...CallOption) (Hold, error) {
	call := newCall(opts)
	resp, err := c.raw.PlaceHold(ctx, nil, hold, call.edit)
	return answer[Hold](call, resp, err)
}

// PlaceHolds promises a plan all that it asks for at one moment, whatever the order of the items. An answer holds what was asked for or
// the problem with it, for Refusal.
func (c *Client) PlaceHolds(ctx context.Context, items []NewHoldItem, opts ...CallOption) ([]HoldItem, error) {
	call := newCall(opts)
	resp, err := c.raw.PlaceHolds(ctx, nil, NewHoldBatch{Items: items}, call.edit)
	batch, err := answer[HoldBatch](call, resp, err)
	if err == nil && len(batch.Items) != len(items) {
		err = fmt.Errorf("%d answers to %d items", len(batch.Items), len(items))
	}
	return batch.Items, err
}

// Refusal is the problem with an item of PlaceHolds as an *Error, or nil.
func (i HoldItem) Refusal() error {
	if i.Problem == nil {
		return nil
	}
	e := &Error{Status: i.Problem.Status, Method: http.MethodPost, Path: "/api/v1/hold-batches"}
	e.take(*i.Problem)
	return e
}

// GetHold reads a hold. It fails with ErrNotFound.
func (c *Client) GetHold(ctx context.Context, id string, opts ...CallOption) (Hold, error) {
	call := newCall(opts)
	resp, err := c.raw.GetHold(ctx, id, call.edit)
	return answer[Hold](call, resp, err)
}

// ReleaseHold gives up a hold before its time. It fails with ErrNotFound.
func (c *Client) ReleaseHold(ctx context.Context, id string, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.ReleaseHold(ctx, id, nil, call.edit))
}

// DraftPool promises a plan the pool that it will create. Asking again renews the draft with the same CIDR. It fails like
// CreatePool, and with ErrHoldLost.
func (c *Client) DraftPool(ctx context.Context, draft NewDraft, opts ...CallOption) (Pool, error) {
	call := newCall(opts)
	resp, err := c.raw.DraftPool(ctx, nil, draft, call.edit)
	return answer[Pool](call, resp, err)
}

// ReleaseDraft gives up a draft, with all that is held in it, before its time. It fails with ErrNotFound.
func (c *Client) ReleaseDraft(ctx context.Context, pool string, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.ReleaseDraft(ctx, pool, nil, call.edit))
}

// PlaceSetHolds promises a plan the blocks of an allocation set, all or nothing. It fails as PlaceHold does.
func (c *Client) PlaceSetHolds(ctx context.Context, set NewSetHolds, opts ...CallOption) (SetPlan, error) {
	call := newCall(opts)
	resp, err := c.raw.PlaceSetHolds(ctx, nil, set, call.edit)
	return answer[SetPlan](call, resp, err)
}

// Drafts lists pools that only plans know, by id.
func (c *Client) Drafts(ctx context.Context, filter ListDraftsParams) iter.Seq2[Draft, error] {
	return pages(func(token *string) ([]Draft, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListDrafts(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListDrafts reads one page of drafts. Use Drafts to walk all of them.
func (c *Client) ListDrafts(ctx context.Context, filter ListDraftsParams) (DraftPage, error) {
	resp, err := c.raw.ListDrafts(ctx, &filter)
	return answer[DraftPage](&call{}, resp, err)
}
